"""Bit heaps: many bits of many weights, compressed to one row by full and half adders."""

from collections import defaultdict
from itertools import count
from math import inf

from amaranth.hdl import Cat, Const, Module, Shape, Signal
from amaranth.lib.wiring import In, Out

from .shared import Shared, place


class FullAdder(Shared):
    """One-bit full adder, the 3:2 compressor that cell libraries have as a cell.

    Function  ``2 * co + s = a + b + c``.
    Formats   None; bits.
    Shapes    One bit each.
    Widths    One bit each.
    Timing    Combinational.
    Errors    None.
    Source    Textbook.
    """

    module_name, short_name = "full_adder", "fa"
    a: In(1)
    b: In(1)
    c: In(1)
    s: Out(1)
    co: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.s.eq(self.a ^ self.b ^ self.c)
        m.d.comb += self.co.eq((self.a & self.b) | (self.c & (self.a | self.b)))
        return m


class HalfAdder(Shared):
    """One-bit half adder.

    Function  ``2 * co + s = a + b``.
    Formats   None; bits.
    Shapes    One bit each.
    Widths    One bit each.
    Timing    Combinational.
    Errors    None.
    Source    Textbook.
    """

    module_name, short_name = "half_adder", "ha"
    a: In(1)
    b: In(1)
    s: Out(1)
    co: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.s.eq(self.a ^ self.b), self.co.eq(self.a & self.b)]
        return m


class BitHeap:
    """Bits by weight, and a constant, whose sum is wanted modulo ``2 ** width``.

    Columns come down to one bit from the lowest up, so that no half adder is spent but where a
    column holds an even number of bits. A full adder takes the three bits that arrive first, a
    constant last, where it costs least; times are in delays of a carry. ``inverted`` heaps hold the
    complements of their bits, which is the smaller where the bits are conjunctions. Where columns
    differ in height, ``halves_first`` spends a column's half adder on its earliest bits: one adder
    then joins both late carries of a high column, which else go up side by side.
    """

    CARRY, SUM = 1.0, 1.2

    def __init__(self, width, inverted=False, halves_first=False):
        self.width, self._inverted, self._halves_first = width, inverted, halves_first
        self.columns = defaultdict(list)
        self.constant = 0

    def add_bit(self, bit, weight, arrival=0.0):
        """Add ``bit * 2**weight``; ``arrival``: when the bit is known."""
        if isinstance(bit, Const):
            self.constant += bit.value << weight
        elif weight < self.width:
            self.columns[weight].append((arrival, ~bit if self._inverted else bit))
            self.constant += self._inverted << weight

    def add_constant(self, value):
        """Add an integer of either sign."""
        self.constant += value

    def add_multiple(self, bits, factor, arrivals=None):
        """Add ``factor`` times the unsigned number ``bits``, for an integer of either sign."""
        for i, bit in enumerate(bits):
            arrival = arrivals[i] if arrivals else 0.0
            for digit, weight in signed_digits(factor):
                self.add_bit(bit if digit > 0 else ~bit, weight + i, arrival)
                if digit < 0:
                    self.add_constant(-1 << (weight + i))

    def add_unsigned(self, value, weight=0):
        """Add an unsigned value times ``2**weight``."""
        for i in range(len(value)):
            self.add_bit(value[i], weight + i)

    def add_signed(self, value, weight=0):
        """Add a two's complement value; its sign bit enters inverted, minus a constant."""
        top = len(value) - 1
        self.add_unsigned(value[:top], weight)
        self.add_bit(~value[top], weight + top)
        self.add_constant(-1 << (weight + top))

    def add_sign_magnitude(self, neg, magnitude):
        """Add ``-magnitude`` if ``neg``, else ``magnitude``: complement, plus one, sign
        extended."""
        if isinstance(neg, Const):
            self.add_unsigned(~magnitude if neg.value else magnitude)
            self.add_constant(neg.value * (1 - (1 << len(magnitude))))
            return
        self.add_unsigned(magnitude ^ neg.replicate(len(magnitude)))
        self.add_bit(neg, 0)
        self.add_bit(~neg, len(magnitude))
        self.add_constant(-1 << len(magnitude))

    def add_product(self, value, multiplier):
        """Add ``value``, of either shape, times an unsigned ``multiplier``."""
        signed = value.shape().signed
        for i in range(len(multiplier)):
            row = value.as_unsigned() & multiplier[i].replicate(len(value))
            self.add_signed(row, i) if signed else self.add_unsigned(row, i)

    def total(self, m, platform, name):
        """Compress the heap inside ``m`` and return the sum, ``width`` bits."""
        total = Signal(self.width, name=f"{name}_total")
        m.d.comb += total.eq(Cat(bit for _, bit in self.compress(m, platform, name)))
        return total

    def compress(self, m, platform, name):
        """As :meth:`total`, a list of pairs of arrival and bit."""
        serial, rest = count(), []
        # If inverted, the heap's sum is ``constant - total``, and made ``-1 - total``.
        constant = (~self.constant if self._inverted else self.constant) % (1 << self.width)
        columns = [list(self.columns[i]) for i in range(self.width)]
        for i, column in enumerate(columns):
            if constant >> i & 1:
                column.append((inf, Const(1, 1)))
            if i == self.width - 1 and column:
                latest = max((at for at, _ in column if at < inf), default=0.0)
                rest.append((latest, Cat(bit for _, bit in column).xor()))
                continue
            while len(column) > 1:
                column.sort(key=lambda entry: entry[0])
                has_half = len(column) % 2 == 0 and self._halves_first
                taken = [column.pop(0) for _ in range(2 if has_half else min(3, len(column)))]
                latest = max(at for at, _ in taken if at < inf)
                sum_bit, carry = _add(m, platform, name, serial, [bit for _, bit in taken])
                column.append((latest + self.SUM, sum_bit))
                columns[i + 1].append((latest + self.CARRY, carry))
            rest.append(column[0] if column else (0.0, Const(0, 1)))
        return [(at, ~bit) for at, bit in rest] if self._inverted else rest


def _add(m, platform, name, serial, bits):
    """Sum and carry of two or three bits: an adder, or less where one of them is constant 1."""
    variables = [bit for bit in bits if not isinstance(bit, Const)]
    if len(variables) == len(bits):
        cell = FullAdder() if len(bits) == 3 else HalfAdder()
        cell_name = f"{name}_{cell.short_name}{next(serial)}"
        out = place(m, platform, cell_name, cell, **dict(zip("abc", bits)))
        return out.s, out.co
    # a + 1 and a + b + 1.
    sum_bit, carry = (Signal(name=f"{name}_{kind}{next(serial)}") for kind in ("inc", "carry"))
    m.d.comb += [sum_bit.eq(~Cat(variables).xor()), carry.eq(Cat(variables).any())]
    return sum_bit, carry


def signed_digits(factor):
    """The fewest pairs ``(+-1, weight)`` whose digits times ``2**weight`` sum to ``factor``."""
    digits, weight = [], 0
    while factor:
        if factor & 1:
            digit = 2 - (factor & 3)
            digits.append((digit, weight))
            factor -= digit
        factor >>= 1
        weight += 1
    return digits


def add(m, platform, name, a, b, constant=0, width=None):
    """``a + b + constant`` modulo ``2**width``, by default without loss, in one carry chain."""
    largest = (1 << len(a)) + (1 << len(b)) - 2 + constant
    heap = BitHeap(width or largest.bit_length())
    heap.add_unsigned(a)
    heap.add_unsigned(b)
    heap.add_constant(constant)
    return heap.total(m, platform, name)


def subtract(m, platform, name, a, b, width=None):
    """``a - b`` modulo ``2**width``, by default that of ``a``, in one carry chain."""
    return add(m, platform, name, a, ~b, 1 - (1 << len(b)), width or len(a))


class Reduction(Shared):
    """Sum of the partial-product bits of all lanes: one bit heap.

    Function  ``o = sum(factors[i] * bit i of every lane) + lanes * constant``, exact. Bits whose
              factor has several digits are counted first, and the count is multiplied.
    Formats   Any; the lane's product component says which factor each of its bits has.
    Shapes    ``i``: ``lanes`` groups of ``len(factors)`` bits, lane 0 in the low bits.
    Widths    ``o``: the narrowest shape that holds every sum of ``lanes`` values in ``[low,
              high]``.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Oklobdzija, Villeger and Liu, "A method for speed optimized partial product
              reduction", 1996: an adder takes the earliest bits.
    """

    part = "reduction"

    def __init__(self, lanes, factors, constant, shape, key, inverted=False, halves_first=False):
        self._lanes, self._factors, self._constant = lanes, factors, constant
        self._inverted, self._halves_first = inverted, halves_first
        self._shape = Shape.cast(shape)
        self.module_name = f"sum{lanes}_{key}"
        super().__init__({"i": In(lanes * len(factors)), "o": Out(self._shape)})

    def elaborate(self, platform):
        m = Module()
        heap = BitHeap(self._shape.width, self._inverted, self._halves_first)
        counted = defaultdict(list)
        for i, factor in enumerate(self._factors):
            bits = [self.i[lane * len(self._factors) + i] for lane in range(self._lanes)]
            if len(signed_digits(factor)) == 1:
                for bit in bits:
                    heap.add_multiple([bit], factor)
            else:
                counted[factor] += bits
        # Count first what would enter more than once.
        for factor, bits in counted.items():
            counter = BitHeap(len(bits).bit_length())
            for bit in bits:
                counter.add_bit(bit, 0)
            name = f"count{self._factors.index(factor)}"
            arrivals, total = zip(*counter.compress(m, platform, name))
            heap.add_multiple(total, factor, arrivals)
        heap.add_constant(self._lanes * self._constant)
        m.d.comb += self.o.eq(heap.total(m, platform, "heap"))
        return m

"""Bit heaps: many bits of many weights, compressed to two rows by full and half adders, then added
by one carry chain."""

from collections import defaultdict
from itertools import count

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

    Columns compress as Dadda's: heights follow 2, 3, 4, 6, 9, 13, ..., and a column gets only the
    adders it needs to come down to the next height, oldest bits first. Two rows are left, and then
    one: the carries of the last pass run from column to column.
    """

    def __init__(self, width):
        self.width = width
        self.columns = defaultdict(list)
        self.constant = 0

    def add_bit(self, bit, weight):
        """Add ``bit * 2**weight``."""
        if isinstance(bit, Const):
            self.constant += bit.value << weight
        elif weight < self.width:
            self.columns[weight].append(bit)

    def add_constant(self, value):
        """Add an integer of either sign."""
        self.constant += value

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

    def total(self, m, platform, name):
        """Compress the heap inside ``m`` and return the sum, ``width`` bits."""
        columns = self._columns()
        heights = [1, 2]
        while heights[-1] < max(map(len, columns)):
            heights.append(heights[-1] * 3 // 2)
        serial = count()
        for height in reversed(heights):
            # Carries made in a pass land in the next column, which is visited after this one.
            for i, column in enumerate(columns):
                while len(column) > height:
                    taken = [column.pop(0) for _ in range(min(3, len(column) - height + 1))]
                    if i == self.width - 1:
                        column.append(Cat(taken).xor())
                        continue
                    sum_bit, carry = _add(m, platform, name, serial, taken)
                    column.append(sum_bit)
                    columns[i + 1].append(carry)
        total = Signal(self.width, name=f"{name}_total")
        m.d.comb += total.eq(Cat(column[0] if column else Const(0, 1) for column in columns))
        return total

    def _columns(self):
        """The bits of every column, with those of the constant."""
        constant = self.constant % (1 << self.width)
        ones = ([Const(1, 1)] if constant >> i & 1 else [] for i in range(self.width))
        return [self.columns[i] + one for i, one in enumerate(ones)]


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


class Reduction(Shared):
    """Sum of the partial-product bits of all lanes: one bit heap, one carry-propagate adder.

    Function  ``o = sum(lanes) + lanes * constant``, exact.
    Formats   Any; the lane's product component says which weight each of its bits has.
    Shapes    ``i``: ``lanes`` groups of ``len(weights)`` bits, lane 0 in the low bits.
    Widths    ``o``: the narrowest shape that holds every sum of ``lanes`` values in ``[low,
              high]``.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Dadda, "Some schemes for parallel multipliers", 1965.
    """

    part = "reduction"

    def __init__(self, lanes, weights, constant, shape, key):
        self._lanes, self._weights, self._constant = lanes, weights, constant
        self._shape = Shape.cast(shape)
        self.module_name = f"sum{lanes}_{key}"
        super().__init__({"i": In(lanes * len(weights)), "o": Out(self._shape)})

    def elaborate(self, platform):
        m = Module()
        heap = BitHeap(self._shape.width)
        for lane in range(self._lanes):
            for i, weight in enumerate(self._weights):
                heap.add_bit(self.i[lane * len(self._weights) + i], weight)
        heap.add_constant(self._lanes * self._constant)
        m.d.comb += self.o.eq(heap.total(m, platform, "heap"))
        return m

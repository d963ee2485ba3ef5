"""The sum of a group's products times the significands of its scales."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib.wiring import In, Out

from .heap import BitHeap
from .shared import Shared, bounds


class Scaled(Shared):
    """A group's sum times the significands of its scales, one after the other.

    Function  ``o = value * sig0 * sig1``, or ``value * sig0``.
    Formats   None; integers.
    Shapes    ``value``: two's complement or a magnitude; ``sig0``, ``sig1``: unsigned.
    Widths    ``value``: at most ``largest`` in magnitude. Products are the narrowest that hold it.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 4. Golden: ``golden.arith.mac_step``.
    """

    part = "scaling"

    def __init__(self, shape, largest, widths):
        self._shapes = []
        for width in widths:
            largest *= (1 << width) - 1
            self._shapes.append(bounds(-largest if shape.signed else 0, largest))
        kind = "signed" if shape.signed else "magnitude"
        factors = "x".join(map(str, (shape.width, *widths)))
        self.module_name = f"scaled_{kind}_{factors}_{self._shapes[-1].width}"
        sigs = {f"sig{i}": In(width) for i, width in enumerate(widths)}
        super().__init__({"value": In(shape), **sigs, "o": Out(self._shapes[-1])})

    def elaborate(self, platform):
        m = Module()
        value = self.value
        for i, shape in enumerate(self._shapes):
            heap, sig = BitHeap(shape.width), getattr(self, f"sig{i}")
            if len(sig) < 3:
                heap.add_product(value, sig)
            elif len(sig) == 3:
                _enter_signed_digit(heap, value, sig)
            else:
                _enter_digits(m, platform, f"triple{i}", heap, value, sig)
            product = heap.total(m, platform, f"product{i}")
            value = product.as_signed() if shape.signed else product
        m.d.comb += self.o.eq(value)
        return m


def _enter_signed_digit(heap, value, sig):
    """Three bits are 0, 4 or 8 and a digit from -1 to 2: two rows in place of three."""
    one, two = _widened(value, 1), _widened(value << 1, 0)
    less = sig[0] & sig[1]
    digit = _choose((sig[0] & ~less, one), (sig[1] & ~less, two), (less, ~one))
    if value.shape().signed:
        heap.add_signed(digit)
    else:
        heap.add_signed(Cat(digit, less))
    heap.add_bit(less, 0)
    _entry(heap, value)(_choose((sig[2] ^ less, one), (sig[2] & less, two)), 2)


def _enter_digits(m, platform, name, heap, value, sig):
    """Digits of two bits choose among the value, its double and its triple."""
    heap_triple = BitHeap(len(value) + 2)
    for weight in (0, 1):
        _entry(heap_triple, value)(value, weight)
    one, two = _widened(value, 2), _widened(value << 1, 1)
    triple = heap_triple.total(m, platform, name)
    for weight in range(0, len(sig), 2):
        low = sig[weight]
        high = sig[weight + 1] if weight + 1 < len(sig) else Const(0, 1)
        row = _choose((low & ~high, one), (high & ~low, two), (low & high, triple))
        _entry(heap, value)(row, weight)


def _entry(heap, value):
    """How rows of the kind of ``value`` enter a heap."""
    return heap.add_signed if value.shape().signed else heap.add_unsigned


def _widened(value, places):
    """The bits of ``value`` with ``places`` more of its sign, or of zeros, above."""
    top = value[-1] if value.shape().signed else Const(0, 1)
    return Cat(value, top.replicate(places))


def _choose(*cases):
    """The bits that the one condition that holds asks for, or zeros."""
    result = Const(0, 1)
    for condition, bits in cases:
        result = result | (bits & condition.replicate(len(bits)))
    return result

"""Product generators for wide ranges of exponents: a signed significand in one of few windows."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import Out

from .decode import largest_magnitude, largest_shift, least_shift, significand_width
from .heap import add
from .lane import LaneGenerator, lane_ports
from .product import multiply
from .shared import Shared

SHORT = 4
"""Bits of shift for which one window is taken."""
MUX, SIGN = 2.1, 8.0
TERMS = {0: 0.0, 1: 1.0, 2: 1.7, 3: 3.7}
FILL = {0: 1.0, 1: 0.0, 2: 1.5}
"""Gate equivalents of a multiplexer, of a window's sign, of a bit by how many windows reach it, and
of what the sign of a window that has ended adds to it."""


class WindowProduct(LaneGenerator, Shared):
    """One lane: the exact product of two decoded elements of wide range.

    The low bits of the shift place the two's complement significand inside a window, its high bits
    choose one of the windows, which overlap. Each window has its sign above it, or shares that of
    the next one, up to which its own sign then goes on.

    Function  ``sum(o[i] * factors[i]) = a * b``.
    Formats   Any two elements that :class:`Decode` knows, at least one of them a float; both
              operands one-sided.
    Shapes    ``a_*``, ``b_*``: as Decode gives them. ``o``: the bits of the windows laid over each
              other, then the signs. ``nonzero``: whether both significands are.
    Widths    Bits up to those of the largest product.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    def __init__(self, a, b):
        self._fields = lane_ports(a, b, ("neg", "sig", "shift"))
        self._least = least_shift(a) + least_shift(b)
        self._largest_shift = largest_shift(a) + largest_shift(b)
        width = (largest_magnitude(a) * largest_magnitude(b)).bit_length()
        significand = significand_width(a) + significand_width(b)
        self.low = inner_shift(significand, self._least, self._largest_shift, width)
        self._windows = windows(significand, self._least, self._largest_shift, self.low, width)
        self._groups = sign_groups(self._windows)
        self.factors = [1 << i for i in range(width)]
        self.factors += [-1 << self._windows[group[-1]].stop for group in self._groups]
        self.datapath = (
            f"windows: significands multiplied, negated, shifted by {self.low} bits"
            f" of the exponent in {len(self._windows)} windows"
        )
        self.key = f"{a.name}_{b.name}"
        self.module_name = f"product_{self.key}"
        super().__init__(self._fields | {"o": Out(len(self.factors)), "nonzero": Out(1)})

    def elaborate(self, platform):
        m = Module()

        # Multiply, negate: of a negative product, all bits above its lowest 1 are complemented. The
        # top bit is never the lowest 1.
        shifts = [getattr(self, name) for name in self._fields if name.endswith("shift")]
        shift = shifts[0]
        if len(shifts) == 2:
            width = self._largest_shift.bit_length()
            shift = add(m, platform, "shift", *shifts, width=width)
        neg = self.a_neg ^ self.b_neg
        product = multiply(m, platform, "significand", self.a_sig, self.b_sig)
        flips = [neg & product[:i].any() for i in range(len(product))]
        value, sign = Cat(bit ^ flip for bit, flip in zip(product, flips)), flips[-1]

        # Shift inside a window: | sign | value | 0 |.
        for i in range(min(self.low, len(shift))):
            zeros, fill = Const(0, 1 << i), sign.replicate(1 << i)
            shifted = Signal(len(value) + (1 << i), name=f"by{1 << i}")
            m.d.comb += shifted.eq(Mux(shift[i], Cat(zeros, value), Cat(value, fill)))
            value = shifted

        # Choose the window.
        hot = [Const(1, 1)]
        if len(self._windows) > 1:
            hot = [shift[self.low :] == j for j in range(len(self._windows))]
        bits = []
        for k in range(self._windows[-1].stop):
            inside = [h & value[k - w.start] for h, w in zip(hot, self._windows) if k in w]
            inside += [hot[j] & sign for j in self._ended(k)]
            bits.append(Cat(inside).any())
        signs = [Cat(hot[j] for j in group).any() & sign for group in self._groups]
        m.d.comb += [self.o.eq(Cat(*bits, *signs)), self.nonzero.eq(product.any())]
        return m

    def _ended(self, k):
        """The windows that ended below bit ``k`` and whose sign comes above it."""
        return [
            j
            for group in self._groups
            for j in group
            if self._windows[j].stop <= k < self._windows[group[-1]].stop
        ]


def sign_groups(placed):
    """Which windows share a sign, by number: two by two from the last one down, where the sign that
    goes on costs less than another one, by an estimate of the area."""
    groups, rest = [], list(range(len(placed)))
    while rest:
        pair = rest[-2:]
        fill = range(placed[pair[0]].stop, placed[pair[-1]].stop)
        reach = (sum(k in window for window in placed) for k in fill)
        shared = len(pair) == 2 and sum(FILL.get(n, 2.0 * n) for n in reach) < SIGN
        groups.insert(0, pair if shared else pair[-1:])
        del rest[-len(groups[0]) :]
    return groups


def windows(significand, least, largest, low, width):
    """The weights that each window covers, in units of the product's ulp. Above ``width`` bits,
    those of the largest product, there are only copies of the sign."""
    length = significand + (1 << low) - 1
    starts = ((j << low) - least for j in range((largest >> low) + 1))
    return [range(start, min(start + length, width)) for start in starts]


def inner_shift(significand, least, largest, width):
    """How many bits of the shift are taken inside a window, by an estimate of the area.

    >>> inner_shift(8, 2, 30, 36), inner_shift(6, 2, 62, 64), inner_shift(6, 2, 14, 18)
    (3, 4, 4)
    """
    if largest.bit_length() <= SHORT:
        return largest.bit_length()

    def area(low):
        placed = windows(significand, least, largest, low, width)
        stages = MUX * sum(significand + (2 << i) - 1 for i in range(low))
        reach = (sum(k in window for window in placed) for k in range(width))
        return stages + SIGN * len(placed) + sum(TERMS.get(n, 2.0 * n) for n in reach)

    return min(range(1, largest.bit_length() + 1), key=area)

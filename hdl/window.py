"""Product generators for wide ranges of exponents: signed significands in one of few windows."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Out

from .generators import LaneGenerator, PairGenerator, two_lanes
from .heap import BitHeap, add
from .lane import lane_ports
from .product import multiply
from .shared import Shared
from .windows import Range, inner_shift, inner_shift_of_pairs, sign_groups, windows


class Placed(NamedTuple):
    """A lane's product inside a window: two's complement bits, their sign above them, the number of
    the window, and whether the product is not zero."""

    value: Value
    sign: Value
    window: Value
    nonzero: Value


def place_product(m, platform, prefix, fields, span, low):
    """Multiply the significands of a lane and shift them by the ``low`` bits of the shift; a
    :class:`Placed`. ``fields``: those of both elements, by name."""
    # Multiply, negate: of a negative product, all bits above its lowest 1 are complemented. The
    # top bit is never the lowest 1.
    shifts = [value for name, value in fields.items() if name.endswith("shift")]
    shift = shifts[0]
    if len(shifts) == 2:
        width = span.largest.bit_length()
        shift = add(m, platform, f"{prefix}shift", *shifts, width=width)
    neg = fields["a_neg"] ^ fields["b_neg"]
    significands = fields["a_sig"], fields["b_sig"]
    product = multiply(m, platform, f"{prefix}significand", *significands)
    flips = [neg & product[:i].any() for i in range(len(product))]
    value, sign = Cat(bit ^ flip for bit, flip in zip(product, flips)), flips[-1]

    # Shift inside a window: | sign | value | 0 |.
    for i in range(min(low, len(shift))):
        zeros, fill = Const(0, 1 << i), sign.replicate(1 << i)
        shifted = Signal(len(value) + (1 << i), name=f"{prefix}by{1 << i}")
        m.d.comb += shifted.eq(Mux(shift[i], Cat(zeros, value), Cat(value, fill)))
        value = shifted
    return Placed(value, sign, shift[low:], product.any())


def is_window(placed, count):
    """For each of ``count`` windows, whether a lane has it."""
    if count == 1:
        return [Const(1, 1)]
    return [placed.window == j for j in range(count)]


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
        self._span = Range.of(a, b)
        self.low = inner_shift(self._span)
        self._windows = windows(self._span, self.low)
        self._groups = sign_groups(self._windows)
        self.factors = [1 << i for i in range(self._span.width)]
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
        fields = {name: getattr(self, name) for name in self._fields}
        placed = place_product(m, platform, "", fields, self._span, self.low)
        value, sign = placed.value, placed.sign

        # Choose the window.
        hot = is_window(placed, len(self._windows))
        bits = []
        for k in range(self._windows[-1].stop):
            inside = [h & value[k - w.start] for h, w in zip(hot, self._windows) if k in w]
            inside += [hot[j] & sign for j in self._ended(k)]
            bits.append(Cat(inside).any())
        signs = [Cat(hot[j] for j in group).any() & sign for group in self._groups]
        m.d.comb += [self.o.eq(Cat(*bits, *signs)), self.nonzero.eq(placed.nonzero)]
        return m

    def _ended(self, k):
        """The windows that ended below bit ``k`` and whose sign comes above it."""
        return [
            j
            for group in self._groups
            for j in group
            if self._windows[j].stop <= k < self._windows[group[-1]].stop
        ]


class WindowPair(PairGenerator, Shared):
    """Two lanes of :class:`WindowProduct`, added first where both have one window.

    Where they have not, the first takes the place of the sum, and the second that of its own window
    in the same bits: each window has bits of its own, of which two lanes need no more than one.

    Function  ``sum(o[i] * factors[i]) = x + y``.
    Formats   Those of WindowProduct, that :meth:`suits`.
    Shapes    ``x_a_*``, ``x_b_*``, ``y_a_*``, ``y_b_*``: as Decode gives them. ``o``: the bits of
              one window after the other, then the signs. ``x_nonzero``, ``y_nonzero``: whether
              both significands of the lane are.
    Widths    The sum of two of the largest products.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    halves_first = True  # columns where windows overlap are twice as high

    def __init__(self, a, b):
        self._lane = lane_ports(a, b, ("neg", "sig", "shift"))
        self._span = Range.of(a, b)
        self.low = inner_shift_of_pairs(self._span)
        self._windows = [range(w.start, w.stop + 1) for w in windows(self._span, self.low)]
        self.factors = [1 << k for w in self._windows for k in w if k >= 0]
        self.factors += [-1 << w.stop for w in self._windows]
        self.datapath = (
            f"pairs in windows: significands multiplied, negated, shifted by {self.low} bits of the"
            f" exponent in {len(self._windows)} windows; one sum where both lanes have one window"
        )
        self.key = f"{a.name}_{b.name}_windows"
        self.module_name = f"pair_{self.key}"
        self._inputs = two_lanes(self._lane)
        nonzeros = {f"{lane}_nonzero": Out(1) for lane in "xy"}
        super().__init__(self._inputs | {"o": Out(len(self.factors))} | nonzeros)

    @classmethod
    def suits(cls, a, b):
        """Whether pairs of these elements' products are smaller than two by themselves."""
        return inner_shift_of_pairs(Range.of(a, b)) is not None

    def elaborate(self, platform):
        m = Module()
        x, y = (self._placed(m, platform, lane) for lane in "xy")

        # Add. Complements of conjunctions are one gate.
        is_same = Signal()
        m.d.comb += is_same.eq(x.window == y.window)
        first, second = (Cat(each.value, each.sign) for each in (x, y))
        heap = BitHeap(len(first) + 1, inverted=True)
        heap.add_signed(first)
        heap.add_signed(second & is_same.replicate(len(second)))
        both = heap.total(m, platform, "both")

        # Choose the windows: those bits of a row that the largest product leaves, and its sign.
        count = len(self._windows)
        hot_x = is_window(x, count)
        hot_y = [hot & ~is_same for hot in is_window(y, count)]
        bits, signs = [], []
        for window, x_here, y_here in zip(self._windows, hot_x, hot_y):
            kept = slice(max(0, -window.start), len(window))
            row_x, row_y = (Cat(row[kept], row[-1]) for row in (both, Cat(second, y.sign)))
            row = (row_x & x_here.replicate(len(row_x))) | (row_y & y_here.replicate(len(row_y)))
            bits.append(row[:-1])
            signs.append(row[-1])
        m.d.comb += [
            self.o.eq(Cat(*bits, *signs)),
            self.x_nonzero.eq(x.nonzero),
            self.y_nonzero.eq(y.nonzero),
        ]
        return m

    def _placed(self, m, platform, lane):
        """The product of ``x`` or ``y`` inside a window."""
        fields = {name: getattr(self, f"{lane}_{name}") for name in self._lane}
        return place_product(m, platform, f"{lane}_", fields, self._span, self.low)

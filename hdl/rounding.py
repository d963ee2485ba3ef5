"""Rounding of aligned sums to binary32."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .heap import BitHeap
from .shared import Shared, bounds
from .shift import normalize

SIGNIFICAND_WIDTH = 24
BIAS = 127
NAN = 0x7FC00000


class RoundBinary32(Shared):
    """Round ``total * 2**(key - unit)`` to binary32, unless NaN or Inf decides.

    Function  Nearest even, or toward zero (``truncate``) to ``fraction_width`` bits; subnormals
              kept; overflow to Inf; zero is +0, what rounds to zero keeps its sign if nearest even.
    Formats   ``total`` two's complement in, binary32 out.
    Shapes    ``key``: the biased exponent of the aligned sum, ``least`` or more where ``total`` is
              not zero. ``is_nan``, ``is_inf``, ``inf_sign``: what takes the sum's place. With
              ``has_below``, ``below`` tells that the magnitude goes on below ``total``'s last bit,
              and ``below_neg`` that it does and is negative.
    Widths    | sign | magnitude |  ->  | sign | 8 | 23 |; guard and sticky below the 24 significand
              bits.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    IEEE 754-2019, 4.3.1. Golden: ``golden.binary32``.
    """

    part = "accumulator"

    def __init__(
        self,
        width,
        key_width,
        unit,
        *,
        least=0,
        truncate=False,
        fraction_width=23,
        nan=NAN,
        has_below=False,
    ):
        self._unit, self._least, self._nan = unit, least, nan
        self._truncate, self._fraction_width = truncate, fraction_width
        rule = f"truncate{fraction_width}" if truncate else "round"
        name = f"{rule}_binary32_w{width}_e{key_width}_u{unit}_l{least}"
        self.module_name = name.replace("-", "m") + ("" if nan == NAN else f"_{nan:x}")
        self._has_below = has_below
        names = ["is_nan", "is_inf", "inf_sign"]
        if has_below:
            self.module_name += "_below"
            names += ["below", "below_neg"]
        flags = {name: In(1) for name in names}
        super().__init__({"total": In(width), "key": In(key_width), **flags, "o": Out(32)})

    def elaborate(self, platform):
        m = Module()
        precision, fraction = self._fraction_width + 1, self._fraction_width
        digits = len(self.total) - 1

        # A negative total is not negated: its complement with ones for ever below is the magnitude.
        sign = self.total[-1]
        complement = Signal(digits)
        m.d.comb += complement.eq(self.total[:-1] ^ sign.replicate(digits))

        # Shift left, at most to exponent field 1, which is at ``limit``; with ``headroom`` zeros
        # above the magnitude no number of interest has a limit below 0.
        least = digits - 2 - self._unit + BIAS + self._least
        headroom = max(0, min(-least, precision + 1))
        limit = self._limit(m, platform, least - self._least + headroom)
        padding = max(0, precision + 1 - digits - headroom)
        value = Cat(sign.replicate(padding), complement, Const(0, headroom))
        shifted, (any_below, all_below), distance = normalize(
            m, "normal", value, limit, sign, precision + 1
        )
        guard, kept, hidden = shifted[0], shifted[1:], shifted[-1]

        # Round. All bits below the guard that are ones carry into it if the total is negative.
        if self._truncate:
            up = sign & guard & all_below
        else:
            above_half = Mux(sign, guard, guard & any_below)
            tie = Mux(sign, ~guard & all_below, guard & ~any_below)
            up = above_half | (tie & (kept[0] | self.below if self._has_below else kept[0]))

        # Pack: a carry out of the significand raises the exponent field, as the hidden bit does.
        size = len(distance)
        heap = BitHeap(fraction + max(len(limit), size, 8) + 1)
        heap.add_unsigned(kept[:fraction])
        heap.add_bit(up, 0)
        field = self._difference(m, platform, limit, distance)
        heap.add_unsigned(field & hidden.replicate(len(field)), fraction)
        heap.add_bit(hidden, fraction)
        packed = heap.total(m, platform, "packed")
        exponent = packed[fraction:]
        forced = Signal()
        is_overflow = exponent[:8].all() | exponent[8:].any()
        m.d.comb += forced.eq(is_overflow | self.is_inf | self.is_nan)
        significand = Cat(Const(0, 23 - fraction), packed[:fraction]) & ~forced.replicate(23)
        nan = Const(self._nan & 0x7FFFFF, 23) & self.is_nan.replicate(23)
        result = Cat(significand | nan, exponent[:8] | forced.replicate(8))
        if self._truncate:
            sign = sign & result.any()
        if self._has_below:
            sign = sign | self.below_neg
        sign = Mux(self.is_nan | self.is_inf, self.inf_sign & ~self.is_nan, sign)
        m.d.comb += self.o.eq(Cat(result, sign))
        return m

    def _limit(self, m, platform, base):
        """``key + base``, or 0 where that is negative."""
        shape = bounds(min(base, 0), base + (1 << len(self.key)) - 1)
        heap = BitHeap(shape.width)
        heap.add_unsigned(self.key)
        heap.add_constant(base)
        total = heap.total(m, platform, "limit")
        return total[:-1] & ~total[-1].replicate(len(total) - 1) if shape.signed else total

    def _difference(self, m, platform, limit, distance):
        """``limit - distance``, which is not negative."""
        heap = BitHeap(max(len(limit), len(distance)))
        heap.add_unsigned(limit)
        heap.add_unsigned(~distance)
        heap.add_constant(1 - (1 << len(distance)))
        return heap.total(m, platform, "field")

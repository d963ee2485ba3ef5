"""One rounding: a fixed-point sum to binary32."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from .shared import Shared, bounds
from .shift import normalize, shift_right

SIGNIFICAND_WIDTH = 24
INFINITY = 0x7F800000
NAN = 0x7FC00000


class RoundBinary32(Shared):
    """Round ``total * 2**(key - unit)`` to binary32.

    Function  Nearest even, or toward zero (``truncate``) to ``fraction_width`` bits; subnormals
              kept; overflow to Inf; zero is +0, what rounds to zero keeps its sign if nearest even.
    Formats   ``total`` two's complement in, binary32 out.
    Shapes    ``key``: the biased exponent of the aligned sum.
    Widths    | sign | magnitude |  ->  | sign | 8 | 23 |; guard and sticky below the 24 significand
              bits.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    IEEE 754-2019, 4.3.1. Golden: ``golden.binary32``.
    """

    part = "accumulator"

    def __init__(self, width, key_width, unit, truncate=False, fraction_width=23):
        self._unit, self._truncate, self._fraction_width = unit, truncate, fraction_width
        rule = f"truncate{fraction_width}" if truncate else "round"
        self.module_name = f"{rule}_binary32_w{width}_e{key_width}_u{unit}".replace("-", "m")
        super().__init__({"total": In(width), "key": In(key_width), "o": Out(32)})

    def elaborate(self, platform):
        m = Module()

        # Magnitude.
        sign = self.total[-1]
        magnitude = Signal(len(self.total) - 1)
        m.d.comb += magnitude.eq(Mux(sign, -self.total, self.total)[: len(magnitude)])

        # Normalize.  | 1 | 23 | guard | sticky ... |
        padding = max(0, SIGNIFICAND_WIDTH + 2 - len(magnitude))
        shifted, distance = normalize(m, "normal", Cat(Const(0, padding), magnitude))
        is_zero = ~shifted[-1]
        # The exponent field of a normal result; 0 and below are subnormal.
        offset = len(magnitude) - 1 - self._unit + 127
        field = Signal(bounds(offset - (1 << len(distance)) + 1, offset + (1 << len(self.key))))
        m.d.comb += field.eq(self.key + offset - distance)

        # Denormalize.
        is_subnormal = field < 1
        down = Signal(len(field))
        m.d.comb += down.eq(Mux(is_subnormal, 1 - field, 0)[: len(down)])
        top = shifted[-SIGNIFICAND_WIDTH - 1 :]
        kept, lost = shift_right(m, "subnormal", top, down, 0)
        sticky = lost | shifted[: -SIGNIFICAND_WIDTH - 1].any()

        # Round and pack: a carry out of the significand raises the exponent by itself.
        increment = Const(0, 1) if self._truncate else kept[0] & (sticky | kept[1])
        exponent = Mux(is_subnormal, 0, (field - 1)[:8])
        packed = Signal(31)
        m.d.comb += packed.eq((Cat(Const(0, 23), exponent) + kept[1:] + increment)[:31])
        is_overflow = field > 254
        result = Mux(is_zero, 0, Mux(is_overflow, INFINITY, packed))
        if self._truncate:
            dropped = 23 - self._fraction_width
            result = Cat(Const(0, dropped), Value.cast(result)[dropped:31])
            sign = sign & result.any()
        m.d.comb += self.o.eq(Cat(result[:31], sign))
        return m

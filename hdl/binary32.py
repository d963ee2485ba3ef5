"""Binary32 arithmetic of the macro-block epilogue: products and sums, each rounded once."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .rounding import BIAS, SIGNIFICAND_WIDTH, RoundBinary32
from .shared import Shared, place
from .shift import shift_right

FRACTION_WIDTH = SIGNIFICAND_WIDTH - 1
GUARD_BITS = 3


class Unpacked:
    """The fields of a binary32 value; a subnormal has field 1 and no hidden bit."""

    def __init__(self, bits):
        field, fraction = bits[FRACTION_WIDTH:31], bits[:FRACTION_WIDTH]
        self.sign = bits[31]
        self.field = (field | ~field.any())[:8]
        self.significand = Cat(fraction, field.any())
        self.is_zero = ~bits[:31].any()
        self.is_nan = field.all() & fraction.any()
        self.is_inf = field.all() & ~fraction.any()


class MultiplyBinary32(Shared):
    """Product of two binary32 values.

    Function  ``o = a * b``, nearest even; NaN is 0x7FC00000.
    Formats   binary32.
    Shapes    One value each.
    Widths    Significand product 48 bits, exact before it is rounded.
    Timing    Combinational.
    Errors    None.
    Source    IEEE 754-2019, 5.4.1. Golden: ``golden.product``.
    """

    part = "epilogue"
    module_name = "multiply_binary32"
    a: In(32)
    b: In(32)
    o: Out(32)

    def elaborate(self, platform):
        m = Module()
        x, y = Unpacked(self.a), Unpacked(self.b)
        sign = x.sign ^ y.sign

        # Multiply.
        product = Signal(2 * SIGNIFICAND_WIDTH)
        m.d.comb += product.eq(x.significand * y.significand)
        total = Mux(sign, -product, product)[: 2 * SIGNIFICAND_WIDTH + 1]

        # Round, unless NaN or Inf decides; a zero has a sign, too.
        rounder = RoundBinary32(len(total), 9, 2 * (BIAS + FRACTION_WIDTH), least=2)
        key = (x.field + y.field)[:9]
        invalid = x.is_nan | y.is_nan | (x.is_inf & y.is_zero) | (x.is_zero & y.is_inf)
        flags = {"is_nan": invalid, "is_inf": x.is_inf | y.is_inf, "inf_sign": sign}
        rounded = place(m, platform, "round", rounder, total=total, key=key, **flags).o
        m.d.comb += self.o.eq(Cat(rounded[:31], sign & ~invalid))
        return m


class AddBinary32(Shared):
    """Sum of two binary32 values.

    Function  ``o = a + b``, nearest even; NaN is 0x7FC00000; opposite values give +0.
    Formats   binary32.
    Shapes    One value each.
    Widths    | carry | 24 | guard | round | sticky |; what alignment cuts off is the sticky bit.
    Timing    Combinational.
    Errors    None.
    Source    IEEE 754-2019, 5.4.1. Golden: ``golden.product``.
    """

    part = "epilogue"
    module_name = "add_binary32"
    a: In(32)
    b: In(32)
    o: Out(32)

    def elaborate(self, platform):
        m = Module()

        # The larger magnitude first.
        swap = Signal()
        large, small = Signal(32), Signal(32)
        m.d.comb += [
            swap.eq(self.b[:31] > self.a[:31]),
            large.eq(Mux(swap, self.b, self.a)),
            small.eq(Mux(swap, self.a, self.b)),
        ]
        x, y = Unpacked(large), Unpacked(small)

        # Align with a sticky bit and add.
        distance = Signal(8)
        m.d.comb += distance.eq((x.field - y.field)[:8])
        kept, lost = shift_right(m, "small", y.significand, distance, GUARD_BITS)
        aligned = Cat(kept[0] | lost, kept[1:])
        wide = Cat(Const(0, GUARD_BITS), x.significand)
        difference = x.sign ^ y.sign
        magnitude = Signal(SIGNIFICAND_WIDTH + GUARD_BITS + 1)
        m.d.comb += magnitude.eq(Mux(difference, wide - aligned, wide + aligned)[: len(magnitude)])
        total = Mux(x.sign, -magnitude, magnitude)[: len(magnitude) + 1]

        # Round, unless NaN or Inf decides, or both are zeros.
        rounder = RoundBinary32(len(total), 8, BIAS + FRACTION_WIDTH + GUARD_BITS, least=1)
        invalid = x.is_nan | y.is_nan | (x.is_inf & y.is_inf & difference)
        flags = {"is_nan": invalid, "is_inf": x.is_inf, "inf_sign": x.sign}
        rounded = place(m, platform, "round", rounder, total=total, key=x.field, **flags).o
        zeros = Cat(Const(0, 31), x.sign & y.sign)
        m.d.comb += self.o.eq(Mux(x.is_zero & y.is_zero, zeros, rounded))
        return m

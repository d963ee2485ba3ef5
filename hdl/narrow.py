"""Results in a narrower format than they are accumulated in."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .shared import Shared


class RoundBfloat16(Shared):
    """A binary32 value as bfloat16.

    Function  Nearest even; overflow to Inf; every NaN becomes 0x7FC0.
    Formats   binary32 in, bfloat16 out.
    Shapes    One value each.
    Widths    | sign | 8 | 7 | guard | rest |
    Timing    Combinational.
    Errors    None.
    Source    IEEE 754-2019, 4.3.1. Golden: ``golden.binary32.to_bf16``.
    """

    part = "output"
    module_name = "round_bfloat16"
    i: In(32)
    o: Out(16)

    def elaborate(self, platform):
        m = Module()
        up = self.i[15] & (self.i[16] | self.i[:15].any())
        rounded = Signal(16)
        m.d.comb += rounded.eq((self.i[16:] + up)[:16])
        is_nan = self.i[23:31].all() & self.i[:23].any()
        m.d.comb += self.o.eq(Mux(is_nan, 0x7FC0, rounded))
        return m

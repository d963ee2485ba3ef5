"""Ratios of significands, a bit at a time: each bit compares with a threshold times the divisor."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .shared import Shared


class Ratio(Shared):
    """The first bits of ``(1 + a) / (1 + p)``, ``a`` and ``p`` fractions.

    Function  ``(1 + a) / (1 + p) = 2**-low * (1 + o / 2**bits)``, cut; ``sticky``: what is cut is
              not zero. A bit is 1 where the dividend reaches the divisor times the bits so far.
    Formats   None; unsigned fractions.
    Shapes    ``a``, ``p``, ``o``: fractions below a leading one.
    Widths    ``o``: ``bits``; ``low``: one bit, 1 where the ratio is below 1.
    Timing    Combinational; the path grows with ``bits`` times the width of ``p``.
    Errors    None.
    Source    Textbook (restoring). Golden: ``golden.scaling``, which says why comparing is exact.
    """

    part = "elements"

    def __init__(self, a_width, p_width, bits):
        self._bits = bits
        self.module_name = f"ratio_{a_width}by{p_width}_{bits}"
        super().__init__(
            {
                "a": In(a_width),
                "p": In(p_width),
                "o": Out(bits),
                "low": Out(1),
                "sticky": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        width = max(len(self.a), len(self.p))
        a = Cat(Const(0, width - len(self.a)), self.a, Const(1, 1))
        p = Cat(Const(0, width - len(self.p)), self.p, Const(1, 1))
        m.d.comb += self.low.eq(a < p)
        # | 1 | fraction |: the rest is below the divisor.
        rest = Signal(width + 1, name="rest")
        m.d.comb += rest.eq((Mux(self.low, Cat(Const(0, 1), a), a) - p)[: width + 1])
        for i in reversed(range(self._bits)):
            twice = Cat(Const(0, 1), rest)
            less = Signal(width + 2, name=f"less{i}")  # signed, below one divisor
            m.d.comb += [less.eq((twice - p)[: width + 2]), self.o[i].eq(~less[-1])]
            rest = Signal(width + 1, name=f"rest{i}")
            m.d.comb += rest.eq(Mux(less[-1], twice, less)[: width + 1])
        m.d.comb += self.sticky.eq(rest.any())
        return m

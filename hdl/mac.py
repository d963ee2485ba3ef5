"""Multiply-accumulate unit: one cell behind its operands' decoders."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from .cell import FusedCell
from .lanes import multiplies_codes
from .library import Shared, place
from .naming import pair_name
from .operand import DecodeOperand, operand_ports


class Mac(Shared):
    """Dot product of K elements, block scales and binary32 accumulator.

    Function  ``acc = (i_first ? i_c : acc) + sum(a[k] * b[k])`` as :class:`FusedCell` has it, rounded once.
    Formats   Pairs of BlockFormats with float or integer elements and block scales of 8 bits.
    Shapes    ``i_*_elems``: ``k`` codes; ``i_*_scales``: a byte a block and side, the positive side first;
              ``i_c``: binary32. All from the low bits up.
    Widths    ``o_d``: binary32.
    Timing    Latency 1, one step a cycle while ``en``; ``o_valid`` follows a step with ``i_last``.
    Errors    TypeError for elements without a decoder.
    Source    NUMERICS, section 4. Golden: ``golden.arith.mac_step``.
    """

    def __init__(self, fmt_a, fmt_b, k, fraction_bits=None):
        self._formats = {"a": fmt_a, "b": fmt_b}
        self._k = k
        self._cell = FusedCell(fmt_a, fmt_b, k, fraction_bits)
        self.latency = self._cell.latency
        self.fraction_bits = self._cell.fraction_bits
        self.module_name = f"mac_{pair_name(fmt_a, fmt_b)}_k{k}_core"
        super().__init__(
            {
                "en": In(1),
                "i_valid": In(1),
                "i_first": In(1),
                "i_last": In(1),
                "i_c": In(32),
                **{
                    f"i_{name}_{port}": In(width)
                    for name, fmt in self._formats.items()
                    for port, width in operand_ports(fmt, k).items()
                },
                "o_valid": Out(1),
                "o_d": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        raw = multiplies_codes(*self._formats.values())
        operands = {}
        for name, fmt in self._formats.items():
            ports = {port: getattr(self, f"i_{name}_{port}") for port in operand_ports(fmt, self._k)}
            operands[name] = place(m, platform, name, DecodeOperand(fmt, self._k, raw), **ports).o
        control = {"en": self.en, "valid": self.i_valid, "first": self.i_first, "c": self.i_c}
        cell = place(m, platform, "cell", self._cell, clocked=True, **control, **operands)
        m.d.comb += self.o_d.eq(cell.acc)
        with m.If(self.en):
            m.d.sync += self.o_valid.eq(self.i_valid & self.i_last)
        return m

"""Product generator for one-sided elements that arrive as lines and multiples."""

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from .generators import LaneGenerator
from .lines import MULTIPLES, line_widths, multiple_widths, product_width, selected
from .shared import Shared


class LineProduct(LaneGenerator, Shared):
    """One lane: the exact product of two elements of one format.

    Function  ``sum(o[i] * factors[i]) = a * b``.
    Formats   Floats that :func:`hdl.lines.takes_lines`.
    Shapes    ``a_lines``, ``b_x1`` and so on: as the decoders of ``hdl.lines`` give them.
    Widths    Magnitude: that of the largest product. A negative lane has its complement, and one
              bit more for the sign: plus one for the complement, minus one above the magnitude.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    datapath = "lines: one magnitude chooses the other or 3 times it, complemented"

    def __init__(self, element):
        self._element = element
        width = product_width(element)
        self.factors = [*(1 << i for i in range(width)), 1 - (1 << width)]
        self.key = f"{element.name}_lines"
        self.module_name = f"product_{self.key}"
        fields = {"a_neg": 1, "b_neg": 1}
        fields |= {f"a_{name}": width for name, width in line_widths(element).items()}
        fields |= {f"b_{name}": width for name, width in multiple_widths(element).items()}
        self._fields = {name: In(width) for name, width in fields.items()}
        super().__init__(self._fields | {"o": Out(len(self.factors))})

    def elaborate(self, platform):
        m = Module()
        multiples = {each: getattr(self, f"b_x{each}") for each in MULTIPLES}
        magnitude = selected(self._element, self.a_lines, self.a_lows, multiples)
        neg = self.a_neg ^ self.b_neg
        m.d.comb += self.o.eq(Cat(magnitude ^ neg.replicate(len(magnitude)), neg))
        return m

"""The cell of a matrix unit: K products and a binary32 accumulator."""

from amaranth.hdl import Module, Mux, Signal

from .cell import Cell
from .fused import FusedSum
from .lane import Sharing
from .operand import part
from .pipeline import Pipeline


class FusedCell(Cell):
    """Dot product of decoded operands, block scales and a binary32 accumulator.

    Function  ``acc = round(trunc(c) + sum(trunc(addend)))``, ``c`` the old ``acc`` or, with
              ``first``, the port's: addends are aligned to the largest exponent, truncated, summed
              exactly, and rounded once; for every ``length`` products, one after the other.
    Formats   Pairs of BlockFormats with float or integer elements and block scales of 8 bits, or
              none.
    Shapes    ``a``, ``b``: ``operand_layout(fmt, k)``; ``c``, ``acc``: binary32.
    Widths    The aligned sum holds every carry.
    Timing    Latency 1 and one for each of the ``pipeline`` stages inside: 1 before the
              accumulator, 3 after the sums, 4 after the products (2 lies at the operands' edge).
              One step a cycle while ``en``.
    Errors    None beyond those of the parts.
    Source    NUMERICS, section 4. Golden: ``golden.arith.mac_step``, ``golden.presets``.
    """

    def __init__(
        self,
        fmt_a,
        fmt_b,
        k,
        rule,
        *,
        size,
        length=None,
        pipeline=0,
        acc="fp32",
        sharing=Sharing.ALONE,
    ):
        super().__init__(fmt_a, fmt_b, k, acc, pipeline, sharing, size)
        self._length = length or k
        self._sum = FusedSum(fmt_a, fmt_b, self._length, rule, size)
        self.parameters = {"fraction_bits": rule.fraction_bits, "products_per_sum": self._length}
        self.parameters["alignment"] = self._sum.alignment

    def elaborate(self, platform):
        m = Module()
        pipe = Pipeline(m, self.en, self._pipeline)

        # Multiply, reduce, scale.
        prepared = []
        for i in range(0, self.k, self._length):
            prefix = f"sum{i // self._length}_" if self._length < self.k else ""
            a, b = (
                part(operand, fmt, i, self._length)
                for operand, fmt in ((self.a, self.a_format), (self.b, self.b_format))
            )
            prepared.append(self._sum.prepare(m, platform, a, b, pipe, prefix))
        valid, first, c = (pipe(value, 4, 3, 1) for value in (self.valid, self.first, self.c))

        # Accumulate.
        acc = Mux(first, c, self.acc)
        for addends in prepared:
            start = Signal(32, name=f"{addends.prefix}start")
            m.d.comb += start.eq(acc)
            acc = self._sum.finish(m, platform, addends, start)
        with m.If(self.en & valid):
            m.d.sync += self.acc.eq(acc)
        return m

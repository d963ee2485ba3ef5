"""The integer cell of a matrix unit: K products and a two's complement accumulator that wraps."""

from amaranth.hdl import Module, Mux, Signal

from .cell import Cell
from .heap import BitHeap
from .lane import Sharing
from .lanes import group_sums
from .pipeline import Pipeline


class IntCell(Cell):
    """Dot product of decoded integers and a two's complement accumulator.

    Function  ``acc = (first ? c : acc) + sum(a[k] * b[k])`` modulo ``2**32``, in units of both
              elements' ulps.
    Formats   Pairs of integer formats; their binary32 scales are applied outside.
    Shapes    ``a``, ``b``: ``operand_layout(fmt, k)``.
    Widths    ``c``, ``acc``: 32 bits, two's complement.
    Timing    Latency 1 and one for each of the ``pipeline`` stages inside, as :class:`FusedCell`.
    Errors    None beyond those of the parts.
    Source    NUMERICS, section 4, ``int32``. Golden: ``golden.matmul``.
    """

    def __init__(self, fmt_a, fmt_b, k, pipeline=0, *, sharing=Sharing.ALONE):
        super().__init__(fmt_a, fmt_b, k, "int32", pipeline, sharing)
        self.parameters = {}

    def elaborate(self, platform):
        m = Module()
        pipe = Pipeline(m, self.en, self._pipeline)

        # Multiply and reduce.
        lanes = [[operand.lanes[i] for i in range(self.k)] for operand in (self.a, self.b)]
        sums = group_sums(m, platform, "lanes", self.a_format, self.b_format, *lanes, pipe)
        total = pipe(sums[""].total, 3, 1)

        # Accumulate.
        valid, first, c = (pipe(value, 4, 3, 1) for value in (self.valid, self.first, self.c))
        heap, start = BitHeap(32), Signal(32)
        m.d.comb += start.eq(Mux(first, c, self.acc))
        heap.add_unsigned(start)
        heap.add_signed(total)
        following = heap.total(m, platform, "following")
        with m.If(self.en & valid):
            m.d.sync += self.acc.eq(following)
        return m

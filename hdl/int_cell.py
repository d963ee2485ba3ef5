"""The integer cell of a matrix unit: K products and a two's complement accumulator that wraps."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .lanes import group_sums, multiplies_integers
from .library import Shared
from .naming import pair_name
from .operand import operand_layout
from .pipeline import Pipeline


class IntCell(Shared):
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

    part = "accumulator"
    result_width = 32

    def __init__(self, fmt_a, fmt_b, k, pipeline=0):
        self.a_format, self.b_format, self.k, self._pipeline = fmt_a, fmt_b, k, pipeline
        self.latency = 1 + Pipeline.depth(pipeline)
        self.parameters = {}
        self.module_name = f"cell_{pair_name(fmt_a, fmt_b)}_k{k}_int32"
        raw = multiplies_integers(fmt_a, fmt_b)
        super().__init__(
            {
                "en": In(1),
                "valid": In(1),
                "first": In(1),
                "c": In(32),
                "a": In(operand_layout(fmt_a, k, raw)),
                "b": In(operand_layout(fmt_b, k, raw)),
                "acc": Out(32, init=0),
            }
        )

    def elaborate(self, platform):
        m = Module()
        pipe = Pipeline(m, self.en, self._pipeline)

        # Multiply and reduce.
        lanes = [[operand.lanes[i] for i in range(self.k)] for operand in (self.a, self.b)]
        sums = group_sums(m, platform, "lanes", self.a_format, self.b_format, *lanes, pipe)
        total = pipe(sums[""][0], 3, 1)

        # Accumulate.
        valid, first, c = (pipe(value, 4, 3, 1) for value in (self.valid, self.first, self.c))
        following = Signal(32)
        m.d.comb += following.eq((Mux(first, c, self.acc) + total)[:32])
        with m.If(self.en & valid):
            m.d.sync += self.acc.eq(following)
        return m

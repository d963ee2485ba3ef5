"""The cell of a matrix unit: K products and a binary32 accumulator."""

from types import SimpleNamespace

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .fused import FusedSum
from .lanes import multiplies_integers
from .library import Shared
from .naming import pair_name
from .operand import operand_layout, scale_count
from .pipeline import Pipeline


class FusedCell(Shared):
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

    part = "accumulator"
    result_width = 32

    def __init__(self, fmt_a, fmt_b, k, rule, *, size, length=None, pipeline=0, acc="fp32"):
        self.a_format, self.b_format, self.k, self._pipeline = fmt_a, fmt_b, k, pipeline
        self._length = length or k
        self._sum = FusedSum(fmt_a, fmt_b, self._length, rule, size)
        self.parameters = {"fraction_bits": rule.fraction_bits, "products_per_sum": self._length}
        self.latency = 1 + Pipeline.depth(pipeline)
        self.module_name = f"cell_{pair_name(fmt_a, fmt_b)}_k{k}_{acc}"
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


def part(operand, fmt, start, length):
    """``length`` elements of a decoded operand from ``start`` on, with their scales."""
    fields = {"lanes": [operand.lanes[i] for i in range(start, start + length)]}
    members = operand.shape().members
    if "scales" in members:
        first, count = scale_count(fmt, start), scale_count(fmt, length)
        fields["scales"] = [operand.scales[i] for i in range(first, first + count)]
    if "nan" in members:
        fields["nan"] = operand.nan
    return SimpleNamespace(**fields)

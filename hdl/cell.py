"""What every cell of a matrix unit has in common."""

from types import MappingProxyType

from amaranth.lib.wiring import In, Out

from .lane import Sharing, forms
from .naming import pair_name
from .operand import operand_layout
from .pipeline import Pipeline
from .shared import Shared


class Cell(Shared):
    """One accumulator of a matrix unit with what feeds it; its kinds say what ``acc`` becomes.

    Function  That of its kind; ``acc`` changes with ``valid`` and starts from ``c`` with ``first``.
    Formats   Those of its kind.
    Shapes    ``a``, ``b``: ``operand_layout(fmt, k)``; ``c``: where ``acc`` starts; ``results``:
              the outputs.
    Widths    ``results`` has those of the outputs.
    Timing    ``own_latency``, and one for each of the ``pipeline`` stages inside: 1 before the
              accumulator, 3 after the sums, 4 after the products (2 lies at the operands' edge).
              One step a cycle while ``en``.
    Errors    None beyond those of the parts.
    Source    NUMERICS, section 4.
    """

    part = "accumulator"
    results = MappingProxyType({"acc": 32})
    own_latency = 1

    def __init__(self, fmt_a, fmt_b, k, acc, pipeline, sharing=Sharing.ALONE, group=None):
        """``group``: how many products are summed at once, all if None."""
        self.a_format, self.b_format, self.k, self._pipeline = fmt_a, fmt_b, k, pipeline
        self.group = group or k
        self.latency = self.own_latency + Pipeline.depth(pipeline)
        self.module_name = f"cell_{pair_name(fmt_a, fmt_b)}_k{k}_{acc}"
        # A product that is an addend of its own takes its element's fields.
        self.forms = forms(fmt_a, fmt_b, sharing if self.group > 1 else Sharing.ALONE)
        super().__init__(
            {
                "en": In(1),
                "valid": In(1),
                "first": In(1),
                "c": In(self.results["acc"]),
                "a": In(operand_layout(fmt_a, k, self.forms[0])),
                "b": In(operand_layout(fmt_b, k, self.forms[1])),
                **{name: Out(width, init=0) for name, width in self.results.items()},
            }
        )

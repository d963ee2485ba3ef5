"""Pipeline stages: where registers may cut a cell, and the registers."""

from amaranth.hdl import Const, Signal, Value

# In the order in which they are spent; 2 lies between the operands' decoders and the cells.
STAGES = {1: "before the accumulator", 3: "after the sums", 4: "after the products"}
EDGE_STAGE = 2
DEEPEST = 4


class Pipeline:
    """Registers of the first ``stages`` places, enabled by ``en``."""

    def __init__(self, m, en, stages):
        self._m, self._en, self._stages = m, en, stages

    @staticmethod
    def depth(stages):
        """How many of the first ``stages`` places lie inside a cell."""
        return sum(stage <= stages for stage in STAGES)

    def __call__(self, value, *places):
        """``value`` behind a register for each of ``places`` that the pipeline has.

        A constant needs none, and Verilator 5.048 would lose the enable of 65 of them in a block.
        """
        if isinstance(Value.cast(value), Const):
            return value
        for place in places:
            if place <= self._stages:
                name = getattr(value, "name", "value")
                register = Signal(Value.cast(value).shape(), name=f"{name}_q", reset_less=True)
                with self._m.If(self._en):
                    self._m.d.sync += register.eq(value)
                value = register
        return value

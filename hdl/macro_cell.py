"""The cell for macro blocks: partial sums rescaled by two reciprocals, then added in binary32."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib.wiring import In

from .binary32 import AddBinary32, MultiplyBinary32
from .fused_cell import FusedCell
from .pipeline import Pipeline
from .shared import Shared, place


class MacroCell(Shared):
    """Partial sums of macro blocks, their factors, and the running binary32 sum.

    Function  ``acc = (first ? c : acc) + partial * (1 / f_a * 1 / f_b)`` with every ``boundary``;
              ``partial`` is a :class:`FusedCell`'s sum from ``start`` to ``boundary``, from zero.
    Formats   Those of FusedCell, at least one of them with a macro-block factor.
    Shapes    ``a``, ``b``: ``operand_layout(fmt, k)``; ``c``, ``acc``: binary32.
    Widths    Each product and each sum is rounded to binary32, nearest even.
    Timing    FusedCell's latency and 1. One step a cycle while ``en``.
    Errors    None beyond those of the parts.
    Source    arXiv 2603.08713, 4.3. The reciprocals' product is rounded first: our choice.
              Golden: ``golden.product``.
    """

    part = "accumulator"
    results = FusedCell.results

    def __init__(self, partial: FusedCell, macro_size, pipeline=0):
        self._partial, self._pipeline = partial, pipeline
        self.a_format, self.b_format, self.k = partial.a_format, partial.b_format, partial.k
        self.forms, self.group = partial.forms, partial.group
        self.macro_steps = macro_size // self.k
        self.parameters = partial.parameters | {"macro_block": macro_size}
        self.latency = partial.latency + 1
        self.module_name = f"{partial.module_name}_macro"
        super().__init__(partial.members | {"start": In(1), "boundary": In(1)})

    def elaborate(self, platform):
        m = Module()

        # Sum one macro block from zero.
        ports = {"en": self.en, "valid": self.valid, "first": self.start, "c": Const(0, 32)}
        cell = self._partial
        partial = place(m, platform, "partial", cell, clocked=True, a=self.a, b=self.b, **ports).acc

        # Multiply the reciprocals of both factors.
        reciprocals = [
            operand.reciprocal
            for operand in (self.a, self.b)
            if "reciprocal" in operand.shape().members
        ]
        factor = reciprocals[0]
        if len(reciprocals) == 2:
            both = {"a": reciprocals[0], "b": reciprocals[1]}
            factor = place(m, platform, "factor", MultiplyBinary32(), **both).o

        # Remember where the product starts until its first macro block ends.
        fresh, start_c = Signal(), Signal(32, reset_less=True)
        with m.If(self.en & self.valid):
            m.d.sync += fresh.eq((self.first | fresh) & ~self.boundary)
            with m.If(self.first):
                m.d.sync += start_c.eq(self.c)
        is_fresh, c = self.first | fresh, Mux(self.first, self.c, start_c)

        # Rescale and add, when the partial sum is there.
        late = [factor, is_fresh, c, self.valid & self.boundary]
        pipe = Pipeline(m, self.en, self._pipeline)
        factor, is_fresh, c, done = (self._follow(m, pipe(value, 4, 3, 1)) for value in late)
        product = place(m, platform, "product", MultiplyBinary32(), a=partial, b=factor).o
        before = Mux(is_fresh, c, self.acc)
        total = place(m, platform, "total", AddBinary32(), a=before, b=product).o
        with m.If(self.en & done):
            m.d.sync += self.acc.eq(total)
        return m

    def _follow(self, m, value):
        """``value`` one enabled cycle later."""
        register = Signal(len(value))
        with m.If(self.en):
            m.d.sync += register.eq(value)
        return register

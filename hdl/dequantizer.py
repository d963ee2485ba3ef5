"""Dequantizers: element codes and what they are multiplied by in, floats out."""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import BF16, FP32

from .factor import Factor
from .narrow import RoundBfloat16
from .operand import reciprocals
from .scaled_element import ScaledElement, by_side, is_exact, sides_of
from .shared import Shared, place

RESULTS = {fmt.name: fmt for fmt in (FP32, BF16)}


class Dequantizer(Shared):
    """One group a cycle, every lane beside the others.

    Function  ``o_x[k] = i_elems[k] * factor``, binary32, rounded at most once; bfloat16 is that
              result rounded.
    Formats   Any BlockFormat without zero points.
    Shapes    ``i_elems``: ``count`` codes, lane 0 in the low bits; ``i_scales``: a byte a block and
              side, the positive side first, or ``i_scale``: binary32; ``i_tensor_scale``: binary32;
              ``i_macro``: the code of the macro-block factor; ``o_x``: ``count`` floats.
    Widths    Exact until the result is rounded.
    Timing    Latency 1; one group a cycle while ``en``.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.dequantizer.dequantize_blocks``.
    """

    latency = 1

    def __init__(self, fmt, out, count, name):
        self._fmt, self._out, self._count = fmt, RESULTS[out], count
        self._block = fmt.block_size if fmt.has_block_scale and fmt.block_size else count
        self.parameters = {}
        self.module_name = f"{name}_core"
        super().__init__(
            {
                "en": In(1),
                "i_valid": In(1),
                "i_elems": In(count * fmt.element.width),
                **{name: In(width) for name, width in self._factor_inputs().items()},
                "o_valid": Out(1),
                "o_x": Out(count * self._out.width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fmt, element = self._fmt, self._fmt.element

        # What the elements of each block are multiplied by.
        blocks = [{}]
        factor = Factor(fmt) if fmt.scale is not None else None
        if factor is not None:
            blocks = self._factors(m, platform, factor)

        # Multiply. What binary32 cannot hold is rounded to it first.
        twice = self._out is BF16 and not is_exact(element, factor, FP32)
        lane = ScaledElement(element, factor, fmt.sides, FP32 if twice else self._out)
        results = []
        for k in range(self._count):
            code = self.i_elems.word_select(k, element.width)
            x = place(m, platform, f"lane{k}", lane, code=code, **blocks[k // self._block]).o
            results.append(place(m, platform, f"narrow{k}", RoundBfloat16(), i=x).o if twice else x)

        # Register.
        with m.If(self.en):
            m.d.sync += [self.o_valid.eq(self.i_valid), self.o_x.eq(Cat(results))]
        return m

    def _factor_inputs(self):
        """Widths of the ports beside the elements."""
        fmt = self._fmt
        inputs = {}
        if fmt.scale is not None:
            name = "i_scales" if fmt.has_block_scale else "i_scale"
            inputs[name] = self._count // self._block * fmt.sides * fmt.scale.width
        if fmt.tensor_scale:
            inputs["i_tensor_scale"] = FP32.width
        if fmt.macro is not None:
            inputs["i_macro"] = fmt.macro.factor.width
        return inputs

    def _factors(self, m, library, factor):
        """What the lanes of each block are told."""
        fmt = self._fmt
        codes = self.i_scales if fmt.has_block_scale else self.i_scale
        shared = {"t": self.i_tensor_scale} if fmt.tensor_scale else {}
        if fmt.macro is not None:
            undo = shared["undo"] = Signal(FP32.mantissa_width + 1, name="undo")
            m.d.comb += undo.eq(Array(reciprocals(fmt.macro))[self.i_macro][: len(undo)])
        told = []
        for block in range(self._count // self._block):
            nans, ports = [], {}
            for i, side in enumerate(sides_of(fmt.sides)):
                code = codes.word_select(block * fmt.sides + i, fmt.scale.width)
                found = place(m, library, f"factor{block}{side}", factor, code=code, **shared)
                nans.append(found.nan)
                ports |= {name + side: getattr(found, name) for name in by_side(factor)}
            told.append({"nan": Cat(nans).any(), **ports})
        return told

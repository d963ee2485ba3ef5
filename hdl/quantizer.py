"""Quantizers: a block of floats in, element codes and scale codes out."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .largest import Largest
from .power_lane import PowerLane, bases, is_fixed, needs_leading_one
from .scale_choice import ChooseScale, Significance
from .shared import Shared, place
from .source import SOURCES, normal_float, raw_float


class Quantizer(Shared):
    """One block a cycle, every lane beside the others.

    Function  ``o_elems[k] = nearest(i_x[k] / scale)``, ``o_scales`` by the format's rule.
    Formats   BlockFormats with block scales; ``source``: fp32, bf16 or fp16.
    Shapes    ``i_x``: ``lanes`` floats, lane 0 in the low bits; ``o_elems``: as many codes;
              ``o_scales``: a byte, or two (the positive side first).
    Widths    Exact: no quotient is rounded before the element is.
    Timing    Latency 1 and ``pipeline``; one block a cycle while ``en``.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.quantize``.
    """

    def __init__(self, fmt, source, name):
        self._fmt, self._source = fmt, SOURCES[source]
        self._lanes = fmt.block_size
        self.latency = 1
        self.parameters = {}
        self.module_name = f"{name}_core"
        super().__init__(
            {
                "en": In(1),
                "i_valid": In(1),
                "i_x": In(self._lanes * self._source.width),
                "o_valid": Out(1),
                "o_elems": Out(self._lanes * fmt.element.width),
                "o_scales": Out(8 * fmt.sides),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fmt, source = self._fmt, self._source
        codes = [self.i_x.word_select(k, source.width) for k in range(self._lanes)]

        # Find the largest magnitude of each side.
        if source.exponent_width < 8:
            xs = [normal_float(m, platform, f"x{k}", code, source) for k, code in enumerate(codes)]
        else:
            xs = [raw_float(code, source) for code in codes]
        choice = Significance(fmt, source, xs[0].bias)
        keys = [choice.key(x) for x in xs]
        sides = {"": None} if fmt.sides == 1 else {"p": False, "n": True}
        scales, fields = [], []
        for side, negative in sides.items():
            largest = Largest(len(xs), len(keys[0]), bool(side))
            taken = {"taken": Cat(x.neg == negative for x in xs)} if side else {}
            top = place(m, platform, f"largest{side}", largest, i=Cat(keys), **taken).o
            fields.append(top[len(top) - len(xs[0].field) :])
            scale = ChooseScale(choice, len(xs[0].field), self.module_name)
            code = place(m, platform, f"scale{side}", scale, key=top).code
            scales.append(code)

        largest_field = (1 << source.exponent_width) - 1 + xs[0].bias - source.bias
        special = Cat(field == largest_field for field in fields).any()
        is_zero = ~Cat(*fields, *(x.fraction.any() for x in xs)).any()

        # Scale and round every element.
        clear = special | is_zero
        normalized = needs_leading_one(fmt, source)
        bias = source.bias + (source.mantissa_width if normalized else 0) - fmt.scale.bias
        bias += fmt.element.max_exponent if is_fixed(fmt.element) else 0
        lane = PowerLane(fmt, source)
        ports = {name: (code + bias)[:10] for name, code in zip(bases(fmt), scales)}
        elements = [
            place(m, platform, f"lane{k}", lane, x=code, clear=clear, **ports).o
            for k, code in enumerate(codes)
        ]

        # Register.
        nan = Const((1 << fmt.scale.exponent_width + fmt.scale.mantissa_width) - 1, 8)
        with m.If(self.en):
            m.d.sync += [
                self.o_valid.eq(self.i_valid),
                self.o_elems.eq(Cat(elements)),
                self.o_scales.eq(Cat(Mux(special, nan, code) for code in scales)),
            ]
        return m

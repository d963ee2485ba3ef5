"""Quantizers: groups of floats in, element codes and scale codes out."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from .shared import Shared, place
from .source import SOURCES

STAGES = {1: "before the lanes", 2: "after the largest magnitudes"}
DEEPEST = 2


class Quantizer(Shared):
    """One group a cycle, every lane beside the others.

    Function  ``o_elems[k] = nearest(i_x[k] / scale)``, the scale by the format's rule or given.
    Formats   BlockFormats with a scale; ``source``: fp32, bf16 or fp16.
    Shapes    ``i_x``: ``count`` floats, lane 0 in the low bits; ``o_elems``: as many codes;
              ``o_scales``: a byte a block and side, the positive side first; other ports as the
              ``scales`` have them.
    Widths    Exact: no quotient is rounded before the element is.
    Timing    Latency 1 and ``pipeline``; one group a cycle while ``en``.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.quantizer.quantize_blocks``.
    """

    def __init__(self, scales, source, count, width, name, pipeline=0):
        """``scales``: what decides, such as :class:`PowerScales`; ``width``: of an element."""
        self._scales, self._source = scales, SOURCES[source]
        self._count, self._pipeline = count, pipeline
        self.latency = 1 + pipeline
        self.parameters = {}
        self.module_name = f"{name}_core"
        super().__init__(quantizer_ports(scales, self._source.width, count, width))

    def elaborate(self, platform):
        m = Module()
        scales = self._scales
        valid = self.i_valid
        x = [self.i_x.word_select(k, self._source.width) for k in range(self._count)]
        inputs = {name: getattr(self, f"i_{name}") for name in scales.inputs}

        # Summarize, decide, convert.
        keys = scales.summarize(m, platform, x)
        if self._pipeline >= 2:
            flat = [key for block in keys for key in block]
            valid, *rest = delayed(m, self.en, "summary", valid, *x, *inputs.values(), *flat)
            x, rest = rest[: len(x)], rest[len(x) :]
            inputs, rest = dict(zip(inputs, rest)), rest[len(inputs) :]
            keys = [[rest.pop(0) for _ in block] for block in keys]
        told, results = scales.decide(m, platform, keys, inputs)
        if self._pipeline >= 1:
            flat = [value for block in told for value in block.values()]
            valid, *rest = delayed(m, self.en, "decision", valid, *x, *flat, *results.values())
            x, rest = rest[: len(x)], rest[len(x) :]
            told = [{name: rest.pop(0) for name in block} for block in told]
            results = dict(zip(results, rest))
        elements = convert(m, platform, scales, x, told)

        # Register.
        with m.If(self.en):
            m.d.sync += [self.o_valid.eq(valid), self.o_elems.eq(Cat(elements))]
            m.d.sync += [getattr(self, f"o_{name}").eq(value) for name, value in results.items()]
        return m


def quantizer_ports(scales, source_width, count, width):
    """Ports of a core that takes ``count`` floats and gives as many codes."""
    return {
        "en": In(1),
        "i_valid": In(1),
        "i_x": In(count * source_width),
        **{f"i_{name}": In(size) for name, size in scales.inputs.items()},
        "o_valid": Out(1),
        "o_elems": Out(count * width),
        **{f"o_{name}": Out(size) for name, size in scales.outputs.items()},
    }


def convert(m, library, scales, x, told):
    """The codes of floats whose blocks lie one after the other, all of one length."""
    size = len(x) // len(told)
    return [
        place(m, library, f"lane{k}", scales.lane, x=code, **told[k // size]).o
        for k, code in enumerate(x)
    ]


def delayed(m, en, name, valid, *values):
    """``valid`` and values an enabled cycle later."""
    registers = [Signal(name=f"{name}_valid")]
    for i, value in enumerate(values):
        shape = Value.cast(value).shape()
        registers.append(Signal(shape, name=f"{name}{i}", reset_less=True))
    with m.If(en):
        m.d.sync += [q.eq(value) for q, value in zip(registers, (valid, *values))]
    return registers

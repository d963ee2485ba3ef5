"""From a configuration to its core."""

from golden.arith import default_fraction_bits
from golden.fused import Accumulator
from golden.presets import PRESETS
from golden.tables import addend_size
from hdl.dot import Dot
from hdl.exact_cell import ExactCell
from hdl.fused_cell import FusedCell
from hdl.int_cell import IntCell
from hdl.macro_cell import MacroCell
from hdl.matrix import Matrix


def core(configuration):
    """The component of fixed latency that a configuration's streams surround."""
    c = configuration
    if c.unit == "dot":
        return Dot(c.a, c.b, c.k)
    return Matrix(cell(c), c.m, c.n, c.name, with_c=True, pipeline=c.pipeline)


def cell(configuration):
    """The multiply-accumulate cell of a mac or a tile."""
    c = configuration
    if c.acc == "int32":
        return IntCell(c.a, c.b, c.k, c.pipeline)
    if c.acc in PRESETS:
        preset = PRESETS[c.acc]
        rule, size, length = preset.accumulator, preset.size, preset.length
    else:
        rule = Accumulator(c.fraction or default_fraction_bits(c.a, c.b))
        size, length = addend_size(c.a, c.b, c.k), c.k
    if c.acc == "exact":
        return ExactCell(c.a, c.b, c.k, c.window, size=size, pipeline=c.pipeline)
    options = {"size": size, "length": length, "pipeline": c.pipeline, "acc": c.acc}
    fused = FusedCell(c.a, c.b, c.k, rule, **options)
    macros = [fmt.macro for fmt in (c.a, c.b) if fmt.macro is not None]
    return MacroCell(fused, macros[0].size, c.pipeline) if macros else fused

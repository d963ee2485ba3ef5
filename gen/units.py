"""From a configuration to its hardware."""

from golden.arith import default_fraction_bits
from golden.fused import Accumulator
from golden.presets import PRESETS
from golden.tables import addend_size
from hdl.dot import Dot
from hdl.exact_cell import ExactCell
from hdl.fused_cell import FusedCell
from hdl.int_cell import IntCell
from hdl.lane import Sharing
from hdl.macro_cell import MacroCell
from hdl.matrix import Mac
from hdl.narrow import RoundBfloat16
from hdl.stream import Stream
from hdl.tile import Tile


def component(configuration) -> Stream | Tile:
    """The hardware of a configuration, streams around it."""
    c = configuration
    if c.unit == "tile":
        narrow = RoundBfloat16() if c.out == "bf16" else None
        return Tile(cell(c), c.m, c.n, c.name, c.pipeline, narrow)
    core = Dot(c.a, c.b, c.k) if c.unit == "dot" else Mac(cell(c), c.name, c.pipeline)
    return Stream(core, c.name)


def cell(configuration):
    """The multiply-accumulate cell of a mac or a tile."""
    c = configuration
    sharing = Sharing.of(c.m, c.n, c.k, c.pipeline)
    if c.acc == "int32":
        return IntCell(c.a, c.b, c.k, c.pipeline, sharing=sharing)
    if c.acc in PRESETS:
        preset = PRESETS[c.acc]
        rule, size, length = preset.accumulator, preset.size, preset.length
    else:
        rule = Accumulator(c.fraction or default_fraction_bits(c.a, c.b))
        size, length = addend_size(c.a, c.b, c.k), c.k
    if c.acc == "exact":
        options = {"size": size, "pipeline": c.pipeline, "sharing": sharing}
        return ExactCell(c.a, c.b, c.k, c.window, **options)
    options = {"size": size, "length": length, "pipeline": c.pipeline, "acc": c.acc}
    options["sharing"] = sharing
    fused = FusedCell(c.a, c.b, c.k, rule, **options)
    macros = [fmt.macro for fmt in (c.a, c.b) if fmt.macro is not None]
    return MacroCell(fused, macros[0].size, c.pipeline) if macros else fused

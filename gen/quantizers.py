"""From a quantizer's format to what decides its scales."""

from golden.formats import BlockFormat
from hdl.quantizer_macro import MacroScales
from hdl.quantizer_power import PowerScales
from hdl.quantizer_small import SmallScales
from hdl.quantizer_wide import GivenScales, TensorScales
from hdl.source import SOURCES


def scales_of(fmt: BlockFormat, source: str):
    """The class that decides a format's scales, for one group of floats called ``source``."""
    kind: type
    if fmt.scale is None or not fmt.has_block_scale:
        kind = GivenScales
    elif fmt.macro is not None:
        kind = MacroScales
    elif fmt.tensor_scale:
        kind = TensorScales
    else:
        kind = SmallScales if fmt.scale.mantissa_width else PowerScales
    return kind(fmt, SOURCES[source])

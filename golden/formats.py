"""Element, scale and block formats, and the catalogue of named ones.

Every rule a format follows is a field, so that a new format is a value: take a catalogue entry and
:func:`dataclasses.replace` what differs. Sources: OCP Microscaling Formats (MX) v1.0, OCP FP8 v1.0,
arXiv 2311.05161 (dINT), arXiv 2411.09909 (AMXFP4), arXiv 2603.08713 (OAS, MBS), NVIDIA NVFP4.
"""

from dataclasses import dataclass
from os import PathLike

from golden.elements import DenormalIntFormat, ElementFormat, FloatFormat, IntFormat

SCALE_RULES = ("floor", "ceil", "rceil", "even", "oas", "amax")
ROUNDINGS = ("nearest_even", "nearest_away")


@dataclass(frozen=True)
class Macro:
    """A macro block: ``size`` elements are multiplied by a shared factor in [1, 2) at first.

    ``method``: "static" (from the largest magnitude), "dynamic" (smallest squared error of 16
    factors) or "hybrid" (dynamic for weights, static for activations). arXiv 2603.08713, 4.3.
    """

    size: int
    factor: FloatFormat
    method: str = "hybrid"


@dataclass(frozen=True)
class BlockFormat:
    """How a tensor is stored: elements, the scales they share, and the rules that choose both.

    ``block_size``: elements per scale along the dot-product axis; None is the whole row.
    ``sides``: 2 gives the positive and the negative elements of a block a scale each.
    ``tensor_scale``: whether one more binary32 scale covers the whole tensor.
    """

    name: str
    element: ElementFormat
    scale: FloatFormat | None = None
    block_size: int | None = None
    scale_rule: str = "floor"
    rounding: str = "nearest_even"
    sides: int = 1
    tensor_scale: bool = False
    macro: Macro | None = None

    @property
    def has_block_scale(self) -> bool:
        """Whether blocks carry a scale code; binary32 scales are applied outside matrix units."""
        return self.scale is not None and self.scale.width <= 8

    @property
    def bits_per_element(self) -> float:
        """Storage per element, scales included; a scale per row or tensor counts as nothing."""
        bits = float(self.element.width)
        if self.scale is not None and self.block_size is not None:
            bits += self.sides * self.scale.width / self.block_size
        if self.macro is not None:
            bits += self.macro.factor.width / self.macro.size
        if isinstance(self.element, DenormalIntFormat) and self.element.asymmetric:
            bits += 0 if self.block_size is None else self.element.width / self.block_size
        return bits


E2M1 = FloatFormat("e2m1", 4, 2, 1, 1)
E2M3 = FloatFormat("e2m3", 6, 2, 3, 1)
E3M2 = FloatFormat("e3m2", 6, 3, 2, 3)
E4M3 = FloatFormat("e4m3", 8, 4, 3, 7, "nan")
E5M2 = FloatFormat("e5m2", 8, 5, 2, 15, "ieee")
BF16 = FloatFormat("bf16", 16, 8, 7, 127, "ieee")
FP16 = FloatFormat("fp16", 16, 5, 10, 15, "ieee")
MXINT8 = IntFormat("mxint8", 8, 6)
INT8 = IntFormat("int8", 8)
INT4 = IntFormat("int4", 4)
DINT4 = DenormalIntFormat("dint4", 4, zero_point=7)
DINT4_ASYM = DenormalIntFormat("dint4_asym", 4, zero_point=0, asymmetric=True)

E8M0 = FloatFormat("e8m0", 8, 8, 0, 127, "nan", signed=False, subnormals=False)
UE4M3 = FloatFormat("ue4m3", 8, 4, 3, 7, "nan", signed=False)
UE5M2 = FloatFormat("ue5m2", 8, 5, 2, 15, "ieee", signed=False)
E0M8 = FloatFormat("e0m8", 8, 0, 8, 0, signed=False, subnormals=False)
FP32 = FloatFormat("fp32", 32, 8, 23, 127, "ieee")

ELEMENTS = {
    f.name: f
    for f in (E2M1, E2M3, E3M2, E4M3, E5M2, BF16, FP16, MXINT8, INT8, INT4, DINT4, DINT4_ASYM)
}
SCALES = {f.name: f for f in (E8M0, UE4M3, UE5M2, E0M8, FP32)}

FORMATS = {
    f.name: f
    for f in (
        BlockFormat("mxfp8_e4m3", E4M3, E8M0, 32),
        BlockFormat("mxfp8_e5m2", E5M2, E8M0, 32),
        BlockFormat("mxfp6_e3m2", E3M2, E8M0, 32),
        BlockFormat("mxfp6_e2m3", E2M3, E8M0, 32),
        BlockFormat("mxfp4", E2M1, E8M0, 32),
        BlockFormat("mxint8", MXINT8, E8M0, 32),
        BlockFormat("mxfp4_oas", E2M1, E8M0, 32, "oas"),
        BlockFormat("mxfp4_mbs", E2M1, E8M0, 32, "oas", macro=Macro(128, E0M8)),
        BlockFormat("nvfp4", E2M1, UE4M3, 16, "amax", tensor_scale=True),
        BlockFormat("amxfp4", E2M1, UE5M2, 32, "amax", "nearest_away", sides=2),
        BlockFormat("amxfp4_e8m0", E2M1, E8M0, 32, "floor", "nearest_away", sides=2),
        BlockFormat("int8", INT8, FP32, None, "amax"),
        BlockFormat("int4", INT4, FP32, None, "amax"),
        BlockFormat("dint4", DINT4, FP32, None, "amax", "nearest_away"),
        BlockFormat("dint4_asym", DINT4_ASYM, FP32, None, "amax", "nearest_away"),
        BlockFormat("bf16", BF16),
        BlockFormat("fp16", FP16),
        BlockFormat("fp8_e4m3", E4M3),
        BlockFormat("fp8_e5m2", E5M2),
    )
}


def list_formats() -> list[str]:
    """Names of the catalogue's formats, in its order.

    >>> list_formats()[4]
    'mxfp4'
    """
    return list(FORMATS)


def get_format(name: str) -> BlockFormat:
    """The catalogue's format of that name, or the one that the TOML file of that path describes.

    Raises ValueError for an unknown name and lists the known ones; for a file as
    :func:`golden.userformat.load_format` does.

    >>> get_format("mxfp4").block_size
    32
    """
    if str(name).endswith(".toml"):
        from golden.userformat import load_format  # which builds on this module

        return load_format(name)
    try:
        return FORMATS[name]
    except KeyError:
        raise ValueError(f"Format must be one of {', '.join(FORMATS)}, not {name!r}") from None


def resolve(fmt: "BlockFormat | str | PathLike") -> BlockFormat:
    """A format as it is, or :func:`get_format` of a name. Raises TypeError for anything else.

    >>> resolve("mxfp4") is resolve(FORMATS["mxfp4"])
    True
    """
    if isinstance(fmt, BlockFormat):
        return fmt
    if isinstance(fmt, (str, PathLike)):
        return get_format(str(fmt))
    raise TypeError(f"Format must be a BlockFormat or a name, not {fmt!r}")

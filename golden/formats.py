"""Element, scale and block formats, and the catalogue of named ones.

Every rule a format follows is a field, so that a new format is a value: take a catalogue entry and
:func:`dataclasses.replace` what differs. Sources: OCP Microscaling Formats (MX) v1.0, OCP FP8 v1.0,
arXiv 2311.05161 (dINT), arXiv 2411.09909 (AMXFP4), arXiv 2603.08713 (OAS, MBS), NVIDIA NVFP4.
"""

from dataclasses import dataclass
from functools import cached_property
from os import PathLike

import numpy as np

SCALE_RULES = ("floor", "ceil", "rceil", "even", "oas", "amax")
ROUNDINGS = ("nearest_even", "nearest_away")


@dataclass(frozen=True)
class FloatFormat:
    """A floating-point code: sign | exponent | mantissa from the most significant bit.

    ``specials``: "none", "nan" (all ones is NaN, no Inf) or "ieee" (largest exponent is Inf and
    NaN). Without ``signed`` the bits above the exponent are zero; without ``subnormals`` exponent 0
    is an exponent like any other, and there is no zero.
    """

    name: str
    width: int
    exponent_width: int
    mantissa_width: int
    bias: int
    specials: str = "none"
    signed: bool = True
    subnormals: bool = True

    @property
    def min_exponent(self) -> int:
        """Exponent of the smallest normal value, and of every subnormal."""
        return (1 if self.subnormals else 0) - self.bias

    @cached_property
    def max_exponent(self) -> int:
        """Exponent of the largest finite value."""
        return int(np.frexp(self.largest)[1]) - 1

    @cached_property
    def largest(self) -> float:
        """The largest finite value."""
        return float(np.max(self.values, where=np.isfinite(self.values), initial=0.0))

    @property
    def ulp_exponent(self) -> int:
        """Exponent of the smallest subnormal; every finite value is a multiple of its power of
        two.
        """
        return self.min_exponent - self.mantissa_width

    @property
    def has_nan(self) -> bool:
        return self.specials != "none"

    @property
    def has_inf(self) -> bool:
        return self.specials == "ieee"

    @cached_property
    def nan_code(self) -> int | None:
        """The code that marks a NaN (all exponent and mantissa bits set), or None."""
        return (1 << (self.exponent_width + self.mantissa_width)) - 1 if self.has_nan else None

    @cached_property
    def values(self) -> np.ndarray:
        """Value of every code, float64, shape (2**min(width, 16),). Formats wider than 16 bits have
        no table.
        """
        if self.width > 16:
            raise ValueError(f"Width of a value table must be at most 16 bits, not {self.width}")
        code = np.arange(1 << self.width)
        mantissa = code & ((1 << self.mantissa_width) - 1)
        exponent = (code >> self.mantissa_width) & ((1 << self.exponent_width) - 1)
        hidden = (exponent != 0) if self.subnormals else np.ones_like(code)
        scale = np.maximum(exponent, 1 if self.subnormals else 0) - self.bias - self.mantissa_width
        value = np.ldexp(
            (hidden.astype(np.int64) << self.mantissa_width | mantissa).astype(np.float64), scale
        )
        top = exponent == (1 << self.exponent_width) - 1
        all_ones = mantissa == (1 << self.mantissa_width) - 1
        if self.specials == "nan":
            value[top & all_ones] = np.nan
        elif self.specials == "ieee":
            value[top] = np.where(mantissa[top] == 0, np.inf, np.nan)
        sign = code >> (self.exponent_width + self.mantissa_width)
        value = np.where(sign & 1, -value, value) if self.signed else np.where(sign, np.nan, value)
        value.flags.writeable = False
        return value


@dataclass(frozen=True)
class IntFormat:
    """A two's complement integer in units of ``2**-fraction_width``; the most negative code only
    decodes.
    """

    name: str
    width: int
    fraction_width: int = 0

    specials = "none"
    has_nan = False
    has_inf = False
    nan_code = None
    signed = True

    @property
    def largest(self) -> float:
        return ((1 << (self.width - 1)) - 1) / (1 << self.fraction_width)

    @property
    def max_exponent(self) -> int:
        """Exponent of the largest value."""
        return self.width - 2 - self.fraction_width

    @property
    def ulp_exponent(self) -> int:
        return -self.fraction_width

    @cached_property
    def values(self) -> np.ndarray:
        """Value of every code, float64, shape (2**width,)."""
        code = np.arange(1 << self.width)
        value = np.ldexp(
            (code - ((code >> (self.width - 1)) << self.width)).astype(np.float64),
            -self.fraction_width,
        )
        value.flags.writeable = False
        return value


@dataclass(frozen=True)
class DenormalIntFormat:
    """dINT: ``2**width - 2`` uniform levels ``u - zero_point`` and, in the last two codes, +1/2 and
    -1/2 of a step.

    Which code is which, and the zero point 7 of the symmetric form, are our choice; the paper's
    fragments fix only the number of levels and the half steps.
    """

    name: str
    width: int
    zero_point: int
    asymmetric: bool = False

    specials = "none"
    has_nan = False
    has_inf = False
    nan_code = None
    signed = True
    ulp_exponent = -1

    @property
    def levels(self) -> int:
        """How many codes are uniform levels."""
        return (1 << self.width) - 2

    @property
    def largest(self) -> float:
        return float(self.levels - 1 - self.zero_point)

    @property
    def max_exponent(self) -> int:
        return int(np.frexp(self.largest)[1]) - 1

    @cached_property
    def values(self) -> np.ndarray:
        """Value of every code in steps, float64, shape (2**width,)."""
        value = np.append(np.arange(self.levels) - float(self.zero_point), [0.5, -0.5])
        value.flags.writeable = False
        return value


ElementFormat = FloatFormat | IntFormat | DenormalIntFormat


@dataclass(frozen=True)
class Macro:
    """A macro block: ``size`` elements share one factor in [1, 2) that multiplies them before they
    are quantized.

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
        """Whether blocks carry a scale code that the matrix unit sees (binary32 scales are applied
        outside).
        """
        return self.scale is not None and self.scale.width <= 8

    @property
    def bits_per_element(self) -> float:
        """Storage per element, scales included; a whole-row or per-tensor scale counts as
        nothing.
        """
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

"""Values, casts and blocks of golden beside ml_dtypes and gfloat: rows of agreement tables."""

import numpy as np

from golden import dequantize, get_format, quantize
from golden.cast import cast
from golden.formats import E8M0, ELEMENTS, FloatFormat
from golden.interop import dtype_of

SHARED = ("e2m1", "e2m3", "e3m2", "e4m3", "e5m2", "bf16", "fp16")
BLOCKS = ("mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e3m2", "mxfp6_e2m3", "mxfp4", "mxint8")
ALL_BF16 = (np.arange(1 << 16, dtype=np.uint32) << 16).view(np.float32)


def equal(x: np.ndarray, y: np.ndarray) -> str:
    """How many of two arrays' entries are equal, NaN as itself and the sign of zero told apart."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    same = ((x == y) & (np.signbit(x) == np.signbit(y))) | (np.isnan(x) & np.isnan(y))
    return f"{int(same.sum()):,} of {same.size:,}"


def in_range(element: FloatFormat) -> np.ndarray:
    """The bfloat16 values that the element can hold without saturating."""
    return ALL_BF16[np.abs(ALL_BF16) <= element.largest]


def ours(x: np.ndarray, element, away: bool = False) -> np.ndarray:
    """What :func:`golden.cast.cast` makes of ``x``, as values."""
    codes = cast(x.astype(np.float64), element, away).astype(np.int64)
    return element.values[codes & (len(element.values) - 1)]


def ml_dtypes_rows() -> list[list[str]]:
    """A row per element: all codes decoded, all bfloat16 values in range cast."""
    rows = []
    for name in SHARED:
        element, kind = ELEMENTS[name], dtype_of(ELEMENTS[name])
        codes = np.arange(1 << element.width).astype(np.uint8 if element.width <= 8 else np.uint16)
        x = in_range(element)
        with np.errstate(all="ignore"):
            values, casts = codes.view(kind).astype(np.float64), x.astype(kind).astype(np.float64)
        rows.append([f"`{name}`", equal(element.values, values), equal(ours(x, element), casts)])
    codes = np.arange(256, dtype=np.uint8)
    rows.append(["`e8m0`", equal(E8M0.values, codes.view(dtype_of(E8M0)).astype(np.float64)), "-"])
    return rows


def gfloat_rows() -> list[list[str]]:
    """A row per element: codes decoded, finite bfloat16 values cast with both roundings."""
    import gfloat
    from gfloat import RoundMode, formats

    twins = {n: getattr(formats, f"format_info_ocp_{n}") for n in SHARED[:5]}
    twins |= {"bf16": formats.format_info_bfloat16, "fp16": formats.format_info_binary16}
    twins |= {"mxint8": formats.format_info_ocp_int8}
    x = ALL_BF16[np.isfinite(ALL_BF16)].astype(np.float64)
    rows = []
    for name, info in twins.items():
        element = ELEMENTS[name]
        codes = np.arange(1 << element.width)
        row = [f"`{name}`", equal(element.values, gfloat.decode_ndarray(info, codes))]
        for away, mode in ((False, RoundMode.TiesToEven), (True, RoundMode.TiesToAway)):
            theirs = gfloat.round_ndarray(info, x, mode, sat=True)
            row.append(equal(ours(x, element, away), theirs))
        rows.append(row)
    return rows


def gfloat_block_rows(count: int = 2000) -> list[list[str]]:
    """A row per MX format: dequantized elements of random blocks, floor scales."""
    import gfloat
    from gfloat import formats

    names = {"mxfp4": "mxfp4_e2m1", "mxint8": "mxint8"}
    rng = np.random.default_rng(1)
    x = rng.standard_normal((count, 32)) * np.exp2(rng.integers(-30, 30, (count, 1)))
    x = x.astype(np.float32)
    rows = []
    for name in BLOCKS:
        info = getattr(formats, f"format_info_{names.get(name, name)}")
        theirs = [
            gfloat.quantize_block(info, b, gfloat.compute_scale_amax) for b in x.astype(float)
        ]
        got = dequantize(quantize(x, get_format(name)))
        rows.append([f"`{name}`", equal(got, np.array(theirs))])
    return rows

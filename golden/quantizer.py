"""From real tensors to codes: scales first, then elements against the scales, in cache-sized
pieces.
"""

import math
from dataclasses import replace

import numpy as np

from golden.cast import cast, cast_denormal_int, cast_float
from golden.formats import BlockFormat, DenormalIntFormat, FloatFormat, resolve
from golden.macro import macro_codes
from golden.quantized import Quantized, normal_axis, padded
from golden.rules import check_format
from golden.scaling import block_maxima, block_scales, choose_zero_points, tensor_scale

_CHUNK = 1 << 16  # elements: the few buffers of that size stay in a core's cache
_WIDE_CHUNK = 1 << 15


def quantize(
    x: np.ndarray,
    fmt: BlockFormat | str,
    axis: int | None = -1,
    role: str = "activations",
    inexact: bool = False,
) -> Quantized:
    """Quantize a tensor as NUMERICS section 3 has it: every decision on the exact real quotient.

    ``x``: float32, or what converts to it exactly. ``fmt``: a format, the name of one, or the path
    of a TOML file. ``axis``: where blocks run; None gives the whole tensor one scale, for formats
    with ``block_size`` None. ``role``: "activations" or "weights", which only hybrid macro blocks
    (MBS) ask for. ``inexact``: whether x that binary32 cannot hold may be rounded to it first.
    Returns a :class:`Quantized`; the last block along ``axis`` is padded with zeros.
    Raises TypeError for x that holds no real numbers; ValueError for values binary32 cannot hold,
    an axis out of range or of no elements, NaN or Inf where neither scale nor element has a NaN.

    >>> q = quantize(np.float32([1, -3, 0.2, 24]), "mxfp4")
    >>> q.codes[:4].tolist(), q.scales.tolist()  # 0.25, -0.75, 0.05 and 6 in units of 4
    ([0, 10, 0, 7], [129])
    """
    fmt = resolve(fmt)
    check_format(fmt)
    if role not in ("activations", "weights"):
        raise ValueError(f"Role must be activations or weights, not {role!r}")
    x = as_float32(x, inexact)
    if x.ndim == 0 or 0 in x.shape:
        raise ValueError(f"x must have at least one element along every axis, not shape {x.shape}")
    if axis is None:
        return _quantize_whole(x, fmt)
    axis = normal_axis(axis, x.ndim)
    rows = _rows(x, axis, fmt.block_size)
    lead = x.shape[:axis] + x.shape[axis + 1 :]
    codes = np.empty(rows.shape, np.uint8 if fmt.element.width <= 8 else np.uint16)

    def restore(array: np.ndarray, *tail: int) -> np.ndarray:
        """Blocks, one after the other, back to the axes of x."""
        return np.ascontiguousarray(np.moveaxis(array.reshape(*lead, -1, *tail), len(lead), axis))

    if fmt.scale is None:
        assert isinstance(fmt.element, FloatFormat)
        _quantize_plain(rows, fmt.element, codes)
        return Quantized(fmt, restore(codes), None, x.shape, axis)
    maxima, special = _maxima(rows, fmt)
    if special.any() and (not fmt.scale.has_nan or fmt.scale.width > 8):
        raise ValueError(f"x must be finite for {fmt.name}, whose scale marks no NaN block")
    maxima[special] = 0
    t = tensor_scale(np.max(maxima), fmt) if fmt.tensor_scale else None
    macro, factor = None, None
    if fmt.macro is not None:
        per_row = rows.size // rows.shape[1] // max(1, math.prod(lead))
        dynamic = fmt.macro.method == "dynamic" or (fmt.macro.method, role) == ("hybrid", "weights")
        macro = macro_codes(rows, per_row, fmt, dynamic)
        factor = np.repeat(macro, fmt.macro.size // rows.shape[1], axis=1)[:, :per_row]
        factor = fmt.macro.factor.values[factor.reshape(-1, 1)]
    scales, zero_points = _code(rows, fmt, maxima, special, codes, t, factor)
    return Quantized(
        fmt,
        restore(codes),
        restore(scales, *(2,) * (fmt.sides - 1)),
        x.shape,
        axis,
        t,
        None if macro is None else restore(macro),
        None if zero_points is None else restore(zero_points.astype(np.uint8)),
    )


def quantize_blocks(
    x: np.ndarray,
    fmt: BlockFormat,
    tensor_scales: np.ndarray | None = None,
    scales: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """Quantize groups that know nothing of each other, with factors from outside: what a quantizer
    in hardware does.

    ``x``: float32 (B, group), a group a block, a macro block, or what a given scale is for.
    ``tensor_scales``: float32 (B,), for formats with one; ``scales``: float32 (B,), for binary32
    scales. Macro factors are static. Returns element codes (B, group), scale codes (B, blocks *
    sides), macro codes (B,) or None, and which groups hold a NaN or Inf (B,): where the scale has
    no NaN, their codes are 0.

    >>> x = np.float32([[1, -3, 0.2, 24]])
    >>> quantize_blocks(x, resolve("int4"), scales=np.float32([2]))[0].tolist()  # 0.5 ties to 0
    [[0, 14, 0, 7]]
    """
    block = x.shape[1] if fmt.macro is None else fmt.block_size
    rows = np.ascontiguousarray(x, np.float32).reshape(-1, block or x.shape[1])
    codes = np.empty(rows.shape, np.uint8)
    maxima, special = _maxima(rows, fmt)
    maxima[special] = 0
    t = None if tensor_scales is None else np.asarray(tensor_scales, np.float32)[:, None]
    macro, factor = None, None
    if fmt.macro is not None:
        blocks = fmt.macro.size // rows.shape[1]
        macro = macro_codes(rows, blocks, fmt, dynamic=False).reshape(-1)
        factor = np.repeat(fmt.macro.factor.values[macro], blocks)[:, None]
    given = None if scales is None else np.asarray(scales, np.float32)[:, None]
    chosen, _ = _code(rows, fmt, maxima, special, codes, t, factor, given)
    return codes.reshape(x.shape), chosen.reshape(len(x), -1), macro, special


def _code(
    rows: np.ndarray,
    fmt: BlockFormat,
    maxima: np.ndarray,
    special: np.ndarray,
    codes: np.ndarray,
    t: np.ndarray | np.float32 | None,
    factor: np.ndarray | None,
    given: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fill ``codes`` from ``rows``; returns scale codes (B, sides), or the ``given`` scales, and
    zero points."""
    assert fmt.scale is not None
    scaled = maxima if factor is None else maxima.astype(np.float64) * factor
    if given is None:
        scales, values = block_scales(scaled, fmt, t)
    else:
        scales, values = given, given.astype(np.float64)
    zero_points = None
    if isinstance(fmt.element, DenormalIntFormat) and fmt.element.asymmetric:
        zero_points = choose_zero_points(maxima, values, fmt.element)
    divisors = values if t is None else values * np.float64(t)
    _quantize_blocks(rows, fmt, divisors, factor, zero_points, codes)
    lost = special | (values == 0).all(axis=1)
    codes[lost if given is not None else lost | (maxima == 0).all(axis=1)] = 0
    if special.any() and fmt.scale.width <= 8:
        scales[special] = fmt.scale.nan_code
    return scales, zero_points


def _quantize_whole(x: np.ndarray, fmt: BlockFormat) -> Quantized:
    """One scale for the whole tensor."""
    if fmt.block_size is not None:
        raise ValueError(
            f"Axis must be given for {fmt.name}, which has blocks of {fmt.block_size}, not None"
        )
    flat = quantize(x.reshape(-1), fmt, 0)
    scales, zeros = (None if a is None else a[0] for a in (flat.scales, flat.zero_points))
    codes = flat.codes.reshape(x.shape)
    return replace(flat, codes=codes, scales=scales, shape=x.shape, axis=None, zero_points=zeros)


def as_float32(x: np.ndarray, inexact: bool = False) -> np.ndarray:
    """``x`` as a float32 array, when no value changes, or rounded to nearest even if ``inexact``.

    Raises TypeError for what holds no real numbers, ValueError for values that would change.

    >>> as_float32([1, 2]).dtype, float(as_float32(0.1, inexact=True))
    (dtype('float32'), 0.10000000149011612)
    """
    x = np.asarray(x)
    if x.dtype == np.float32:
        return x.astype(np.float32, copy=False)  # to the machine's byte order
    if x.dtype.kind not in "fiu" and x.dtype.name != "bfloat16":
        raise TypeError(f"x must be real numbers, not {x.dtype}")
    with np.errstate(over="ignore"):
        narrow = x.astype(np.float32)
    if inexact or x.dtype.name in ("float16", "bfloat16"):
        return narrow
    same = narrow.astype(x.dtype) == x if x.dtype.kind == "f" else _same_integers(narrow, x)
    if not np.all(same | (x != x)):
        raise ValueError(f"x must be exact in float32, or inexact be true, not rounded {x.dtype}")
    return narrow


def _same_integers(narrow: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Whether integers survived; |x| below 2^24 always does, above the low bits decide."""
    magnitude = (
        np.where(x < 0, 0 - x.astype(np.uint64), x.astype(np.uint64)) if x.dtype.kind == "i" else x
    )
    return np.abs(narrow.astype(np.float64)).astype(object) == magnitude.astype(object)


def _rows(x: np.ndarray, axis: int, block: int | None) -> np.ndarray:
    """Blocks of ``x`` (B, block), contiguous and padded; a view when the layout allows."""
    moved = np.moveaxis(x, axis, -1)
    length = padded(moved.shape[-1], block)
    if length != moved.shape[-1]:
        whole = np.zeros((*moved.shape[:-1], length), np.float32)
        whole[..., : moved.shape[-1]] = moved
        moved = whole
    return np.ascontiguousarray(moved, np.float32).reshape(-1, block or length)


def _pieces(shape: tuple[int, int], size: int):
    """Slices of a (B, block) array of about ``size`` elements, whole blocks where they fit."""
    rows, columns = max(1, size // shape[1]), min(shape[1], size)
    for i in range(0, shape[0], rows):
        for j in range(0, shape[1], columns):
            yield slice(i, i + rows), slice(j, j + columns)


def _maxima(rows: np.ndarray, fmt: BlockFormat) -> tuple[np.ndarray, np.ndarray]:
    """:func:`golden.scaling.block_maxima` of all blocks, float32 (B, sides) and bool (B,)."""
    sides = 2 if isinstance(fmt.element, DenormalIntFormat) else fmt.sides
    maxima = np.zeros((len(rows), sides), np.float32)
    special = np.zeros(len(rows), bool)
    for blocks, columns in _pieces(rows.shape, _CHUNK):
        part, nonfinite = block_maxima(rows[blocks, columns], sides)
        special[blocks] |= nonfinite
        np.fmax(maxima[blocks], part, out=maxima[blocks])
    return maxima, special


def _quantize_blocks(
    rows: np.ndarray,
    fmt: BlockFormat,
    values: np.ndarray,
    macro: np.ndarray | None,
    zero_points: np.ndarray | None,
    codes: np.ndarray,
) -> None:
    """Cast each element, times its macro factor (B, 1), over the value (B, sides) of its scale."""
    away = fmt.rounding == "nearest_away"
    two = fmt.sides == 2
    assert fmt.scale is not None
    # x times a power of two is exact in binary32, or so small that it rounds to zero all the same.
    narrow = fmt.scale.mantissa_width == 0 and macro is None and _fits_binary32(fmt.element)
    # x / 0 would be NaN: a side without a scale has elements of zero.
    factors = np.where(values == 0, np.inf, values)
    if narrow:
        factors = (1 / factors).astype(np.float32)
    elif macro is not None:
        factors = macro / factors  # exact: the scales are powers of two
    with np.errstate(all="ignore"):
        for blocks, columns in _pieces(rows.shape, _CHUNK if narrow else _WIDE_CHUNK):
            x = rows[blocks, columns]
            factor = factors[blocks]
            if two:
                factor = np.where(np.signbit(x), factor[:, 1:], factor[:, :1])
            y = x * factor if narrow or macro is not None else x / factor
            if zero_points is not None and isinstance(fmt.element, DenormalIntFormat):
                codes[blocks, columns] = cast_denormal_int(y, fmt.element, zero_points[blocks])
            else:
                codes[blocks, columns] = cast(y, fmt.element, away, signed_zero=not two)


def _fits_binary32(element) -> bool:
    """Whether the cast's sums stay in binary32's range."""
    return not isinstance(element, FloatFormat) or (
        element.max_exponent < 100 and element.min_exponent > -60
    )


def _quantize_plain(rows: np.ndarray, element: FloatFormat, codes: np.ndarray) -> None:
    """IEEE conversion to a float element: overflow is Inf, or NaN where there is no Inf."""
    nan = np.uint64(element.nan_code or 0)
    with np.errstate(all="ignore"):
        for piece in _pieces(rows.shape, _WIDE_CHUNK):
            x = rows[piece].astype(np.float64)
            bad = np.isnan(x)
            part = cast_float(x, element, saturate=False)
            codes[piece] = np.where(bad | ((part & nan) == nan), nan, part)

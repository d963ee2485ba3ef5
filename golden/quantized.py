"""A quantized tensor: codes, scale codes, and how they belong together."""

from dataclasses import dataclass

import numpy as np

from golden.formats import BlockFormat, resolve


@dataclass(frozen=True, eq=False)
class Quantized:
    """What :func:`golden.quantize` returns and :func:`golden.matmul` takes.

    ``codes``: uint8 (uint16 for 16-bit elements), ``shape`` with ``axis`` zero-padded to whole
    blocks. ``scales``: uint8 scale codes with the blocks along ``axis``, a last axis of 2 =
    (positive, negative) if two-sided; float32 values for a binary32 scale; None for formats
    without. ``axis``: where blocks run, counted from the front; None when one scale covers the
    whole tensor. ``tensor_scale``: float32, or None. ``macro_scales``: e0m8 codes, macro blocks
    along ``axis``, or None. ``zero_points``: uint8, shaped like ``scales``, for asymmetric dINT, or
    None.
    """

    format: BlockFormat
    codes: np.ndarray
    scales: np.ndarray | None
    shape: tuple[int, ...]
    axis: int | None
    tensor_scale: np.float32 | None = None
    macro_scales: np.ndarray | None = None
    zero_points: np.ndarray | None = None


def padded(length: int, block: int | None) -> int:
    """``length`` rounded up to whole blocks.

    >>> padded(33, 32), padded(33, None)
    (64, 33)
    """
    return length if block is None else -(-length // block) * block


def normal_axis(axis: int, ndim: int) -> int:
    """``axis`` counted from the front. Raises ValueError outside -ndim..ndim-1, TypeError for what
    is no int.

    >>> normal_axis(-1, 2)
    1
    """
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise TypeError(f"Axis must be an int, not {axis!r}")
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"Axis must be from {-ndim} to {ndim - 1} for {ndim} dimensions, not {axis}"
        )
    return int(axis) % ndim


def from_codes(
    codes: np.ndarray,
    fmt: BlockFormat | str,
    scales: np.ndarray | None = None,
    axis: int = -1,
    tensor_scale: float | None = None,
) -> Quantized:
    """Operands that are codes already, as a :class:`Quantized`.

    ``codes``: unsigned integers of at least one dimension, whole blocks along ``axis``, each below
    ``2**element.width``. ``scales``: scale codes below ``2**scale.width`` (0..127 for ``ue4m3`` and
    ``ue5m2``), blocks along ``axis``, or float32 values for a binary32 scale; None for formats
    without. ``tensor_scale``: for formats that have one; 1 if not given.
    Raises TypeError for other kinds of numbers, ValueError for shapes or codes that do not fit.

    >>> q = from_codes(np.full((2, 32), 2, np.uint8), "mxfp4", np.full((2, 1), 128, np.uint8))
    >>> q.shape
    (2, 32)
    """
    fmt = resolve(fmt)
    codes = _unsigned("Codes", codes, fmt.element.width)
    if codes.ndim == 0 or 0 in codes.shape:
        raise ValueError(
            f"Codes must have at least one element along every axis, not shape {codes.shape}"
        )
    axis = normal_axis(axis, codes.ndim)
    length = codes.shape[axis]
    if fmt.scale is None:
        if scales is not None:
            raise ValueError(f"Scales must be None for {fmt.name}, which has no scale")
    else:
        if scales is None:
            raise ValueError(f"Scales must be given for {fmt.name}, not None")
        block = fmt.block_size or length
        if length % block:
            raise ValueError(
                f"Codes must be whole blocks of {block} along axis {axis}, not {length}"
            )
        shape = (
            codes.shape[:axis]
            + (length // block,)
            + codes.shape[axis + 1 :]
            + (2,) * (fmt.sides - 1)
        )
        scales = _scales(scales, fmt, shape)
    if tensor_scale is not None and not fmt.tensor_scale:
        raise ValueError(f"Tensor scale must be None for {fmt.name}, not {tensor_scale}")
    t = np.float32(1 if tensor_scale is None else tensor_scale) if fmt.tensor_scale else None
    return Quantized(fmt, codes, scales, codes.shape, axis, t)


def _scales(scales: np.ndarray, fmt: BlockFormat, shape: tuple[int, ...]) -> np.ndarray:
    if fmt.scale.width > 8:
        scales = np.asarray(scales)
        if scales.dtype != np.float32:
            raise TypeError(f"Scales of {fmt.name} must be float32, not {scales.dtype}")
        if not np.isfinite(scales).all():
            raise ValueError(f"Scales of {fmt.name} must be finite")
    else:
        scales = _unsigned("Scales", scales, fmt.scale.exponent_width + fmt.scale.mantissa_width)
    if scales.shape != shape:
        raise ValueError(f"Scales of {fmt.name} must have shape {shape}, not {scales.shape}")
    return scales


def _unsigned(what: str, codes: np.ndarray, width: int) -> np.ndarray:
    """Codes as the smallest unsigned type, checked against their width."""
    codes = np.asarray(codes)
    if codes.dtype.kind not in "ui":
        raise TypeError(f"{what} must be integers, not {codes.dtype}")
    if codes.size and (codes.min() < 0 or codes.max() >> width):
        bad = codes.min() if codes.min() < 0 else codes.max()
        raise ValueError(f"{what} must be from 0 to {(1 << width) - 1}, not {bad}")
    return codes.astype(np.uint8 if width <= 8 else np.uint16)


def dequantize(q: Quantized) -> np.ndarray:
    """The values of a quantized tensor, float32 of ``q.shape``; exact wherever binary32 can hold
    them.

    Others are rounded once to nearest even. Macro factors are undone by their binary32 reciprocals,
    as the matrix product does. A NaN scale makes its block NaN.
    Raises TypeError for anything but a Quantized.

    >>> q = from_codes(np.arange(32, dtype=np.uint8) % 16, "mxfp4", np.full(1, 126, np.uint8))
    >>> dequantize(q)[:4].tolist()
    [0.0, 0.25, 0.5, 0.75]
    """
    if not isinstance(q, Quantized):
        raise TypeError(f"Operand must be a Quantized, not {type(q).__name__}")
    fmt = q.format
    axis = -1 if q.axis is None else q.axis
    codes = np.moveaxis(q.codes, axis, -1)
    lead, k = codes.shape[:-1], codes.shape[-1]
    out = np.empty((*lead, k), np.float32)
    if q.axis is None:
        block, count = out.size, 1
    else:
        block = fmt.block_size or k
        count = out.size // block
    blocks, target = codes.reshape(count, block), out.reshape(count, block)
    factors = _factors(q, count, k // block if q.axis is not None else 1)
    zero_points = None
    if q.zero_points is not None:
        zero_points = np.moveaxis(q.zero_points, axis, -1) if q.axis is not None else q.zero_points
        zero_points = zero_points.reshape(count, 1)
    _dequantize_blocks(fmt, blocks, factors, zero_points, target)
    out = np.moveaxis(out, -1, axis)
    return np.ascontiguousarray(out[tuple(slice(n) for n in q.shape)])


def _factors(q: Quantized, count: int, per_row: int) -> np.ndarray | None:
    """What a block's elements are multiplied by, (count, sides) float64, or None for plain
    formats.
    """
    fmt = q.format
    if fmt.scale is None:
        return None
    scales = q.scales if q.axis is None else np.moveaxis(q.scales, q.axis, len(q.shape) - 1)
    scales = scales.reshape(count, fmt.sides)
    values = scales.astype(np.float64) if fmt.scale.width > 8 else fmt.scale.values[scales]
    if fmt.scale.has_inf and fmt.scale.width <= 8:
        values = np.where(np.isinf(values), np.nan, values)
    values = np.where(np.isnan(values).any(axis=1, keepdims=True), np.nan, values)
    if q.tensor_scale is not None:
        values = values * np.float64(q.tensor_scale)
    if q.macro_scales is not None:
        macro = np.moveaxis(q.macro_scales, q.axis, -1)
        reciprocal = reciprocals(fmt, macro).astype(np.float64)
        reciprocal = np.repeat(reciprocal, fmt.macro.size // fmt.block_size, axis=-1)[..., :per_row]
        values = values * reciprocal.reshape(count, 1)
    return values


def reciprocals(fmt: BlockFormat, macro_codes: np.ndarray) -> np.ndarray:
    """1/f of macro factor codes, each rounded to binary32.

    >>> from golden.formats import get_format
    >>> reciprocals(get_format("mxfp4_mbs"), np.array([0, 128])).tolist()
    [1.0, 0.6666666865348816]
    """
    return np.float32(1) / fmt.macro.factor.values[macro_codes].astype(np.float32)


_CHUNK = 1 << 15


def _dequantize_blocks(fmt, codes, factors, zero_points, out) -> None:
    """Fill ``out`` (count, block) in pieces that stay in cache."""
    table = fmt.element.values.astype(np.float64)
    count, block = codes.shape
    rows, columns = max(1, _CHUNK // block), min(block, _CHUNK)
    narrow = factors is None or bool(np.all(factors.astype(np.float32) == factors))
    if narrow:
        table = table.astype(np.float32)
        factors = None if factors is None else factors.astype(np.float32)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for i in range(0, count, rows):
            for j in range(0, block, columns):
                piece = (slice(i, i + rows), slice(j, j + columns))
                values = np.take(table, codes[piece])
                if zero_points is not None:
                    shift = zero_points[i : i + rows] - np.float64(fmt.element.zero_point)
                    values = np.where(codes[piece] < fmt.element.levels, values - shift, values)
                if factors is None:
                    out[piece] = values
                    continue
                factor = factors[i : i + rows]
                if fmt.sides == 2:
                    factor = np.where(values < 0, factor[:, 1:], factor[:, :1])
                np.multiply(values, factor, out=out[piece], casting="same_kind")

"""From codes back to real values."""

import numpy as np

from golden.formats import BlockFormat, DenormalIntFormat, FloatFormat, Macro
from golden.quantized import Quantized

_CHUNK = 1 << 15


def dequantize(q: Quantized) -> np.ndarray:
    """The values of a quantized tensor, float32 of ``q.shape``; exact where binary32 can hold them.

    Others are rounded once to nearest even. Macro factors are undone by their binary32 reciprocals,
    as the matrix product does. A scale, of block or tensor, that is not finite makes its block NaN.
    Every NaN is 0x7FC00000.
    Raises TypeError for anything but a Quantized.

    >>> from golden import from_codes
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
    if fmt.scale is None:
        np.take(_canonical(fmt.element.values.astype(np.float32)), codes, out=out, mode="clip")
    else:
        factors = _factors(q, fmt.scale, count, k // block)
        zero_points = None
        if q.zero_points is not None:
            lined = q.zero_points if q.axis is None else np.moveaxis(q.zero_points, axis, -1)
            zero_points = lined.reshape(count, 1)
        _fill(fmt, blocks, factors, zero_points, target)
    out = np.moveaxis(out, -1, axis)
    return np.ascontiguousarray(out[tuple(slice(n) for n in q.shape)])


def dequantize_blocks(
    codes: np.ndarray,
    fmt: BlockFormat,
    scales: np.ndarray | None = None,
    tensor_scales: np.ndarray | None = None,
    macro: np.ndarray | None = None,
) -> np.ndarray:
    """Dequantize groups that know nothing of each other, with factors from outside: what a
    dequantizer in hardware does, and the other way round :func:`golden.quantizer.quantize_blocks`.

    ``codes``: (B, group), a group a block, a macro block, or what a given scale is for.
    ``scales``: codes (B, blocks * sides), or float32 (B,) for binary32 scales; ``tensor_scales``:
    float32 (B,); ``macro``: codes (B,). Returns float32 (B, group).

    >>> from golden import get_format
    >>> codes = np.uint8([[0, 14, 0, 7]])
    >>> dequantize_blocks(codes, get_format("int4"), np.float32([2])).tolist()
    [[0.0, -4.0, 0.0, 14.0]]
    """
    block = fmt.block_size if fmt.has_block_scale and fmt.block_size else codes.shape[1]
    blocks = np.ascontiguousarray(codes).reshape(-1, block)
    out = np.empty(blocks.shape, np.float32)
    if fmt.scale is None:
        np.take(_canonical(fmt.element.values.astype(np.float32)), blocks, out=out)
        return out.reshape(codes.shape)
    assert scales is not None
    per_group = len(blocks) // len(codes)
    t, undo = None, None
    if tensor_scales is not None:
        t = np.repeat(tensor_scales.astype(np.float64), per_group)[:, None]
    if macro is not None and fmt.macro is not None:
        undo = np.repeat(reciprocals(fmt.macro, macro), per_group)[:, None]
    factors = _products(np.reshape(scales, (len(blocks), fmt.sides)), fmt.scale, t, undo)
    _fill(fmt, blocks, factors, None, out)
    return out.reshape(codes.shape)


def _factors(q: Quantized, scale: FloatFormat, count: int, per_row: int) -> np.ndarray:
    """What the elements of each block and side are multiplied by, (count, sides) float64."""
    fmt = q.format
    assert q.scales is not None
    scales = q.scales
    if q.axis is not None:
        scales = np.moveaxis(scales, q.axis, len(q.shape) - 1)
    undo = None
    if q.macro_scales is not None and fmt.macro is not None and q.axis is not None:
        macro = reciprocals(fmt.macro, np.moveaxis(q.macro_scales, q.axis, -1))
        blocks = fmt.macro.size // (fmt.block_size or fmt.macro.size)
        undo = np.repeat(macro, blocks, axis=-1)[..., :per_row].reshape(count, 1)
    t = None if q.tensor_scale is None else np.float64(q.tensor_scale)
    return _products(scales.reshape(count, fmt.sides), scale, t, undo)


def _products(
    scales: np.ndarray,
    scale: FloatFormat,
    t: np.ndarray | np.float64 | None,
    undo: np.ndarray | None,
) -> np.ndarray:
    """Scales (B, sides) times what else their blocks are multiplied by, float64, exact; NaN for a
    block of which any factor is not finite."""
    values = scales.astype(np.float64) if scale.width > 8 else scale.values[scales]
    with np.errstate(invalid="ignore"):
        for factor in (t, undo):
            values = values if factor is None else values * factor
    lost = ~np.isfinite(values).all(axis=1, keepdims=True)
    return np.where(lost, np.nan, values)


def _canonical(x: np.ndarray) -> np.ndarray:
    """``x`` with every NaN made 0x7FC00000, in place."""
    x[np.isnan(x)] = np.nan
    return x


def reciprocals(macro: Macro, codes: np.ndarray) -> np.ndarray:
    """1/f of macro factor codes, each rounded to binary32.

    >>> from golden.formats import get_format
    >>> reciprocals(get_format("mxfp4_mbs").macro, np.array([0, 128])).tolist()
    [1.0, 0.6666666865348816]
    """
    return np.float32(1) / macro.factor.values[codes].astype(np.float32)


def _fill(
    fmt: BlockFormat,
    codes: np.ndarray,
    factors: np.ndarray,
    zero_points: np.ndarray | None,
    out: np.ndarray,
) -> None:
    """Fill ``out`` (count, block) in pieces that stay in cache."""
    element = fmt.element
    table: np.ndarray = element.values
    narrow = bool(np.all(factors.astype(np.float32) == factors))
    if narrow:  # one binary32 product is rounded once, too
        table, factors = table.astype(np.float32), factors.astype(np.float32)
    has_nan = element.has_nan or not np.isfinite(factors).all()
    count, block = codes.shape
    rows, columns = max(1, _CHUNK // block), min(block, _CHUNK)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for i in range(0, count, rows):
            for j in range(0, block, columns):
                piece = (slice(i, i + rows), slice(j, j + columns))
                values = np.take(table, codes[piece])
                if zero_points is not None and isinstance(element, DenormalIntFormat):
                    shift = zero_points[i : i + rows] - table.dtype.type(element.zero_point)
                    values = np.where(codes[piece] < element.levels, values - shift, values)
                factor = factors[i : i + rows]
                if fmt.sides == 2:
                    factor = np.where(values < 0, factor[:, 1:], factor[:, :1])
                np.multiply(values, factor, out=out[piece], casting="same_kind")
                if has_nan:
                    _canonical(out[piece])

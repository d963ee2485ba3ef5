"""Macro-block factors of MBS (arXiv 2603.08713, 4.3): what the elements are multiplied by first."""

from fractions import Fraction

import numpy as np

from golden.cast import cast, round_magnitude
from golden.formats import BlockFormat, FloatFormat
from golden.scaling import block_maxima, block_scales

_CHUNK = 1 << 15
_TRIALS = 16


def macro_codes(rows: np.ndarray, per_row: int, fmt: BlockFormat, dynamic: bool) -> np.ndarray:
    """Codes of the macro factors, uint8 (lines, macro blocks), for blocks (lines * per_row, size).

    Static: the top mantissa bits of binary32(largest element / amax), so that the scaled maximum
    comes close below the largest element. Dynamic: of 16 evenly spaced factors the one of smallest
    squared error, the smaller factor of equals. Blocks with a NaN or Inf are left out.

    >>> from golden.formats import get_format
    >>> x = np.full((4, 32), 4, np.float32)  # 6 / 4 = 1.5
    >>> macro_codes(x, 4, get_format("mxfp4_mbs"), dynamic=False).tolist()
    [[128]]
    """
    macro = fmt.macro
    assert macro is not None
    blocks = macro.size // rows.shape[1]
    lines = rows.reshape(-1, per_row, rows.shape[1])
    count = -(-per_row // blocks)
    codes = np.zeros((len(lines), count), np.uint8)
    for i in range(count):
        part = lines[:, i * blocks : (i + 1) * blocks]
        step = max(1, _CHUNK // part[0].size)
        for j in range(0, len(lines), step):
            codes[j : j + step, i] = _choose(part[j : j + step], fmt, dynamic)
    return codes


def _choose(x: np.ndarray, fmt: BlockFormat, dynamic: bool) -> np.ndarray:
    """The factor code of each macro block of ``x`` (lines, blocks, size)."""
    flat = np.ascontiguousarray(x).reshape(-1, x.shape[2])
    maxima, special = block_maxima(flat, 1)
    if special.any():
        flat = np.where(special[:, None], np.float32(0), flat)
        maxima = np.where(special[:, None], np.float32(0), maxima)
    assert fmt.macro is not None
    width = fmt.macro.factor.mantissa_width
    if dynamic:
        return _least_error(flat.reshape(x.shape), maxima, fmt) << (width - 4)
    amax = maxima.reshape(len(x), -1).max(axis=1)
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.float32(fmt.element.largest) / amax
    return (ratio.view(np.uint32) >> np.uint32(23 - width) & np.uint32((1 << width) - 1)).astype(
        np.uint8
    )


def _least_error(x: np.ndarray, maxima: np.ndarray, fmt: BlockFormat) -> np.ndarray:
    """Which j in 0..15 makes f = 1 + j/16 the factor of least squared error, uint8 (lines,).

    Errors are first found in binary32; only factors near the least are weighed again, in binary64,
    and those that even there cannot be told apart in fractions.
    """
    errors = _errors(x, maxima, fmt, np.float32)
    close = errors <= errors.min(axis=1, keepdims=True) * 1.001
    doubt = np.flatnonzero(close.sum(axis=1) > 1)
    best = errors.argmin(axis=1).astype(np.uint8)
    if len(doubt):
        rows = maxima.reshape(len(x), -1)[doubt].reshape(-1, 1)
        errors = _errors(x[doubt], rows, fmt, np.float64)
        least = errors.min(axis=1, keepdims=True)
        best[doubt] = errors.argmin(axis=1)
        close = errors <= least * (1 + 1e-12)
        for i in np.flatnonzero((close.sum(axis=1) > 1) & (least[:, 0] > 0)):
            exact = {
                int(j): _exact_error(x[doubt[i]], int(j), fmt) for j in np.flatnonzero(close[i])
            }
            best[doubt[i]] = min(exact, key=lambda j: (exact[j], j))
    return best


def _errors(x: np.ndarray, maxima: np.ndarray, fmt: BlockFormat, dtype: type) -> np.ndarray:
    """Squared error (lines, 16) of each factor, float64, elements worked out in ``dtype``."""
    errors = np.empty((len(x), _TRIALS))
    flat = x.reshape(-1, x.shape[2]).astype(dtype, copy=False)
    for j in range(_TRIALS):
        f = 1 + j / _TRIALS
        _, scales = block_scales(maxima.astype(np.float64) * f, fmt)
        # In binary64 the product is exact: 24 bits times 5, over a power of two.
        y = flat * (f / np.where(scales == 0, np.inf, scales)).astype(dtype)
        rounded = _magnitudes(y.copy(), fmt)
        np.abs(y, out=y)
        y -= rounded
        per_block = np.einsum("bk,bk->b", y, y).astype(np.float64)
        errors[:, j] = (per_block * (scales[:, 0] / f) ** 2).reshape(len(x), -1).sum(axis=1)
    return errors


def _magnitudes(y: np.ndarray, fmt: BlockFormat) -> np.ndarray:
    """Magnitudes of the elements nearest to ``y``, which is overwritten."""
    away = fmt.rounding == "nearest_away"
    if isinstance(fmt.element, FloatFormat):
        return round_magnitude(y, fmt.element, away)
    values = np.abs(fmt.element.values).astype(y.dtype)
    return values[cast(y, fmt.element, away).astype(np.intp) & (len(values) - 1)]


def _exact_error(x: np.ndarray, j: int, fmt: BlockFormat) -> Fraction:
    """The squared error of one macro block (blocks, size) with factor j, exactly."""
    f = Fraction(_TRIALS + j, _TRIALS)
    total = Fraction(0)
    for block in x.astype(np.float64):
        scaled = block * float(f)
        _, values = block_scales(np.abs(scaled).max().reshape(1, 1), fmt)
        s = float(values[0, 0])
        rounded = _magnitudes(scaled / (s or 1.0), fmt)
        for v, r in zip(np.abs(block), rounded):
            total += (Fraction(float(v)) - Fraction(float(r)) * Fraction(s) / f) ** 2
    return total

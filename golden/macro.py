"""Macro-block factors of MBS (arXiv 2603.08713, 4.3): what the elements are multiplied by first."""

from fractions import Fraction

import numpy as np

from golden.cast import cast, round_magnitude
from golden.formats import BlockFormat, FloatFormat
from golden.scaling import block_maxima, block_scales

_CHUNK = 1 << 17  # long chunks: the work on scales is per call
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
    size = rows.shape[1]
    blocks = macro.size // size
    count = -(-per_row // blocks)
    if per_row % blocks:
        lines = rows.reshape(-1, per_row, size)
        rows = np.zeros((len(lines), count * blocks, size), np.float32)
        rows[:, :per_row] = lines
    macros = rows.reshape(-1, blocks, size)
    codes = np.empty(len(macros), np.uint8)
    step = max(1, _CHUNK // macro.size)
    for i in range(0, len(macros), step):
        codes[i : i + step] = _choose(macros[i : i + step], fmt, dynamic)
    return codes.reshape(-1, count)


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

    Errors are first found in binary32; only factors that may still be the best are weighed again,
    in binary64, and those that even there cannot be told apart in fractions.
    """
    errors, margins = _errors(x, maxima, fmt, np.float32)
    best = errors.argmin(axis=1).astype(np.uint8)
    close = errors - margins <= (errors + margins).min(axis=1, keepdims=True)
    doubt = np.flatnonzero(close.sum(axis=1) > 1)
    if len(doubt):
        rows = maxima.reshape(len(x), -1)[doubt].reshape(-1, 1)
        errors, margins = _errors(x[doubt], rows, fmt, np.float64)
        best[doubt] = errors.argmin(axis=1)
        close = errors - margins <= (errors + margins).min(axis=1, keepdims=True)
        for i in np.flatnonzero((close.sum(axis=1) > 1) & (errors.min(axis=1) > 0)):
            exact = {
                int(j): _exact_error(x[doubt[i]], int(j), fmt) for j in np.flatnonzero(close[i])
            }
            best[doubt[i]] = min(exact, key=lambda j: (exact[j], j))
    return best


def _errors(
    x: np.ndarray, maxima: np.ndarray, fmt: BlockFormat, dtype: type
) -> tuple[np.ndarray, np.ndarray]:
    """Squared error (lines, 16) of each factor, and how far off it may be, both float64.

    Elements are worked out in ``dtype``.
    """
    size = x.shape[2]
    flat = np.abs(x.reshape(-1, size)).astype(dtype, copy=False)
    f = 1 + np.arange(_TRIALS) / _TRIALS
    _, scales = block_scales(maxima.astype(np.float64) * f, fmt)
    # In binary64 the products are exact: 24 bits times 5, over a power of two.
    factors: np.ndarray = (f / np.where(scales == 0, np.inf, scales)).astype(dtype)
    sums = np.empty(scales.shape)
    y, rounded = np.empty_like(flat), np.empty_like(flat)
    for j in range(_TRIALS):
        np.multiply(flat, factors[:, j : j + 1], out=y)
        np.copyto(rounded, y)
        y -= _magnitudes(rounded, fmt)
        sums[:, j] = np.einsum("bk,bk->b", y, y)
    weights = (scales / f) ** 2
    errors = (sums * weights).reshape(len(x), -1, _TRIALS).sum(axis=1)
    total = size * weights.reshape(len(x), -1, _TRIALS).sum(axis=1)
    # |y| stays below 2 * largest, so y is off by at most that many half ulps; sums add a little.
    epsilon = float(np.finfo(dtype).eps)
    off = 0.0 if dtype is np.float64 else 2 * fmt.element.largest * epsilon
    return errors, 2 * off * np.sqrt(errors * total) + off**2 * total + 512 * epsilon * errors


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

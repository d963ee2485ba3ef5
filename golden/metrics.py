"""What quantization loses: error, underflow, clipping, and how lopsided groups are."""

from dataclasses import replace

import numpy as np

from golden.dequantizer import dequantize
from golden.formats import DenormalIntFormat
from golden.quantized import Quantized, padded


def mse(x: np.ndarray, y: np.ndarray) -> float:
    """Mean squared difference of two arrays of one shape, in float64. Raises ValueError otherwise.

    >>> mse(np.float32([1, 2]), np.float32([1, 4]))
    2.0
    """
    difference = _pair(x, y)
    return float(np.mean(difference * difference))


def sqnr(x: np.ndarray, y: np.ndarray) -> float:
    """Signal to quantization noise ratio of ``y`` against ``x`` in dB; inf without noise.

    >>> round(sqnr(np.float32([10, 0]), np.float32([9, 0])), 6)
    20.0
    """
    noise = float(np.sum(_pair(x, y) ** 2))
    signal = float(np.sum(np.asarray(x, np.float64) ** 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10 * np.log10(np.float64(signal) / np.float64(noise)))


def underflow_rate(x: np.ndarray, y: np.ndarray) -> float:
    """The share of x's nonzero elements that became zero in ``y``; 0 if x has none.

    >>> underflow_rate(np.float32([1, 0.01, 0, 2]), np.float32([1, 0, 0, 2]))
    0.3333333333333333
    """
    _pair(x, y)
    nonzero = np.asarray(x) != 0
    return float(np.sum(nonzero & (np.asarray(y) == 0)) / max(1, np.sum(nonzero)))


def clipping_rate(x: np.ndarray, q: Quantized) -> float:
    """The share of x's elements beyond the largest value that their block's scale can hold.

    ``q``: ``quantize(x, ...)`` of a format with scales. Raises ValueError for a format without.

    >>> from golden import quantize
    >>> x = np.float32([7, 1, -7, 0.5])
    >>> clipping_rate(x, quantize(x, "mxfp4")), clipping_rate(x, quantize(x, "nvfp4"))
    (0.5, 0.0)
    """
    if q.format.scale is None:
        raise ValueError(f"Format must have scales, not {q.format.name}")
    element = q.format.element
    finite = np.where(np.isfinite(element.values), element.values, 0)
    codes = {int(np.argmax(finite)), int(np.argmax(finite == -element.largest))}
    if isinstance(element, DenormalIntFormat):
        codes = {0, element.levels - 1, element.levels, element.levels + 1}
    ends = [dequantize(replace(q, codes=np.full_like(q.codes, code))) for code in codes]
    x = np.asarray(x, np.float32)
    return float(np.mean((x > np.max(ends, axis=0)) | (x < np.min(ends, axis=0))))


def asymmetry(x: np.ndarray, group: int, axis: int = -1) -> np.ndarray:
    """How lopsided each group of ``group`` elements along ``axis`` is, float64 (..., groups).

    ``abs(max + min) / max(max, -min)`` with max and min taken with zero: 0 for a group that reaches
    as far on both sides, 1 for one that has a single sign or is all zero on one side, 0 for a group
    of zeros. The last group may be short. (Our definition; AMXFP4, arXiv 2411.09909, plots group
    asymmetry without one we could read.)

    >>> asymmetry(np.float32([1, -1, 3, 0, 4, -2]), 2).tolist()
    [0.0, 1.0, 0.5]
    """
    moved = np.moveaxis(np.asarray(x, np.float64), axis, -1)
    if moved.shape[-1] == 0 or group < 1:
        raise ValueError(f"Group must be at least 1 of some elements, not {group} of {moved.shape}")
    whole = np.zeros((*moved.shape[:-1], padded(moved.shape[-1], group)))
    whole[..., : moved.shape[-1]] = moved
    groups = whole.reshape(*moved.shape[:-1], -1, group)
    high, low = np.maximum(groups.max(axis=-1), 0), np.minimum(groups.min(axis=-1), 0)
    reach = np.maximum(high, -low)
    return np.abs(high + low) / np.where(reach == 0, 1, reach)


def _pair(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x - y in float64. Raises ValueError for unlike shapes."""
    if np.shape(x) != np.shape(y):
        raise ValueError(f"Arrays must have one shape, not {np.shape(x)} and {np.shape(y)}")
    return np.asarray(x, np.float64) - np.asarray(y, np.float64)

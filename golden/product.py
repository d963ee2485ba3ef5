"""Matrix products of quantized operands, in every accumulation mode of NUMERICS section 4."""

import numpy as np

from golden import exact, integer
from golden.arith import default_fraction_bits, step_addends
from golden.dequantizer import reciprocals
from golden.formats import BlockFormat
from golden.fused import Accumulator, fused_sum
from golden.operand import Operand
from golden.presets import PRESETS, check_operands
from golden.quantized import Quantized, padded
from golden.tables import addend_size, group_size

MODES = ("fp32", "exact", "int32", *PRESETS)
_TILE = 1 << 17  # addends held at a time


def matmul(
    qa: Quantized,
    qb: Quantized,
    acc: str = "fp32",
    k: int | None = None,
    c: np.ndarray | None = None,
    window: exact.Window | None = None,
    fraction_bits: int | None = None,
) -> np.ndarray:
    """(M, K) times the transpose of (N, K), plus C, as (M, N) float32; int32 for ``acc="int32"``.

    Both operands are quantized along their last axis. ``c``: (M, N), the accumulators' start, of
    the result's type; zero if None. Scales that the matrix unit does not see (tensor scales,
    binary32 group scales) are not applied: :func:`golden.rescale` does that.

    ``acc`` is one of
      "fp32": ``k`` products per fused aligned sum (default 32, or the larger block), each sum
      rounded once; K is padded with zeros. Macro blocks are summed apart and joined in binary32.
      ``fraction_bits``: F, by default 35 when products are summed in groups, else 25.
      "exact": nothing is lost inside ``window`` (by default the pair's full range); one rounding.
      An accumulator that left its window reads as NaN.
      "int32": wraps; for integers with binary32 scales. With groups along K the result is
      (M, N, groups), an accumulator each.
      A preset: that matrix unit's length, alignment and rounding; ``k`` has no say.

    Raises TypeError for operands that are no Quantized or a C of another type; ValueError for
    shapes that do not fit, a ``k`` that is no multiple of the blocks, a pair that the mode cannot
    take, or an unknown mode.

    >>> from golden import quantize
    >>> q = quantize(np.float32([[1, 2], [3, 4]]), "mxfp8_e4m3")
    >>> matmul(q, q).tolist()
    [[5.0, 11.0], [11.0, 25.0]]
    """
    _check_shapes(qa, qb)
    if acc not in MODES:
        raise ValueError(f"Accumulator must be one of {', '.join(MODES)}, not {acc!r}")
    if window is not None and acc != "exact":
        raise ValueError(f"Window must be None for accumulator {acc}, not {window}")
    if fraction_bits is not None and acc != "fp32":
        raise ValueError(f"Fraction bits must be None for accumulator {acc}, not {fraction_bits}")
    if acc == "int32":
        return integer.int_matmul(qa, qb, c)
    for q in (qa, qb):
        if q.format.scale is not None and not q.format.has_block_scale:
            raise ValueError(f"Accumulator must be int32 for {q.format.name}, not {acc!r}")
    bits = _start(c, (qa.shape[0], qb.shape[0]))
    if acc in PRESETS:
        preset = PRESETS[acc]
        check_operands(preset, qa.format, qb.format)
        accumulate(qa, qb, preset.length, bits, preset.accumulator, preset.size)
        return bits.view(np.float32)
    k = _step_size(qa.format, qb.format, k)
    if fraction_bits is None:
        fraction_bits = default_fraction_bits(qa.format, qb.format)
    if qa.format.macro is not None or qb.format.macro is not None:
        if acc == "exact":
            raise ValueError("Accumulator must be fp32 for formats with macro blocks, not 'exact'")
        return _macro_matmul(qa, qb, k, bits.view(np.float32), fraction_bits)
    if acc == "exact":
        return exact_matmul(qa, qb, k, c, window)[0]
    accumulate(qa, qb, k, bits, Accumulator(fraction_bits))
    return bits.view(np.float32)


def exact_matmul(
    qa: Quantized,
    qb: Quantized,
    k: int | None = None,
    c: np.ndarray | None = None,
    window: exact.Window | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """What ``matmul(..., "exact")`` returns, and each accumulator's sticky overflow flag (M, N).

    The flag is set by an addend, a sum or a start that does not fit ``window``; the result is then
    NaN, as it is for a NaN operand, which sets no flag. ``k``: products a step; sums are looked at
    after each.

    >>> from golden import quantize
    >>> q = quantize(np.float32([[1, 2.0**-20]]), "bf16")
    >>> [x.item() for x in exact_matmul(q, q)]
    [1.0, False]
    >>> [x.item() for x in exact_matmul(q, q, window=exact.Window(-20, 8, 4))]
    [nan, True]
    """
    _check_shapes(qa, qb)
    k = _step_size(qa.format, qb.format, k)
    steps = Steps(qa, qb, k, addend_size(qa.format, qb.format, k))
    bits = _start(c, (qa.shape[0], qb.shape[0]))
    return exact.exact_sums(steps, bits, window or exact.full_window(qa, qb))


def accumulate(
    qa: Quantized,
    qb: Quantized,
    k: int,
    bits: np.ndarray,
    accumulator: Accumulator,
    size: int | None = None,
) -> None:
    """Add all K products to the accumulators ``bits`` (M, N) in place, ``k`` per fused sum.

    >>> from golden import quantize
    >>> q = quantize(np.float32([[1, 2]]), "mxfp8_e4m3")
    >>> bits = np.zeros((1, 1), np.uint32)
    >>> accumulate(q, q, 32, bits, Accumulator(25))
    >>> bits.view(np.float32).tolist()
    [[5.0]]
    """
    steps = Steps(qa, qb, k, size or addend_size(qa.format, qb.format, k))
    for tile in steps.tiles(bits.shape):
        for addends in steps.of(tile):
            bits[tile] = fused_sum(addends, bits[tile], accumulator)


class Steps:
    """The addends of a product, a tile of rows and columns and a step of K at a time."""

    def __init__(self, qa: Quantized, qb: Quantized, k: int, size: int):
        self.k, self.size = k, size
        self.formats = qa.format, qb.format
        self.length = padded(qa.shape[1], k)
        self.operands = [_padded_operand(q, self.length) for q in (qa, qb)]
        count = k if size == 1 else k // size * qa.format.sides * qb.format.sides
        self._side = max(1, int((_TILE / count) ** 0.5))

    def tiles(self, shape: tuple[int, int]):
        """Pairs of slices that cover (M, N)."""
        for i in range(0, shape[0], self._side):
            for j in range(0, shape[1], self._side):
                yield slice(i, i + self._side), slice(j, j + self._side)

    def of(self, tile: tuple[slice, slice]):
        """The addends of each step of one tile."""
        for step in range(0, self.length, self.k):
            a, b = (
                _slice_operand(f, o, rows, step, self.k)
                for f, o, rows in zip(self.formats, self.operands, tile)
            )
            yield step_addends(a, b, outer=True, size=self.size)


def _macro_matmul(
    qa: Quantized, qb: Quantized, k: int, d: np.ndarray, fraction_bits: int
) -> np.ndarray:
    """Each macro block's own sum, times both reciprocals, added to the running sum, all binary32.

    The product of the two reciprocals is rounded first (our choice).
    """
    macros = [q.format.macro for q in (qa, qb)]
    sizes = {m.size for m in macros if m is not None}
    if len(sizes) != 1 or max(sizes) % k:
        raise ValueError(f"K must divide one macro block of both, not {k} and {sorted(sizes)}")
    size = sizes.pop()
    accumulator = Accumulator(fraction_bits)
    steps = Steps(qa, qb, k, addend_size(qa.format, qb.format, k))
    factors = [
        np.ones((q.shape[0], padded(q.shape[1], size) // size), np.float32)
        if q.macro_scales is None or q.format.macro is None
        else reciprocals(q.format.macro, q.macro_scales)
        for q in (qa, qb)
    ]
    per_macro = size // k
    with np.errstate(all="ignore"):
        for tile in steps.tiles(d.shape):
            partial = np.zeros_like(d[tile]).view(np.uint32)
            for i, addends in enumerate(steps.of(tile)):
                partial = fused_sum(addends, partial, accumulator)
                if (i + 1) % per_macro == 0 or (i + 1) * k == steps.length:
                    block = i // per_macro
                    factor = factors[0][tile[0], None, block] * factors[1][tile[1], block]
                    d[tile] += partial.view(np.float32) * factor
                    partial = np.zeros_like(partial)
    d[np.isnan(d)] = np.uint32(0x7FC00000).view(np.float32)
    return d


def _check_shapes(qa: Quantized, qb: Quantized) -> None:
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


def _step_size(fa: BlockFormat, fb: BlockFormat, k: int | None) -> int:
    """K per step: 32 or the larger block if None; raises ValueError when the blocks do not fit."""
    if k is None:
        k = max(32, *(f.block_size or 1 for f in (fa, fb)))
    if k < 1:
        raise ValueError(f"K must be at least 1, not {k}")
    group_size(fa, fb, k)
    return k


def _start(c: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """The accumulators' start as binary32 bits, a copy."""
    if c is None:
        return np.zeros(shape, np.uint32)
    c = np.asarray(c)
    if c.dtype != np.float32:
        raise TypeError(f"c must be float32, not {c.dtype}")
    if c.shape != shape:
        raise ValueError(f"c must have shape {shape}, not {c.shape}")
    return np.array(c, np.float32, order="C").view(np.uint32)


def _padded_operand(q: Quantized, length: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Codes and scale codes with zeros up to ``length`` elements along K."""
    codes = np.pad(q.codes, [(0, 0), (0, length - q.codes.shape[1])])
    if q.scales is None:
        return codes, None
    blocks = length // (q.format.block_size or length)
    more = [(0, 0), (0, blocks - q.scales.shape[1])] + [(0, 0)] * (q.scales.ndim - 2)
    return codes, np.pad(q.scales, more)


def _slice_operand(
    fmt: BlockFormat, operand: tuple[np.ndarray, np.ndarray | None], rows: slice, step: int, k: int
) -> Operand:
    """The part of a padded operand that one step of one tile sees."""
    codes, scales = operand
    if scales is not None:
        block = fmt.block_size or codes.shape[1]
        scales = scales[rows, step // block : (step + k) // block]
    return Operand(fmt, codes[rows, step : step + k], scales)

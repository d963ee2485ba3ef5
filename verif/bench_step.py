"""What golden makes of one step of a mac, whatever its accumulator, for many at once."""

import numpy as np

from golden.arith import mac_step, step_addends
from golden.formats import BlockFormat
from golden.fused import fused_sum
from golden.operand import Operand
from golden.presets import PRESETS
from golden.tables import element_table


def after_step(
    fa: BlockFormat, fb: BlockFormat, acc: str, operands, c: np.ndarray, fraction: int | None = None
) -> np.ndarray:
    """Accumulators after ``c`` plus K products, bits (...).

    ``operands``: codes of a (..., K), its scale codes (..., blocks[, 2]), those of b; scales of a
    format without are left alone. ``c``: bits (...), binary32 or int32.
    ``fraction``: F of fp32, None for the pair's own.
    """
    a_codes, a_scales, b_codes, b_scales = operands
    if acc == "int32":
        a, b = (element_table(f.element).integer[x] for f, x in ((fa, a_codes), (fb, b_codes)))
        total = c.view(np.int32) + (a * b).sum(axis=-1)
        return (total & 0xFFFFFFFF).astype(np.uint32)
    a_scales, b_scales = (
        scales if fmt.has_block_scale else None for fmt, scales in ((fa, a_scales), (fb, b_scales))
    )
    if acc not in PRESETS:
        return mac_step(fa, fb, a_codes, a_scales, b_codes, b_scales, c, fraction)
    preset = PRESETS[acc]
    for start in range(0, a_codes.shape[-1], preset.length):
        a, b = (
            part(fmt, codes, scales, start, preset.length)
            for fmt, codes, scales in ((fa, a_codes, a_scales), (fb, b_codes, b_scales))
        )
        c = fused_sum(step_addends(a, b, size=preset.size), c, preset.accumulator)
    return c


def part(fmt: BlockFormat, codes: np.ndarray, scales, start: int, length: int) -> Operand:
    """``length`` elements from ``start`` on, with the scales of their blocks."""
    codes = codes[..., start : start + length]
    if scales is None:
        return Operand(fmt, codes, None)
    size = fmt.block_size
    axis = -1 if fmt.sides == 1 else -2
    taken = np.arange(start // size, (start + length) // size)
    return Operand(fmt, codes, np.take(scales, taken, axis=axis))

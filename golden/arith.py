"""Dot products of codes, bit for bit as NUMERICS section 4 has them: exact, and with one rounding
per step.
"""

from dataclasses import dataclass, replace

import numpy as np

from golden.formats import BlockFormat
from golden.fused import Accumulator, Addends, fused_sum
from golden.operand import Operand, specials
from golden.tables import addend_size, sums_in_groups

GROUP_FRACTION_BITS = 35
PRODUCT_FRACTION_BITS = 25


@dataclass
class DotResult:
    """Exact sums of the element products, shape (..., combinations).

    ``sums``: in units of ``2**(a.element.ulp_exponent + b.element.ulp_exponent)``, int64 when they
    always fit, else object. Combinations: one for one-sided pairs; (+, -) with one two-sided
    operand; (++, +-, -+, --), a's sign first, with two. The bool arrays of shape (...) are ``nan``
    for a NaN element or Inf times zero, and else ``pos_inf`` and ``neg_inf`` for Inf products,
    which may both be set; where any is, the sums are 0.
    """

    sums: np.ndarray
    nan: np.ndarray
    pos_inf: np.ndarray
    neg_inf: np.ndarray


def dot(fa: BlockFormat, fb: BlockFormat, a_codes: np.ndarray, b_codes: np.ndarray) -> DotResult:
    """The exact dot product of the last axes of two code arrays (..., K); leading axes broadcast.

    Scales play no part. Every combination of sides has its own sum; a product of zero is in none.

    >>> from golden.formats import get_format
    >>> f = get_format("amxfp4")
    >>> dot(f, f, np.array([2, 15]), np.array([2, 2])).sums.tolist()  # 1*1 and -6*1, in 1/4
    [4, 0, -24, 0]
    """
    a, b = (
        Operand(replace(f, scale=None), codes, None) for f, codes in ((fa, a_codes), (fb, b_codes))
    )
    bound = a.table.largest_integer * b.table.largest_integer * a.k
    dtype = np.float64 if bound < 1 << 53 else np.int64 if bound < 1 << 63 else object
    sums = np.stack([_inner(p, q) for p in a.sides(dtype) for q in b.sides(dtype)], axis=-1)
    nan, pos_inf, neg_inf = specials(a, b)
    pos_inf, neg_inf = pos_inf & ~nan, neg_inf & ~nan
    sums = sums if dtype is object else sums.astype(np.int64)
    finite = ~(nan | pos_inf | neg_inf)
    return DotResult(np.where(finite[..., None], sums, 0), nan, pos_inf, neg_inf)


def mac_step(
    fa: BlockFormat,
    fb: BlockFormat,
    a_codes: np.ndarray,
    a_scales: np.ndarray | None,
    b_codes: np.ndarray,
    b_scales: np.ndarray | None,
    c: np.ndarray,
    fraction_bits: int | None = None,
) -> np.ndarray:
    """One step of the ``fp32`` accumulator: ``c`` plus K products as one fused aligned sum.

    Codes: uint8 (..., K), K a multiple of both blocks. Scales: uint8 (..., K / block), two-sided
    (..., K / block, 2) with the positive side first, None for formats without. ``c``: binary32 bits
    (...). Leading axes broadcast. Returns the binary32 bits (...), uint32.
    ``fraction_bits``: F, by default 35 when products are summed in groups, else 25.
    Raises ValueError for blocks that do not divide each other or K, and for a wrong count of
    scales.

    >>> from golden.formats import get_format
    >>> f = get_format("mxfp4")
    >>> one = np.full(32, 2, np.uint8)
    >>> bits = mac_step(f, f, one, np.array([127]), one, np.array([128]), np.uint32(0x3F800000))
    >>> float(bits.view(np.float32))  # 1 + 32 * 1 * 1 * 2
    65.0
    """
    a, b = Operand(fa, a_codes, a_scales), Operand(fb, b_codes, b_scales)
    if fraction_bits is None:
        fraction_bits = default_fraction_bits(fa, fb)
    return fused_sum(step_addends(a, b), c, Accumulator(fraction_bits))


def default_fraction_bits(fa: BlockFormat, fb: BlockFormat) -> int:
    """F of the ``fp32`` accumulator for a pair: 35 when it sums in groups, else 25.

    >>> from golden.formats import get_format
    >>> default_fraction_bits(get_format("nvfp4"), get_format("mxfp8_e4m3"))
    25
    """
    return GROUP_FRACTION_BITS if sums_in_groups(fa, fb) else PRODUCT_FRACTION_BITS


def step_addends(a: Operand, b: Operand, outer: bool = False, size: int | None = None) -> Addends:
    """The addends of one step (..., count).

    ``size``: 1 for one addend per product, else how many products a group sums exactly; what the
    pair calls for if None. With ``outer``, operands of (M, K) and (N, K) codes give every row with
    every column, (M, N, count).

    >>> from golden.formats import get_format
    >>> operand = Operand(get_format("fp8_e4m3"), np.uint8([0x3C, 0xC0]), None)  # 1.5 and -2
    >>> addends = step_addends(operand, operand)
    >>> addends.significand.tolist(), addends.exponent.tolist(), addends.fraction_width
    ([144, 64], [0, 2], 6)
    """
    if size is None:
        size = addend_size(a.fmt, b.fmt, a.k)
    nan, pos_inf, neg_inf = specials(a, b, outer)
    nan = nan | (a.nan[:, None] | b.nan if outer else a.nan | b.nan)
    width = a.scale_width + b.scale_width
    bound = a.scale_bound * b.scale_bound
    if size == 1:
        (s_a, e_a), (s_b, e_b) = a.factors(), b.factors()
        if outer:
            s_a, e_a = s_a[:, None], e_a[:, None]
        significand = s_a * s_b
        width += a.table.fraction_width + b.table.fraction_width
        bound *= a.table.largest_significand * b.table.largest_significand
        return Addends(
            significand, e_a + e_b, significand != 0, width, bound, nan, pos_inf, neg_inf
        )

    width -= a.table.ulp_exponent + b.table.ulp_exponent
    sum_bound = a.table.largest_integer * b.table.largest_integer * size
    contract = _outer if outer else _inner
    parts = [
        [
            p.reshape(*p.shape[:-1], -1, size)
            for p in o.sides(np.float32 if sum_bound < 1 << 24 else np.float64)
        ]
        for o in (a, b)
    ]
    significands, exponents, nonzeros = [], [], []
    for p, (scale_a, e_a) in zip(parts[0], a.group_scales(size)):
        if outer:
            scale_a, e_a = scale_a[:, None], e_a[:, None]
        for q, (scale_b, e_b) in zip(parts[1], b.group_scales(size)):
            total = contract(p, q)
            # Products of one combination of signs cannot cancel; others need the sum of magnitudes.
            mass = total if a.fmt.sides == b.fmt.sides == 2 else contract(np.abs(p), np.abs(q))
            scale = scale_a * scale_b
            significands.append(total.astype(np.int64) * scale)
            exponents.append(e_a + e_b)
            nonzeros.append((mass != 0) & (scale != 0))
    significand, exponent, nonzero = (
        np.concatenate(x, axis=-1) for x in (significands, exponents, nonzeros)
    )
    return Addends(significand, exponent, nonzero, width, bound * sum_bound, nan, pos_inf, neg_inf)


def _inner(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Sum of products along the last axis."""
    return (p * q).sum(axis=-1) if p.dtype == object else np.einsum("...k,...k->...", p, q)


def _outer(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """(M, groups, size) and (N, groups, size) to (M, N, groups), by the host's matrix product."""
    return np.moveaxis(np.moveaxis(p, 1, 0) @ q.transpose(1, 2, 0), 0, -1)

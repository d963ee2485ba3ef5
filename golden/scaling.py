"""Block scales: from the largest magnitudes of a block to scale codes, by every rule of NUMERICS
section 3.

Why binary64 division decides as the real quotient does: x has 24 significant bits, the scale s at
most 28 (ue4m3 times a binary32 tensor scale) and a rounding threshold T at most 12, so x and T s
are integers of at most 40 bits over a common power of two. Unless equal they differ by 2^-40 of
their size or more, far above the 2^-53 of the division's rounding, and x = T s gives T itself.
"""

import numpy as np

from golden.cast import cast_float
from golden.formats import BlockFormat, DenormalIntFormat, FloatFormat

_ABSOLUTE = np.uint32(0x7FFFFFFF)
_INF = np.uint32(0x7F800000)


def block_maxima(blocks: np.ndarray, sides: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest magnitude per side (B, sides), float32, and which blocks hold a NaN or Inf (B,).

    ``blocks``: float32 (B, size). One side takes all elements; two are the positive and the
    negative ones.

    >>> block_maxima(np.float32([[1, -3, 0]]), 2)[0].tolist()
    [[1.0, 3.0]]
    """
    bits = blocks.view(np.uint32)
    if sides == 1:
        top = np.maximum.reduce(bits & _ABSOLUTE, axis=1)[:, None]
    else:
        # Bit patterns order like magnitudes: as signed the positive ones lead, as unsigned the
        # negative.
        positive = np.maximum.reduce(blocks.view(np.int32), axis=1, initial=0).view(np.uint32)
        negative = np.maximum.reduce(bits, axis=1)
        top = np.stack([positive, np.where(negative > _ABSOLUTE, negative & _ABSOLUTE, 0)], axis=1)
    return top.view(np.float32), (top >= _INF).any(axis=1)


def rounding_significand(element) -> float:
    """The significand from which amax rounds to the next power of two on the element's grid.

    1.75 for e2m1, 1.9375 for e4m3; integers count as floats with width - 2 mantissa bits.

    >>> from golden.formats import E2M1, MXINT8
    >>> rounding_significand(E2M1), rounding_significand(MXINT8)
    (1.75, 1.9921875)
    """
    m = element.mantissa_width if isinstance(element, FloatFormat) else element.width - 2
    return 2 - 2.0 ** -(m + 1)


def scale_exponents(maxima: np.ndarray, element, rule: str) -> np.ndarray:
    """log2 of the scale by a power-of-two rule, before any clamping, for positive float64 maxima.

    ``floor``, ``ceil``, ``rceil``, ``even`` and ``oas`` as in NUMERICS section 3. For elements
    other than e2m1 ``oas`` is ``even`` with its tie the other way, as it is for e2m1 (our choice).
    Raises ValueError for another rule.

    >>> from golden.formats import E2M1
    >>> x = np.array([3.5, 6.0, 7.0, 7.5])
    >>> {r: scale_exponents(x, E2M1, r).tolist() for r in ("floor", "rceil", "even", "oas")}
    {'floor': [-1, 0, 0, 0], 'rceil': [0, 0, 1, 1], 'even': [0, 0, 1, 1], 'oas': [-1, 0, 0, 1]}
    """
    fraction, exponent = np.frexp(maxima)
    significand = 2 * fraction
    if rule == "floor":
        up = np.zeros(maxima.shape, bool)
    elif rule == "ceil":
        up = significand > 1
    elif rule == "rceil":
        up = significand > 2 * np.frexp(element.largest)[0]
    elif rule == "even":
        up = significand >= rounding_significand(element)
    elif rule == "oas":
        up = significand > rounding_significand(element)
    else:
        raise ValueError(
            f"Scale rule must be one of floor, ceil, rceil, even, oas, amax, not {rule!r}"
        )
    return exponent - 1 - element.max_exponent + up


def tensor_scale(largest: np.float32, fmt: BlockFormat) -> np.float32:
    """The binary32 scale that puts the largest magnitude at the largest element times scale.

    >>> from golden.formats import get_format
    >>> float(tensor_scale(np.float32(5376), get_format("nvfp4")))
    2.0
    """
    assert fmt.scale is not None
    t = np.float32(largest) / np.float32(fmt.element.largest * fmt.scale.largest)
    return t if t != 0 else np.float32(1)


def block_scales(
    maxima: np.ndarray, fmt: BlockFormat, t: np.ndarray | np.float32 | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Scale codes, and their values as float64, for the largest magnitudes (B, sides) of each side.

    Codes are uint8, or float32 values for a binary32 scale. A side of maximum 0, or whose scale
    rounds to 0, has code 0 and value 0. ``t``: the tensor scale, not part of the values.

    >>> from golden.formats import get_format
    >>> codes, values = block_scales(np.array([[12.0, 0.0]]), get_format("amxfp4"))
    >>> codes.tolist(), values.tolist()
    ([[64, 0]], [[2.0, 0.0]])
    """
    element, scale = fmt.element, fmt.scale
    assert scale is not None
    maxima = maxima.astype(np.float64)
    if isinstance(element, DenormalIntFormat):
        maxima = _denormal_range(maxima, element, fmt)
    if t is not None:
        maxima = maxima / np.float64(t)
    zero = maxima == 0
    maxima = np.where(zero, 1.0, maxima)
    with np.errstate(over="ignore", under="ignore"):
        if fmt.scale_rule != "amax":
            exponent = np.clip(scale_exponents(maxima, element, fmt.scale_rule), -1022, 1023)
            quotient = np.ldexp(1.0, exponent)
        elif isinstance(element, DenormalIntFormat):
            quotient = maxima
        else:
            quotient = maxima / element.largest
        if scale.width > 8:
            # Exact: an integer of 40 bits over a short one is never near a tie but on it.
            quotient = np.minimum(quotient, np.finfo(np.float32).max)
            values = np.where(zero, 0, quotient).astype(np.float32)
            return values, values.astype(np.float64)
    codes = cast_float(quotient, scale, fmt.rounding == "nearest_away").astype(np.uint8)
    codes[zero] = 0
    values = scale.values[codes]
    return codes, np.where(zero, 0.0, values)


def _denormal_range(maxima: np.ndarray, element: DenormalIntFormat, fmt: BlockFormat) -> np.ndarray:
    """One column from the largest positive and negative magnitudes (B, 2) of dINT blocks.

    By the amax rule the step itself, as a quotient; by others the largest magnitude.
    """
    positive, negative = maxima[:, :1], maxima[:, 1:]
    if fmt.scale_rule != "amax":
        if element.asymmetric:
            raise ValueError(f"Scale rule must be amax for {element.name}, not {fmt.scale_rule!r}")
        return np.maximum(positive, negative)
    if element.asymmetric:
        return sticky_sum(positive, negative) / (element.levels - 1)
    lowest = element.zero_point or 1
    return np.maximum(positive / element.largest, negative / lowest)


def sticky_sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a + b of non-negative binary32 numbers, cut to 40 bits with the last one set if any was lost.

    It compares like the real sum with everything of up to 39 bits.

    >>> float(sticky_sum(np.float64(1), np.float64(2.0**-100))) > 1
    True
    """
    total = a + b
    # What the addition lost (Knuth), and, below the true sum, the float that holds its first bits.
    shadow = total - a
    lost = (a - (total - shadow)) + (b - shadow)
    bits = total.view(np.uint64) - (lost < 0).astype(np.uint64)
    low = bits & np.uint64(0x1FFF)
    sticky = ((low != 0) | (lost != 0)).astype(np.uint64)
    return ((bits - low) | (sticky << np.uint64(13))).view(np.float64)


def choose_zero_points(
    maxima: np.ndarray, steps: np.ndarray, element: DenormalIntFormat
) -> np.ndarray:
    """The level (B, 1), float64, that stands for zero: the nearest to -min / step, ties to even.

    ``maxima``: the largest positive and negative magnitudes (B, 2); ``steps``: (B, 1), 0 where all
    are zero.

    >>> from golden.formats import DINT4_ASYM
    >>> choose_zero_points(np.float32([[10, 3]]), np.array([[1.0]]), DINT4_ASYM).tolist()
    [[3.0]]
    """
    z = np.rint(maxima[:, 1:].astype(np.float64) / np.where(steps == 0, np.inf, steps))
    return np.clip(z, 0, element.levels - 1)

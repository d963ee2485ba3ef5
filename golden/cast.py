"""Element casts: from an exact (or decision-exact) quotient to the nearest code, on bit patterns.

A float array stands here for real numbers. It may be rounded, as long as it compares with every
rounding threshold as the real numbers do; :mod:`golden.scaling` says why the quotients do.
"""

from typing import Any

import numpy as np

from golden.formats import DenormalIntFormat, ElementFormat, FloatFormat, IntFormat

# Of binary32 and binary64: unsigned integer, mantissa width, exponent bias.
_LAYOUTS: dict[np.dtype, tuple[Any, int, int]] = {
    np.dtype(np.float32): (np.uint32, 23, 127),
    np.dtype(np.float64): (np.uint64, 52, 1023),
}


def cast(y: np.ndarray, element: ElementFormat, away: bool, signed_zero: bool = True) -> np.ndarray:
    """Codes of the element nearest to each of ``y``, saturating; ``y`` (finite) is overwritten.

    ``y``: float32 or float64, any shape, in units of the scale. ``away``: ties away from zero, else
    to even. ``signed_zero``: whether a negative value that rounds to zero gives the code of -0.
    Returns an integer array of the same shape whose low ``element.width`` bits are the code.
    Raises TypeError for an element format that is none.

    >>> from golden.formats import E2M1
    >>> cast(np.float32([0.25, 0.75, 2.5, -5, 100]), E2M1, away=False).tolist()  # 0, 1, 2, -4, 6
    [0, 2, 4, 14, 7]
    """
    if isinstance(element, FloatFormat):
        return cast_float(y, element, away, signed_zero)
    if isinstance(element, IntFormat):
        return _cast_int(y, element, away)
    if isinstance(element, DenormalIntFormat):
        return cast_denormal_int(y, element, np.array(float(element.zero_point)))
    raise TypeError(
        f"Element must be a FloatFormat, IntFormat or DenormalIntFormat, not {element!r}"
    )


def cast_float(
    y: np.ndarray,
    element: FloatFormat,
    away: bool = False,
    signed_zero: bool = True,
    saturate: bool = True,
) -> np.ndarray:
    """:func:`cast` for a float element.

    Without ``saturate`` what is too large becomes the code after the largest: Inf, or NaN.

    >>> from golden.formats import E4M3
    >>> [hex(c) for c in cast_float(np.float64([464, 465]), E4M3, saturate=False)]  # 464 is a tie
    ['0x7e', '0x7f']
    """
    uint, mantissa, bias = _LAYOUTS[y.dtype]
    top = 8 * y.dtype.itemsize - 1
    width, m = element.exponent_width + element.mantissa_width, element.mantissa_width
    bits = y.view(uint)
    sign = None
    if element.signed:
        sign = bits >> uint(top - width)
        sign &= uint(1 << width)
    limit = element.largest if saturate else np.ldexp(1.0, element.max_exponent + 1)
    magic = _rounded_sum(y, element, away, limit)
    bits -= magic  # the rounded significand, hidden bit included
    magic >>= uint(mantissa - m)
    bits += magic
    bits -= uint((element.min_exponent + bias + mantissa - m) << m)
    if not element.subnormals:
        np.maximum(bits, uint(1 << m), out=bits)
        bits -= uint(1 << m)
    if not saturate:
        last = int(np.nanargmax(np.where(np.isinf(element.values), -1, element.values)))
        np.minimum(bits, uint(last + 1), out=bits)
    if sign is not None:
        if not signed_zero:
            sign *= bits != 0
        bits |= sign
    return bits


def round_magnitude(y: np.ndarray, element: FloatFormat, away: bool = False) -> np.ndarray:
    """The magnitude of the element nearest to each of ``y``, saturating; ``y`` is overwritten.

    >>> from golden.formats import E2M1
    >>> round_magnitude(np.float32([-2.5, 0.3, 9]), E2M1).tolist()
    [2.0, 0.5, 6.0]
    """
    magic = _rounded_sum(y, element, away, element.largest)
    y -= magic.view(y.dtype)
    return y


def _rounded_sum(y: np.ndarray, element: FloatFormat, away: bool, limit: float) -> np.ndarray:
    """Turn ``y`` into min(abs(y), limit) plus a power of two, returned as bits, that rounds it.

    The power of two is 2^(E + mantissa - m), E the exponent of y's binade: the sum's unit is one
    ulp of the element there, so the host's own rounding to nearest even is the cast.
    """
    uint, mantissa, bias = _LAYOUTS[y.dtype]
    top = 8 * y.dtype.itemsize - 1
    bits = y.view(uint)
    bits &= uint((1 << top) - 1)
    np.minimum(bits, y.dtype.type(limit).view(uint), out=bits)
    if away:
        # A tie ends in zeros; its neighbours on the near side end in ones already.
        bits |= uint(1)
    magic = bits & uint(((1 << (top - mantissa)) - 1) << mantissa)
    np.maximum(magic, uint((element.min_exponent + bias) << mantissa), out=magic)
    magic += uint((mantissa - element.mantissa_width) << mantissa)
    np.add(y, magic.view(y.dtype), out=y)
    return magic


def _cast_int(y: np.ndarray, element: IntFormat, away: bool) -> np.ndarray:
    """Two's complement, symmetric: the most negative code is never produced."""
    largest = (1 << (element.width - 1)) - 1
    y *= y.dtype.type(1 << element.fraction_width)
    np.clip(y, -largest, largest, out=y)
    if away:
        bits = y.view(_LAYOUTS[y.dtype][0])
        bits |= bits.dtype.type(1)
    np.rint(y, out=y)
    codes = y.astype(np.int8)
    return codes if element.width == 8 else codes & np.int8((1 << element.width) - 1)


def cast_denormal_int(
    y: np.ndarray, element: DenormalIntFormat, zero_point: np.ndarray
) -> np.ndarray:
    """dINT: nearest of the uniform levels and the two half steps, ties to the larger magnitude.

    ``zero_point``: float array that broadcasts against ``y``.

    >>> from golden.formats import DINT4
    >>> cast_denormal_int(np.float64([0.25, -0.6, 0.75, 9]), DINT4, np.float64(7)).tolist()
    [14, 15, 8, 13]
    """
    magnitude = np.abs(y)
    level = y.copy()
    bits = level.view(_LAYOUTS[y.dtype][0])
    bits |= bits.dtype.type(1)
    np.rint(level, out=level)
    level += zero_point
    np.clip(level, 0, element.levels - 1, out=level)
    # Where zero is the last level, the half step beyond it is the largest of its sign.
    negative = y < 0
    last = np.where(negative, zero_point == 0, zero_point == element.levels - 1)
    half = (magnitude >= 0.25) & ((magnitude < 0.75) | last)
    return np.where(half, element.levels + negative.astype(np.uint8), level.astype(np.uint8))

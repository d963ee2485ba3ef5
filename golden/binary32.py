"""Binary32 as bit patterns: apart, and back from an exact integer with one rounding."""

import numpy as np

NAN = 0x7FC00000
INF = 0x7F800000
SIGN = 0x80000000
FRACTION_WIDTH = 23
MIN_EXPONENT = -126

_ULP_EXPONENT = MIN_EXPONENT - FRACTION_WIDTH  # -149, the weight of a subnormal's last bit


def unpack(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Signed significand (23 fraction bits), exponent, is-NaN and is-Inf of binary32 bits.

    A subnormal keeps the minimum exponent and its leading zeros; NaN and Inf give significand 0.

    >>> [int(v) for v in unpack(np.uint32(0xC0400000))[:2]]  # -3.0 = -1.5 * 2^1
    [-12582912, 1]
    """
    bits = np.asarray(bits, np.uint32).astype(np.int64)
    field = (bits >> FRACTION_WIDTH) & 0xFF
    fraction = bits & 0x7FFFFF
    finite = field != 0xFF
    significand = np.where(finite, fraction | ((field != 0).astype(np.int64) << FRACTION_WIDTH), 0)
    exponent = np.where(finite, np.maximum(field, 1) - 127, MIN_EXPONENT)
    nan, inf = ~finite & (fraction != 0), ~finite & (fraction == 0)
    return np.where(bits & SIGN, -significand, significand), exponent, nan, inf


def bit_length(magnitude: np.ndarray) -> np.ndarray:
    """Bits of each non-negative int64 below 2**62; 0 has none.

    >>> bit_length(np.array([0, 1, 7, 8, 2**61 - 1])).tolist()
    [0, 1, 3, 4, 61]
    """
    length = np.frexp(magnitude.astype(np.float64))[1].astype(np.int64)
    # The conversion rounds above 2^53 and may reach the next power of two.
    return length - ((magnitude >> np.maximum(length - 1, 0)) == 0) * (length > 0)


def pack(
    total: np.ndarray, exponent: np.ndarray, *, fraction_width: int = 23, truncate: bool = False
) -> np.ndarray:
    """The exact value ``total * 2**exponent`` as binary32 bits (uint32), rounded once.

    ``total``: int64, magnitude below 2**61. Nearest even, or toward zero with ``truncate``, to
    ``fraction_width`` fraction bits; subnormals kept; overflow gives Inf; a zero total is +0 and a
    nonzero one that rounds to zero keeps its sign.

    >>> hex(int(pack(np.array(3), np.array(-1))))  # 1.5
    '0x3fc00000'
    >>> hex(int(pack(np.array(2**24 + 3), np.array(0))))  # a tie goes to even
    '0x4b800002'
    """
    magnitude = np.abs(total)
    dropped = FRACTION_WIDTH - fraction_width
    quantum = np.maximum(
        bit_length(magnitude) + exponent - (fraction_width + 1), _ULP_EXPONENT + dropped
    )
    # | kept | dropped by right | ; a shift of 62 leaves nothing of what fits 61 bits
    right = np.clip(quantum - exponent, 0, 62)
    left = np.clip(exponent - quantum, 0, 62)
    if truncate:
        kept = (magnitude >> right) << left
    else:
        odd = (magnitude >> right) & 1
        half = (np.int64(1) << np.maximum(right - 1, 0)) - 1 + odd
        kept = ((magnitude + np.where(right > 0, half, 0)) >> right) << left
    # The hidden bit of a normal significand adds one to the exponent field; a carry out adds two.
    field = np.minimum(quantum - dropped - _ULP_EXPONENT, 255)
    bits = np.minimum((field << FRACTION_WIDTH) + (kept << dropped), INF) * (magnitude != 0)
    return (bits | np.where(total < 0, SIGN, 0)).astype(np.uint32)


def to_bf16(bits: np.ndarray) -> np.ndarray:
    """binary32 bits (uint32) as bfloat16 bits (uint16), nearest even; every NaN becomes 0x7FC0.

    >>> [hex(x) for x in to_bf16(np.uint32([0x3F808000, 0x3F818000, 0x7F7FFFFF, 0x7FFFFFFF]))]
    ['0x3f80', '0x3f82', '0x7f80', '0x7fc0']
    """
    wide = bits.astype(np.uint64)
    rounded = (wide + np.uint64(0x7FFF) + (wide >> np.uint64(16) & np.uint64(1))) >> np.uint64(16)
    is_nan = (bits & np.uint32(0x7FFFFFFF)) > INF
    return np.where(is_nan, 0x7FC0, rounded).astype(np.uint16)

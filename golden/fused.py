"""The fused aligned sum: many exact addends of any exponent, truncated to one grid, summed, rounded
once.
"""

from dataclasses import dataclass

import numpy as np

from golden import binary32

_FAR = -(1 << 20)  # below every exponent of ours


@dataclass
class Addends:
    """Addends ``significand * 2**(exponent - fraction_width)`` along the last axis.

    ``significand``: int64, at most ``bound`` in magnitude. ``nonzero`` marks those that count for
    the largest exponent, which a sum that cancelled does too. ``nan``, ``positive_inf`` and
    ``negative_inf`` have the leading shape: what the addends hold besides finite values.
    """

    significand: np.ndarray
    exponent: np.ndarray
    nonzero: np.ndarray
    fraction_width: int
    bound: int
    nan: np.ndarray
    positive_inf: np.ndarray
    negative_inf: np.ndarray


@dataclass(frozen=True)
class Accumulator:
    """How one fused aligned sum aligns and rounds; the defaults are those of ``fp32``.

    ``fraction_bits``: F. ``zero_exponent``: the exponent with which zeros take part in ``e_max``;
    None leaves them out. ``output_fraction``: fraction bits of the result. ``truncate``: rounding
    toward zero, else to nearest even. ``nan``: the bits of a NaN. ``signed_zero``: whether a
    negative sum that rounds to zero is -0.
    """

    fraction_bits: int
    zero_exponent: int | None = None
    output_fraction: int = binary32.FRACTION_WIDTH
    truncate: bool = False
    nan: int = binary32.NAN
    signed_zero: bool = True


def fused_sum(addends: Addends, c: np.ndarray, accumulator: Accumulator) -> np.ndarray:
    """``c`` plus the addends as binary32 bits, as NUMERICS section 4 has it.

    Every addend and ``c`` (binary32 bits) is truncated toward zero to a multiple of
    ``2**(e_max - fraction_bits)``, ``e_max`` the largest exponent of the nonzero ones; the exact
    sum is rounded once.

    Raises ValueError if ``fraction_bits`` makes the sum wider than 61 bits.

    >>> none = np.array(False)
    >>> s, e = np.array([3, 1]), np.array([0, -9])
    >>> two = Addends(s, e, s != 0, 0, 3, none, none, none)
    >>> [float(fused_sum(two, np.uint32(0), Accumulator(f)).view(np.float32)) for f in (8, 9)]
    [3.0, 3.001953125]
    """
    fraction_bits, zero_exponent = accumulator.fraction_bits, accumulator.zero_exponent
    count = addends.significand.shape[-1]
    grown = max(fraction_bits - addends.fraction_width, 0)
    width = max((addends.bound * count << grown).bit_length(), fraction_bits + 1) + 1
    if width > 61:
        raise ValueError(
            f"Fraction bits must be at most {fraction_bits - (width - 61)}, not {fraction_bits}"
        )

    c_significand, c_exponent, c_nan, c_inf = binary32.unpack(c)
    c_exponent = np.where(c_significand != 0, c_exponent, _FAR)
    exponent = np.where(addends.nonzero, addends.exponent, _FAR)
    largest = np.maximum(exponent.max(axis=-1, initial=_FAR), c_exponent)
    if zero_exponent is not None:
        any_zero = ~addends.nonzero.all(axis=-1) | (c_significand == 0)
        largest = np.where(any_zero, np.maximum(largest, zero_exponent), largest)

    total = _aligned(
        addends.significand, largest[..., None] - exponent, fraction_bits - addends.fraction_width
    )
    total = total.sum(axis=-1) + _aligned(
        c_significand, largest - c_exponent, fraction_bits - binary32.FRACTION_WIDTH
    )
    bits = binary32.pack(
        total,
        largest - fraction_bits,
        fraction_width=accumulator.output_fraction,
        truncate=accumulator.truncate,
    )

    if not accumulator.signed_zero:
        bits = np.where(bits == binary32.SIGN, np.uint32(0), bits)

    c_negative = (np.asarray(c) & np.uint32(binary32.SIGN)) != 0
    positive_inf = addends.positive_inf | (c_inf & ~c_negative)
    negative_inf = addends.negative_inf | (c_inf & c_negative)
    nan = addends.nan | c_nan | (positive_inf & negative_inf)
    if positive_inf.any() or negative_inf.any() or nan.any():
        bits = np.where(positive_inf, np.uint32(binary32.INF), bits)
        bits = np.where(negative_inf, np.uint32(binary32.SIGN | binary32.INF), bits)
        bits = np.where(nan, np.uint32(accumulator.nan), bits)
    return bits


def _aligned(significand: np.ndarray, distance: np.ndarray, grown: int) -> np.ndarray:
    """``significand * 2**(grown - distance)`` truncated toward zero."""
    right = np.clip(distance - grown, 0, 63) if grown < 0 else np.clip(distance, 0, 63)
    magnitude = np.abs(significand)
    magnitude = (magnitude << max(grown, 0)) >> right
    return np.where(significand < 0, -magnitude, magnitude)

"""The ``exact`` accumulator: a fixed-point register in which nothing is lost inside its window."""

from dataclasses import dataclass

import numpy as np

from golden import binary32
from golden.quantized import Quantized, padded
from golden.tables import addend_size, element_table, scale_table

_C_LOW, _C_HIGH = binary32.MIN_EXPONENT - binary32.FRACTION_WIDTH, 128


@dataclass(frozen=True)
class Window:
    """What a fixed-point accumulator holds: multiples of ``2**low``, addends below ``2**high``.

    ``length``: how many such addends it can add before it might overflow; that adds
    ``ceil(log2(length))`` bits above ``high``, and the sign one more. A start value counts as one.
    Raises ValueError for a window without a bit or a length.

    >>> Window(-20, 20, 1024).width
    51
    """

    low: int
    high: int
    length: int

    def __post_init__(self) -> None:
        if self.high <= self.low:
            raise ValueError(f"Window must have high above low, not {self.high} and {self.low}")
        if self.length < 1:
            raise ValueError(f"Window length must be at least 1, not {self.length}")

    @property
    def width(self) -> int:
        """Bits of the accumulator, sign included."""
        return self.high - self.low + (self.length - 1).bit_length() + 1


def full_window(qa: Quantized, qb: Quantized) -> Window:
    """The window that no finite product of two operands, and no binary32 start value, can leave.

    >>> from golden import quantize
    >>> q = quantize(np.ones((1, 64), np.float32), "nvfp4")
    >>> full_window(q, q)
    Window(low=-149, high=128, length=5)
    """
    k = padded(qa.shape[1], max(32, *(q.format.block_size or 1 for q in (qa, qb))))
    size = addend_size(qa.format, qb.format, k)
    low, high = 0, (size - 1).bit_length()
    for fmt in (qa.format, qb.format):
        table = element_table(fmt.element)
        low += table.ulp_exponent
        high += table.largest_integer.bit_length() + table.ulp_exponent
        if fmt.scale is not None:
            low += scale_table(fmt.scale).ulp_exponent
            high += fmt.scale.max_exponent + 1
    addends = k // size * (qa.format.sides * qb.format.sides if size > 1 else 1)
    return Window(min(low, _C_LOW), max(high, _C_HIGH), addends + 1)


def exact_sums(steps, c: np.ndarray, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Sum of all addends of ``steps`` onto ``c`` (M, N), binary32 bits, rounded once, as float32;
    and the sticky overflow flags (M, N): whether an addend or a sum did not fit the window.

    An accumulator whose flag is set reads as NaN. NaN and Inf operands count as in ``fp32``, fit
    every window, and leave the flag to the others. ``steps`` has the iterators ``tiles(shape)`` and
    ``of(tile)`` of :class:`golden.product.Steps`.

    >>> from golden import matmul, quantize
    >>> q = quantize(np.float32([[1, 2.0**-20]]), "bf16")
    >>> matmul(q, q, "exact").tolist(), matmul(q, q, "exact", window=Window(-20, 8, 4)).tolist()
    ([[1.0]], [[nan]])
    """
    out, overflow = np.empty(c.shape, np.uint32), np.empty(c.shape, bool)
    limit = 1 << (window.width - 1)
    for tile in steps.tiles(c.shape):
        significand, exponent, nan, inf = binary32.unpack(c[tile])
        negative = (c[tile] & np.uint32(binary32.SIGN)) != 0
        pos_inf, neg_inf = inf & ~negative, inf & negative
        total, lost = _fixed(significand, exponent - binary32.FRACTION_WIDTH, window)
        for addends in steps.of(tile):
            values, outside = _fixed(
                addends.significand, addends.exponent - addends.fraction_width, window
            )
            total = total + values.sum(axis=-1)
            lost = lost | outside.any(axis=-1) | (abs(total) >= limit)
            nan = nan | addends.nan
            pos_inf, neg_inf = pos_inf | addends.positive_inf, neg_inf | addends.negative_inf
        bits = _round(total, window.low)
        bits[pos_inf] = binary32.INF
        bits[neg_inf] = binary32.SIGN | binary32.INF
        bits[nan | lost | (pos_inf & neg_inf)] = binary32.NAN
        out[tile], overflow[tile] = bits, lost
    return out.view(np.float32), overflow


def _fixed(
    significand: np.ndarray, exponent: np.ndarray, window: Window
) -> tuple[np.ndarray, np.ndarray]:
    """Values in units of ``2**low``, object integers, and which of them do not fit."""
    # Trailing zeros first: what is below the window's last bit may be nothing.
    lowest = np.where(significand == 0, 1, significand & -significand)
    zeros = binary32.bit_length(lowest) - 1
    magnitude = np.abs(significand) >> zeros
    place = exponent + zeros
    nonzero = significand != 0
    outside = nonzero & (
        (place < window.low) | (place + binary32.bit_length(magnitude) > window.high)
    )
    keep = nonzero & ~outside
    shift = np.where(keep, place - window.low, 0).astype(object)
    units = np.where(keep, np.where(significand < 0, -magnitude, magnitude), 0).astype(object)
    return units << shift, outside


def _round(total: np.ndarray, low: int) -> np.ndarray:
    """Object integers times ``2**low`` as binary32 bits, nearest even."""
    bits = np.empty(total.shape, np.uint32)
    for index, value in np.ndenumerate(total):
        # Beyond 60 bits a sticky bit stands for the rest.
        magnitude = abs(value)
        drop = max(magnitude.bit_length() - 60, 0)
        short = magnitude >> drop
        if short << drop != magnitude:
            short |= 1
        signed = np.array(-short if value < 0 else short)
        bits[index] = binary32.pack(signed, np.array(low + drop))
    return bits

"""Integer tables of the element and scale formats: what a decoder in hardware would hand on."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from golden.formats import BlockFormat, ElementFormat, FloatFormat


@dataclass(frozen=True, eq=False)
class Table:
    """Decoded codes. Arrays are indexed by code; NaN and Inf codes have significand and integer 0.

    ``significand``: signed, ``fraction_width`` fraction bits, below 2 for floats.
    ``exponent``: its power of two (subnormals at the minimum, integers at 0).
    ``integer``: the value in units of ``2**ulp_exponent``, int64 if it fits 53 bits, else object.
    """

    significand: np.ndarray
    exponent: np.ndarray
    fraction_width: int
    integer: np.ndarray
    ulp_exponent: int
    nan: np.ndarray
    inf: np.ndarray

    @property
    def largest_significand(self) -> int:
        return int(np.max(np.abs(self.significand)))

    @property
    def largest_integer(self) -> int:
        return max(abs(int(i)) for i in self.integer)


@cache
def element_table(element: ElementFormat) -> Table:
    """The table of an element format of at most 16 bits.

    >>> t = element_table(FloatFormat("e2m1", 4, 2, 1, 1))
    >>> t.significand[:8].tolist(), t.exponent[:8].tolist(), t.integer[:8].tolist()
    ([0, 1, 2, 3, 2, 3, 2, 3], [0, 0, 0, 0, 1, 1, 2, 2], [0, 1, 2, 3, 4, 6, 8, 12])
    """
    values = element.values
    nan, inf = np.isnan(values), np.isinf(values)
    finite = np.where(nan | inf, 0.0, values)
    ulp = element.ulp_exponent
    if isinstance(element, FloatFormat):
        exponent = np.maximum(np.frexp(finite)[1] - 1, element.min_exponent)
        exponent = np.where(finite == 0, element.min_exponent, exponent).astype(np.int64)
        fraction_width = element.mantissa_width
    else:
        exponent = np.zeros(len(values), np.int64)
        fraction_width = -ulp
    significand = np.ldexp(finite, fraction_width - exponent).astype(np.int64)
    span = int(exponent.max()) - ulp + 2
    if span <= 53:
        integer = np.ldexp(finite, -ulp).astype(np.int64)
    else:
        shift = exponent - fraction_width - ulp
        integer = np.array([int(s) << int(e) for s, e in zip(significand, shift)], object)
    return _frozen(Table(significand, exponent, fraction_width, integer, ulp, nan, inf))


@cache
def scale_table(scale: FloatFormat) -> Table:
    """The table of an 8-bit scale format; Inf is NaN, bits above the format's are ignored.

    >>> t = scale_table(FloatFormat("ue4m3", 8, 4, 3, 7, "nan", signed=False))
    >>> int(t.significand[0x3C]), int(t.exponent[0x3C]), bool(t.nan[0x7F])  # 12/8 * 2^0
    (12, 0, True)
    """
    width = scale.exponent_width + scale.mantissa_width
    table = element_table(scale)
    index = np.arange(1 << scale.width) & ((1 << width) - 1)
    nan = (table.nan | table.inf)[index]
    return _frozen(
        Table(
            table.significand[index],
            table.exponent[index],
            table.fraction_width,
            table.integer[index],
            table.ulp_exponent,
            nan,
            np.zeros_like(nan),
        )
    )


def _frozen(table: Table) -> Table:
    for array in (table.significand, table.exponent, table.integer, table.nan, table.inf):
        array.flags.writeable = False
    return table


def sums_in_groups(a: BlockFormat, b: BlockFormat) -> bool:
    """Whether a pair's products are summed exactly block by block before alignment (NUMERICS
    section 4).

    True when both elements are integers or have at most six bits.

    >>> from golden.formats import get_format
    >>> sums_in_groups(get_format("mxint8"), get_format("mxfp6_e3m2"))
    True
    """
    return all(not isinstance(f.element, FloatFormat) or f.element.width <= 6 for f in (a, b))


def group_size(a: BlockFormat, b: BlockFormat, k: int) -> int:
    """Elements of one block pair: the smaller of the two blocks, a whole step of ``k`` when neither
    has one.

    Raises ValueError when the larger block is not a multiple of the smaller, or ``k`` of both.

    >>> from golden.formats import get_format
    >>> group_size(get_format("mxfp4"), get_format("nvfp4"), 64)
    16
    """
    blocks = [f.block_size for f in (a, b) if f.block_size is not None and f.scale is not None]
    size = min(blocks, default=k)
    for block in blocks:
        if block % size:
            raise ValueError(f"Block sizes must divide each other, not {blocks[0]} and {blocks[1]}")
        if k % block:
            raise ValueError(f"K must be a multiple of {a.name}'s and {b.name}'s blocks, not {k}")
    return size


def addend_size(a: BlockFormat, b: BlockFormat, k: int) -> int:
    """Products per addend of the fused sum: :func:`group_size`, or 1 for pairs with wide floats.

    >>> from golden.formats import get_format
    >>> addend_size(get_format("mxfp4"), get_format("mxfp8_e4m3"), 32)
    1
    """
    size = group_size(a, b, k)
    return size if sums_in_groups(a, b) else 1

"""One operand of a dot product, decoded: integer elements, and the scale that each of them
meets.
"""

import numpy as np

from golden.formats import BlockFormat
from golden.tables import element_table, scale_table


class Operand:
    """Codes (..., K) and scale codes (..., blocks[, 2]), with what the sums need of them.

    ``scales`` None stands for scales of one. ``nan``, shape (...): whether a scale is NaN.
    Raises ValueError when the scales do not fit the codes.
    """

    def __init__(self, fmt: BlockFormat, codes: np.ndarray, scales: np.ndarray | None):
        self.fmt = fmt
        self.codes = np.asarray(codes)
        self.table = element_table(fmt.element)
        self.lead, self.k = self.codes.shape[:-1], self.codes.shape[-1]
        if scales is None:
            if fmt.has_block_scale:
                raise ValueError(f"Scales must be given for {fmt.name}, not None")
            self.block, self.scale_width, self.scale_bound = self.k, 0, 1
            self._significand = np.ones((*self.lead, 1, fmt.sides), np.int64)
            self._exponent = np.zeros((*self.lead, 1, fmt.sides), np.int64)
            self.nan: np.ndarray = np.zeros(self.lead, bool)
            return
        if not fmt.has_block_scale:
            raise ValueError(
                f"Scales must be None for {fmt.name}, whose scales are applied outside"
            )
        self.block = fmt.block_size or self.k
        scales = np.asarray(scales)
        shape = (*self.lead, self.k // self.block) + ((2,) if fmt.sides == 2 else ())
        if scales.shape != shape:
            raise ValueError(f"Scales must have shape {shape}, not {scales.shape}")
        scales = scales.reshape(*self.lead, self.k // self.block, fmt.sides)
        table = scale_table(fmt.scale)
        self.scale_width, self.scale_bound = table.fraction_width, table.largest_significand
        self._significand = np.take(table.significand, scales)
        self._exponent = np.take(table.exponent, scales)
        self.nan = np.asarray(np.take(table.nan, scales).any(axis=(-1, -2)))

    @property
    def has_specials(self) -> bool:
        """Whether any code is NaN or Inf."""
        return self.fmt.element.has_nan and bool(
            (self.table.nan | self.table.inf)[self.codes].any()
        )

    def sides(self, dtype: type) -> list[np.ndarray]:
        """Integer elements (..., K) of each side, zero where an element belongs to the other."""
        integer: np.ndarray = np.take(self.table.integer.astype(dtype), self.codes)
        if self.fmt.sides == 1:
            return [integer]
        return [np.maximum(integer, 0), np.minimum(integer, 0)]

    def group_scales(self, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Significand and exponent (..., K / size) of each side's scale, one entry per group."""
        repeat = self.block // size
        significand, exponent = self._significand, self._exponent
        if repeat > 1:
            significand, exponent = (np.repeat(s, repeat, axis=-2) for s in (significand, exponent))
        return [(significand[..., i], exponent[..., i]) for i in range(self.fmt.sides)]

    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Significand (element times scale) and exponent (..., K) of every element."""
        significand, exponent = (
            np.take(self.table.significand, self.codes),
            np.take(self.table.exponent, self.codes),
        )
        if self.fmt.scale is None:
            return significand, exponent
        blocks = (*self.lead, self.k // self.block, self.block)
        significand, exponent = significand.reshape(blocks), exponent.reshape(blocks)
        if self.fmt.sides == 2:
            positive = significand > 0
            scale, scale_exponent = (
                np.where(positive, s[..., :1], s[..., 1:])
                for s in (self._significand, self._exponent)
            )
        else:
            scale, scale_exponent = self._significand, self._exponent
        shape = self.codes.shape
        return (significand * scale).reshape(shape), (exponent + scale_exponent).reshape(shape)

    def classes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sign (+1, -1), is-zero (or its scale is) and is-Inf of every element (..., K)."""
        values = self.fmt.element.values[self.codes]
        sign = np.where(np.signbit(values), -1, 1)
        zero = values == 0
        if self.fmt.has_block_scale:
            dead = np.repeat(self._significand == 0, self.block, axis=-2)
            zero = zero | np.where(sign > 0, dead[..., 0], dead[..., -1])
        return sign, zero, self.table.inf[self.codes]


def specials(
    a: Operand, b: Operand, outer: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which dot products hold a NaN (or Inf times zero), a +Inf, and a -Inf product.

    Three bool arrays (...), or (M, N) with ``outer``.

    >>> from golden.formats import get_format
    >>> f = get_format("fp8_e5m2")
    >>> [bool(s) for s in specials(Operand(f, np.uint8([0x7C]), None), Operand(f, [0x80], None))]
    [True, False, False]
    """
    lead = (len(a.codes), len(b.codes)) if outer else np.broadcast_shapes(a.lead, b.lead)
    if not (a.has_specials or b.has_specials):
        none = np.zeros(lead, bool)
        return none, none, none

    def spread(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (x[:, None], y[None]) if outer else (x, y)

    nan_a, nan_b = spread(a.table.nan[a.codes], b.table.nan[b.codes])
    (sign_a, sign_b), (zero_a, zero_b), (inf_a, inf_b) = (
        spread(x, y) for x, y in zip(a.classes(), b.classes())
    )
    sign = sign_a * sign_b
    bad = nan_a | nan_b | (inf_a & zero_b) | (zero_a & inf_b)
    inf = (inf_a | inf_b) & ~bad
    return bad.any(axis=-1), (inf & (sign > 0)).any(axis=-1), (inf & (sign < 0)).any(axis=-1)

"""From decoded operands to exact sums: one product a lane, one sum a group and combination of
sides."""

from typing import NamedTuple

from amaranth.hdl import Cat, Value

from .decode import largest_magnitude, largest_shift
from .digit_product import DigitProduct
from .generators import place_products
from .heap import Reduction
from .int_product import IntPair, IntProduct
from .lane import multiplies_integers
from .line_product import LineProduct
from .product import Product, select
from .shared import bounds, place
from .sided import mixed_sums, sided_sums
from .sided_lines import mixed_line_sums
from .signed_product import SignedProduct
from .window import WindowPair, WindowProduct

NARROW = 4
"""The largest shift up to which a product is placed and then complemented, not the reverse."""


def generator(fmt_a, fmt_b, fields):
    """The product generator of two one-sided operands; ``fields``: the names of what their lanes
    have."""
    a, b = fmt_a.element, fmt_b.element
    if "lines" in fields:
        return LineProduct(a)
    if "digit0" in fields:
        return DigitProduct(a, b)
    if "sum" in fields:
        return IntPair(a, b)
    if multiplies_integers(fmt_a, fmt_b):
        return IntProduct(a, b)
    if largest_shift(a) + largest_shift(b) > NARROW:
        return WindowPair(a, b) if WindowPair.suits(a, b) else WindowProduct(a, b)
    if SignedProduct.suits(a, b):
        return SignedProduct(a, b)
    return Product(a, b)


def sum_shape(fmt_a, fmt_b, lanes):
    """Shape of the sum of ``lanes`` products of one combination: unsigned where the sides fix the
    sign."""
    largest = lanes * largest_magnitude(fmt_a.element) * largest_magnitude(fmt_b.element)
    return bounds(0 if fmt_a.sides == fmt_b.sides == 2 else -largest, largest)


class GroupSum(NamedTuple):
    """``total``: an exact sum of products in units of both elements' ulps, a magnitude where the
    combination fixes the sign; ``nonzero``: whether any product is not zero; ``lanes``: whether
    each is, where the generator tells. Of elements that are decoded masked, NaN and Inf are 0."""

    total: Value
    nonzero: Value
    lanes: tuple[Value, ...] = ()


def group_sums(m, library, name, fmt_a, fmt_b, a, b, pipe=lambda value, *stages: value):
    """Sum the products of two equally many lanes: a :class:`GroupSum` by combination."""
    lanes = list(zip(a, b))
    if fmt_a.sides == fmt_b.sides == 1:
        return {"": _one_sum(m, library, name, fmt_a, fmt_b, lanes, pipe)}
    if fmt_a.sides == fmt_b.sides:
        sums = sided_sums(m, library, name, fmt_a, fmt_b, lanes, pipe)
        return {c: GroupSum(total, total.any()) for c, total in sums.items()}
    has_lines = any("lines" in lane.shape().members for lane in lanes[0])
    add_mixed = mixed_line_sums if has_lines else mixed_sums
    sums = add_mixed(m, library, name, fmt_a, fmt_b, lanes, pipe)
    nonzeros = {
        c: Cat(x.nonzero & y.nonzero & select(c, x, y, fmt_a.sides) for x, y in lanes).any()
        for c in sums
    }
    return {c: GroupSum(total, pipe(nonzeros[c], 4)) for c, total in sums.items()}


def _one_sum(m, library, name, fmt_a, fmt_b, lanes, pipe):
    """The sum of the products of two one-sided operands."""
    fields = {field for lane in lanes[0] for field in lane.shape().members}
    cell = generator(fmt_a, fmt_b, fields)
    outputs = place_products(m, library, name, cell, lanes)
    shape = sum_shape(fmt_a, fmt_b, len(lanes))
    counts = len(outputs), cell.factors, cell.constant
    adder = Reduction(*counts, shape, cell.key, cell.is_conjunction, cell.halves_first)
    bits = Cat(pipe(output["o"], 4) for output in outputs)
    total = place(m, library, f"{name}_sum", adder, i=bits).o
    told = [bit for each in outputs for name, bit in each.items() if name.endswith("nonzero")]
    told = tuple(told[: len(lanes)])  # without the lane that an odd last one is paired with
    nonzeros = told or (x.nonzero & y.nonzero for x, y in lanes)
    return GroupSum(total, pipe(Cat(nonzeros).any(), 4), told)


def lane_flags(x, y, scales_nonzero=1, nonzero=None):
    """Whether a product of elements that are not NaN is NaN, and whether it is Inf if no other is
    NaN, as ``(nan, inf)``; None if neither element can be Inf.

    ``scales_nonzero``: neither block scale is zero; a zero scale makes its elements zero.
    ``nonzero``: whether neither element is zero, where that is known of elements not masked.
    """
    specials = [lane.special for lane in (x, y) if "special" in lane.shape().members]
    if not specials:
        return None
    special = Cat(specials).any()
    nonzero = x.nonzero & y.nonzero if nonzero is None else nonzero
    return special & ~(nonzero & scales_nonzero), special

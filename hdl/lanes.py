"""From decoded operands to exact sums: one product a lane, one sum a group and combination of
sides."""

from amaranth.hdl import Cat

from golden.formats import FloatFormat

from .decode import largest_magnitude, largest_shift
from .heap import Reduction
from .product import IntProduct, Product, combinations, port, select
from .shared import bounds, place
from .sided import sided_sums
from .window import WindowProduct

NARROW = 4
"""The largest shift up to which a product is placed and then complemented, not the reverse."""


def multiplies_integers(fmt_a, fmt_b):
    """Whether lanes multiply in two's complement: pairs of one-sided integers."""
    return all(not isinstance(f.element, FloatFormat) and f.sides == 1 for f in (fmt_a, fmt_b))


def generator(fmt_a, fmt_b):
    """The product generator of a pair of which at most one operand is two-sided."""
    a, b = fmt_a.element, fmt_b.element
    if multiplies_integers(fmt_a, fmt_b):
        return IntProduct(a, b)
    if fmt_a.sides == fmt_b.sides == 1 and largest_shift(a) + largest_shift(b) > NARROW:
        return WindowProduct(a, b)
    return Product(a, b, fmt_a.sides, fmt_b.sides)


def sum_shape(fmt_a, fmt_b, lanes):
    """Shape of the sum of ``lanes`` products of one combination: unsigned where the sides fix the
    sign."""
    largest = lanes * largest_magnitude(fmt_a.element) * largest_magnitude(fmt_b.element)
    return bounds(0 if fmt_a.sides == fmt_b.sides == 2 else -largest, largest)


def group_sums(m, library, name, fmt_a, fmt_b, a, b, pipe=lambda value, *stages: value):
    """Sum the products of two equally many lanes.

    Returns ``{combination: (sum, nonzero)}``: exact integers in units of both elements' ulps, a
    magnitude where the combination fixes the sign, and whether any product is not zero.
    """
    lanes = list(zip(a, b))
    if fmt_a.sides == fmt_b.sides == 2:
        sums = sided_sums(m, library, name, fmt_a, fmt_b, lanes, pipe)
        return {c: (total, total.any()) for c, total in sums.items()}
    cell = generator(fmt_a, fmt_b)
    outputs = [
        vars(place(m, library, f"{name}_product{i}", cell, **cell.inputs(x, y)))
        for i, (x, y) in enumerate(lanes)
    ]
    shape = sum_shape(fmt_a, fmt_b, len(lanes))
    adder = Reduction(len(lanes), cell.factors, cell.constant, shape, cell.key, cell.is_conjunction)
    sums = {}
    for c in combinations(fmt_a.sides, fmt_b.sides):
        bits = Cat(pipe(output[port("o", c)], 4) for output in outputs)
        total = place(m, library, port(f"{name}_sum", c), adder, i=bits).o
        mine = [select(c, x, y, fmt_a.sides) for x, y in lanes]
        nonzero = pipe(
            Cat(x.nonzero & y.nonzero & taken for (x, y), taken in zip(lanes, mine)).any(), 4
        )
        sums[c] = (total, nonzero)
    return sums


def lane_flags(x, y, scales_nonzero=1):
    """Whether a product of elements that are not NaN is NaN, and whether it is Inf if no other is
    NaN, as ``(nan, inf)``; None if neither element can be Inf.

    ``scales_nonzero``: neither block scale is zero; a zero scale makes its elements zero.
    """
    specials = [lane.special for lane in (x, y) if "special" in lane.shape().members]
    if not specials:
        return None
    special = Cat(specials).any()
    return special & ~(x.nonzero & y.nonzero & scales_nonzero), special

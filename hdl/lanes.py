"""From decoded operands to exact sums: one product a lane, one sum a group and combination of
sides."""

from amaranth.hdl import Cat

from golden.formats import FloatFormat

from .decode import largest_magnitude
from .heap import Reduction
from .product import IntProduct, Product, combinations, port, select
from .shared import bounds, place
from .sided import sided_sums


def multiplies_integers(fmt_a, fmt_b):
    """Whether lanes multiply in two's complement: pairs of one-sided integers."""
    return all(not isinstance(f.element, FloatFormat) and f.sides == 1 for f in (fmt_a, fmt_b))


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
    if multiplies_integers(fmt_a, fmt_b):
        cell = IntProduct(fmt_a.element, fmt_b.element)
    else:
        cell = Product(fmt_a.element, fmt_b.element, fmt_a.sides, fmt_b.sides)
    lanes = list(zip(a, b))
    if fmt_a.sides == fmt_b.sides == 2:
        sums = sided_sums(m, library, name, fmt_a, fmt_b, lanes, pipe)
        return {c: (total, total.any()) for c, total in sums.items()}
    outputs = [
        vars(place(m, library, f"{name}_product{i}", cell, **cell.inputs(x, y)))
        for i, (x, y) in enumerate(lanes)
    ]
    adder = Reduction(
        len(lanes), cell.factors, cell.constant, sum_shape(fmt_a, fmt_b, len(lanes)), cell.key
    )
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
    """NaN and Inf of one product of elements that are not NaN, as ``(nan, inf)``, or None if
    neither can be Inf.

    ``scales_nonzero``: neither block scale is zero; a zero scale makes its elements zero.
    """
    infs = [lane.inf for lane in (x, y) if "inf" in lane.shape().members]
    if not infs:
        return None
    inf, zero = Cat(infs).any(), ~(x.nonzero & y.nonzero & scales_nonzero)
    return inf & zero, inf & ~zero

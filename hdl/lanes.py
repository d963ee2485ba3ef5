"""From codes to exact sums: decoded operands, one product a lane, one sum a group and combination."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const

from golden.formats import IntFormat

from .decode import Decode, largest_magnitude
from .heap import Reduction
from .library import bounds, place
from .product import IntProduct, Product, combinations, is_integer_pair, port, select


def decode_operands(m, platform, name, element, codes, raw=False):
    """Decode every code of a vector; one namespace an element (``neg``, ``sig``, ``shift``, ``nonzero``, ...).

    ``raw`` keeps two's complement codes as they are (``code``, ``nonzero``).
    """
    operands = []
    for i in range(len(codes) // element.width):
        code = codes.word_select(i, element.width)
        if raw:
            operands.append(SimpleNamespace(code=code, nonzero=code.any()))
        else:
            operands.append(place(m, platform, f"{name}{i}", Decode(element), code=code))
    return operands


def lane_product(m, platform, name, fmt_a, fmt_b, a, b):
    """Place one lane's product generator; return it and its outputs by combination."""
    if is_integer_pair(fmt_a.element, fmt_b.element) and fmt_a.sides == fmt_b.sides == 1:
        cell = IntProduct(fmt_a.element, fmt_b.element)
        out = place(m, platform, name, cell, a=a.code, b=b.code)
    else:
        cell = Product(fmt_a.element, fmt_b.element, fmt_a.sides, fmt_b.sides)
        fields = {
            f"{operand}_{field}": getattr(value, field)
            for operand, value in (("a", a), ("b", b))
            for field in ("neg", "sig", "shift")
            if hasattr(value, field)
        }
        out = place(m, platform, name, cell, **fields)
    return cell, vars(out)


def needs_decoding(fmt_a, fmt_b):
    """Whether lanes multiply decoded operands; pairs of one-sided integers multiply codes."""
    return not (is_integer_pair(fmt_a.element, fmt_b.element) and fmt_a.sides == fmt_b.sides == 1)


def sum_shape(fmt_a, fmt_b, lanes):
    """Shape of the sum of ``lanes`` products of one combination: unsigned where the sides fix the sign."""
    largest = lanes * largest_magnitude(fmt_a.element) * largest_magnitude(fmt_b.element)
    return bounds(0 if fmt_a.sides == fmt_b.sides == 2 else -largest, largest)


def group_sums(m, platform, name, fmt_a, fmt_b, a, b):
    """Sum the products of two equally long vectors of operands.

    Returns ``{combination: (sum, nonzero)}``: exact integers in units of both elements' ulps, a magnitude
    where the combination fixes the sign, and whether any product is not zero.
    """
    lanes = len(a)
    bits = {c: [] for c in combinations(fmt_a.sides, fmt_b.sides)}
    for i, (x, y) in enumerate(zip(a, b)):
        cell, outputs = lane_product(m, platform, f"{name}_product{i}", fmt_a, fmt_b, x, y)
        for c in bits:
            bits[c].append(outputs[port("o", c)])
    shape = sum_shape(fmt_a, fmt_b, lanes)
    adder = Reduction(lanes, cell.weights, cell.constant, shape, cell.key)
    sums = {}
    for c in bits:
        total = place(m, platform, port(f"{name}_sum", c), adder, i=Cat(bits[c])).o
        if cell.is_magnitude:
            nonzero = total.any()
        else:
            nonzero = Cat(
                x.nonzero & y.nonzero & (select(c, x.neg, y.neg, fmt_a.sides) if c else Const(1, 1))
                for x, y in zip(a, b)
            ).any()
        sums[c] = (total, nonzero)
    return sums


def lane_flags(x, y, scales_nonzero=Const(1, 1)):
    """NaN and Inf of one product as (nan, inf), or None when neither element has a NaN.

    ``scales_nonzero``: neither block scale is zero; a zero scale makes its elements zero.
    """
    nans = [v.nan for v in (x, y) if hasattr(v, "nan")]
    if not nans:
        return None
    infs = [v.inf for v in (x, y) if hasattr(v, "inf")]
    inf = Cat(infs).any()
    zero = ~(x.nonzero & y.nonzero & scales_nonzero)
    return Cat(*nans, inf & zero).any(), inf & ~zero


def sides_of(fmt):
    """Whether an operand's elements choose their scale by sign."""
    return fmt.sides == 2


def has_specials(fmt_a, fmt_b):
    """Whether an element of the pair can be NaN."""
    return any(f.element.has_nan for f in (fmt_a, fmt_b))


def is_integer(fmt):
    """Whether a format's elements are two's complement integers."""
    return isinstance(fmt.element, IntFormat)

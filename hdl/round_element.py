"""Magnitudes rounded to the nearest element code."""

from amaranth.hdl import Cat, Const, Mux, Signal

from golden.formats import FloatFormat

from .levels import select, thresholds
from .scale_choice import power, reaches
from .shared import bounds
from .shift import shift_right


def largest_code(element):
    """The code of the largest positive value."""
    if not isinstance(element, FloatFormat):
        return (1 << (element.width - 1)) - 1
    below = {"none": 1, "nan": 2, "ieee": 1 + (1 << element.mantissa_width)}[element.specials]
    return (1 << (element.width - 1)) - below


def rounds_up(guard, sticky, last, away):
    """Whether what lies below ``last`` rounds it up."""
    return guard if away else guard & (sticky | last)


def grid_width(element, lead=0):
    """Bits of an element's grid, from ``2**(max_exponent + lead)`` down to half the smallest."""
    return element.max_exponent + lead - element.ulp_exponent + 2


def near(m, base, field, largest):
    """``base - field``, never negative, as low bits that hold ``largest`` and whether it is above.

    The high parts are compared with ``base``'s and one less, which all lanes of a block share.
    """
    width = largest.bit_length()
    low = Signal(width + 1, name="distance")
    m.d.comb += low.eq(base[:width] - field[:width])
    high = base[width : len(field)]
    below = (high - 1)[: len(high)]
    return low[:width], field[width:] != Mux(low[-1], below, high)


def round_fixed(m, element, significand, distance, is_far, away, lead=0, sticky=0):
    """Code of a magnitude's nearest element, by shifting it onto the grid of the smallest.

        | 2**(max_exponent + lead) ... | ulp | guard | sticky ...     significand >> distance

    The top bit of ``significand`` weighs ``2**(max_exponent + lead)``. ``is_far``: the distance is
    more than its bits say; ``sticky``: whether anything lies below ``significand``. Saturates.
    """
    kept_width = grid_width(element, lead)
    rest = significand[: max(0, len(significand) - kept_width)]
    top = significand[len(rest) :]
    top = Cat(rest.any() | sticky, Const(0, kept_width - len(top)), top)
    shifted = Signal(2 * kept_width + 1, name="shifted")
    m.d.comb += shifted.eq(Mux(is_far, 0, Cat(Const(0, kept_width), top) >> distance))
    kept, below = shifted[-kept_width:], shifted[:-kept_width].any()
    magnitude = kept[1:]
    if not isinstance(element, FloatFormat):
        count = Signal(len(magnitude) + 1, name="count")
        m.d.comb += count.eq(magnitude + rounds_up(kept[0], below, magnitude[0], away))
        return saturate(count, largest_code(element))

    # Leave the mantissa's bits below the leading one, and round once.
    width = element.mantissa_width
    unrounded, up = magnitude[: width + 1], rounds_up(kept[0], below, magnitude[0], away)
    for drop in range(1, len(magnitude) - width):
        leads = magnitude[drop + width]
        own = Cat(magnitude[drop : drop + width], Const(drop + 1, element.width - width))
        sticky = Cat(below, kept[:drop]).any()
        unrounded = Mux(leads, own, unrounded)
        up = Mux(leads, rounds_up(kept[drop], sticky, magnitude[drop], away), up)
    code = Signal(element.width, name="nearest")
    m.d.comb += code.eq((unrounded + up)[: element.width])
    return saturate(code, largest_code(element))


def round_few(element, significand, distance, is_far, away, lead=0, leads=False):
    """As :func:`round_fixed` for elements of few magnitudes, by comparing with every threshold.

    ``leads``: at distance 0 the top bit is always 1.
    """
    code = Const(0, element.width - 1)
    for far in range(grid_width(element, lead)):
        value = Cat(significand[:-1], Const(1, 1)) if leads and far == 0 else significand
        unit = power(len(significand) - 1 + far - element.max_exponent - lead)
        reached = [
            reaches(value, threshold * unit, strict)
            for threshold, strict in thresholds(element, away)
        ]
        nearest = select(reached, [Const(i, len(code)) for i in range(len(reached) + 1)])
        code = code | (nearest & (~is_far & (distance == far)).replicate(len(code)))
    return code


def round_float(m, element, exponent, fraction, nonzero, sticky, away):
    """Code of the element nearest to ``(1 + fraction) * 2**exponent``, the exponent signed.

        | hidden | mantissa | guard |    >> min_exponent - exponent, if that is positive

    ``sticky``: whether anything lies below ``fraction``. Saturates.
    """
    width = element.mantissa_width
    padded = Cat(Const(0, max(0, width + 1 - len(fraction))), fraction)
    cut = len(padded) - (width + 1)
    top = Cat(padded[cut:], nonzero)
    below = sticky | padded[:cut].any()

    above = Signal(bounds(-(1 << len(exponent)), 1 << len(exponent)), name="above")
    m.d.comb += above.eq(exponent - element.min_exponent)
    is_normal = above >= 0
    down = Signal(len(above), name="down")
    m.d.comb += down.eq(Mux(is_normal, 0, -above)[: len(down)])
    kept, lost = shift_right(m, "subnormal", top, down, 0)
    up = rounds_up(kept[0], lost | below, kept[1], away)
    code = Signal(len(above) + width + 1, name="nearest")
    m.d.comb += code.eq((Mux(is_normal, above, 0) << width) + kept[1:] + up)
    return Mux(nonzero, saturate(code, largest_code(element)), 0)


def saturate(code, largest):
    """``code``, or the largest one if it is above."""
    if (1 << len(code)) - 1 <= largest:
        return code
    return Mux(code > largest, largest, code)[: largest.bit_length()]


def with_sign(element, magnitude, neg, keeps_zero):
    """An element's code out of that of its magnitude; ``keeps_zero``: -0 is a code."""
    if not isinstance(element, FloatFormat):
        return Mux(neg, -magnitude, magnitude)[: element.width]
    sign = neg if keeps_zero else neg & magnitude.any()
    return Cat(magnitude[: element.width - 1], sign)

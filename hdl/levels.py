"""Rounding thresholds of elements with few magnitudes."""

from fractions import Fraction
from itertools import pairwise

from amaranth.hdl import Cat, Const, Mux

from golden.formats import DenormalIntFormat

MOST = 8  # thresholds that lanes compare with side by side


def thresholds(element, away):
    """``(threshold, strict)`` between neighbouring magnitudes, from the smallest up; ``strict``: a
    tie gives the smaller."""
    finite = {abs(Fraction(float(v))) for v in element.values}
    if not isinstance(element, DenormalIntFormat):
        finite = {v for v in finite if v <= Fraction(element.largest)}
    levels = sorted(finite)
    away = away or isinstance(element, DenormalIntFormat)
    return [
        ((low + high) / 2, not away and i % 2 == 0)
        for i, (low, high) in enumerate(pairwise(levels))
    ]


def has_few(element):
    """Whether lanes compare with every threshold of an element."""
    return element.width <= 4 and not element.has_nan


def code_of(element, reached, neg, keeps_zero):
    """An element's code from which thresholds its magnitude reaches, and its sign."""
    if isinstance(element, DenormalIntFormat):
        # Half a step has codes of its own; the positive side ends a level before the negative.
        zero, half = element.zero_point, element.levels
        highest = element.levels - 1
        positive = [zero, half] + [min(zero + i, highest) for i in range(1, len(reached))]
        negative = [zero, half + 1] + [max(zero - i, 0) for i in range(1, len(reached))]
        codes = [Mux(neg, n, p) for n, p in zip(negative, positive, strict=True)]
        return select(reached, [Cat(code)[: element.width] for code in codes])
    count = select(reached, [Const(i, element.width - 1) for i in range(len(reached) + 1)])
    if not hasattr(element, "mantissa_width"):
        return Mux(neg, -count, count)[: element.width]
    return Cat(count, neg if keeps_zero else neg & count.any())


def select(reached, values):
    """The value after the last threshold that is reached, by halving."""
    if not reached:
        return values[0]
    half = len(reached) // 2
    above = select(reached[half + 1 :], values[half + 1 :])
    return Mux(reached[half], above, select(reached[:half], values[: half + 1]))

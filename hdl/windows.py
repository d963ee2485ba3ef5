"""Where the shifted significand of a product of wide range may lie, and what that costs."""

from typing import NamedTuple

from .decode import largest_magnitude, largest_shift, least_shift, significand_width

SHORT = 4
"""Bits of shift for which one window is taken."""
MUX, MASK, FULL_ADDER = 2.1, 1.3, 5.0
"""Gate equivalents of a multiplexer, of masking a bit, of a full adder."""
SIGN = 8.0
"""Of a window's sign."""
TERMS = {0: 0.0, 1: 1.0, 2: 1.7, 3: 3.7}
"""Of a bit, by how many windows reach it."""
FILL = {0: 1.0, 1: 0.0, 2: 1.5}
"""What the sign of a window that has ended adds to such a bit."""
WORTH = 0.05
"""By what part pairs of lanes have to be smaller, since a carry runs through their sum first."""


class Range(NamedTuple):
    """What the product of two elements spans: bits of its significand, the least and the largest
    shift of that, and the bits of the largest product."""

    significand: int
    least: int
    largest: int
    width: int

    @classmethod
    def of(cls, a, b):
        """That of two elements."""
        return cls(
            significand_width(a) + significand_width(b),
            least_shift(a) + least_shift(b),
            largest_shift(a) + largest_shift(b),
            (largest_magnitude(a) * largest_magnitude(b)).bit_length(),
        )


def windows(span, low):
    """The weights that each window covers, in units of the product's ulp, where the ``low`` bits of
    the shift move a significand inside one. Above the largest product there are only copies of the
    sign."""
    length = span.significand + (1 << low) - 1
    starts = ((j << low) - span.least for j in range((span.largest >> low) + 1))
    return [range(start, min(start + length, span.width)) for start in starts]


def sign_groups(placed):
    """Which windows share a sign, by number: two by two from the last one down, where the sign that
    goes on costs less than another one, by an estimate of the area."""
    groups, rest = [], list(range(len(placed)))
    while rest:
        pair = rest[-2:]
        fill = range(placed[pair[0]].stop, placed[pair[-1]].stop)
        reach = (sum(k in window for window in placed) for k in fill)
        shared = len(pair) == 2 and sum(FILL.get(n, 2.0 * n) for n in reach) < SIGN
        groups.insert(0, pair if shared else pair[-1:])
        del rest[-len(groups[0]) :]
    return groups


def inner_shift(span):
    """How many bits of the shift are taken inside a window, by an estimate of the area.

    >>> [inner_shift(Range(*span)) for span in ((8, 2, 30, 36), (6, 2, 62, 64), (6, 2, 14, 18))]
    [3, 4, 4]
    """
    if span.largest.bit_length() <= SHORT:
        return span.largest.bit_length()
    return min(_inner_shifts(span), key=lambda low: _lane_area(span, low))


def inner_shift_of_pairs(span):
    """The same where two lanes are added first if they have one window; None where that does not
    pay.

    >>> [inner_shift_of_pairs(Range(*span)) for span in ((8, 2, 30, 36), (6, 2, 60, 64))]
    [None, 4]
    """
    if span.largest.bit_length() <= SHORT:
        return None
    low = min(_inner_shifts(span), key=lambda low: _pair_area(span, low))
    alone = 2 * _lane_area(span, inner_shift(span))
    return low if _pair_area(span, low) < (1 - WORTH) * alone else None


def _inner_shifts(span):
    return range(1, span.largest.bit_length() + 1)


def _stages_area(span, low):
    return MUX * sum(span.significand + (2 << i) - 1 for i in range(low))


def _lane_area(span, low):
    """Of a lane's shift and signs, and of adding it."""
    placed = windows(span, low)
    reach = (sum(k in window for window in placed) for k in range(span.width))
    choice = sum(TERMS.get(n, 2.0 * n) for n in reach)
    return _stages_area(span, low) + SIGN * len(placed) + choice + FULL_ADDER * span.width


def _pair_area(span, low):
    """Of the shifts and signs of two lanes, and of adding them."""
    placed = windows(span, low)
    shifts = 2 * _stages_area(span, low) + SIGN * len(placed)
    both = (FULL_ADDER + MASK) * (span.significand + (1 << low))
    bits = sum(window.stop - max(0, window.start) + 1 for window in placed)
    return shifts + both + (TERMS[2] + FULL_ADDER) * bits

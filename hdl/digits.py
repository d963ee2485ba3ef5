"""Integers as signed digits, each of which chooses a multiple of another integer."""

from typing import NamedTuple

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from golden.formats import DenormalIntFormat

from .decode import integer_shape, integer_values
from .shared import Shared


class Digit(NamedTuple):
    """A digit of weight ``2**weight``: 0, ``1 << shift`` or ``-1 << shift``, by one line each."""

    weight: int
    positive: tuple[int, ...]
    negative: tuple[int, ...]

    @property
    def values(self):
        """What each line stands for."""
        return [1 << shift for shift in self.positive] + [-1 << shift for shift in self.negative]


DIGITS = (Digit(0, (0, 1, 2), (0, 1)), Digit(3, (0,), (0, 1)))
"""Two digits that add up to every value of dINT4 in half steps: even from -14 to 12, 1 and -1."""


def recoded(number):
    """The digits whose sum is ``number``, each as the index of its line, None for 0; None if there
    are none."""
    low, high = DIGITS
    for i, upper in enumerate([0, *high.values]):
        for j, lower in enumerate([0, *low.values]):
            if lower + (upper << high.weight) == number:
                return tuple(index - 1 if index else None for index in (j, i))
    return None


def takes_digits(element):
    """Whether an integer element has half steps, and its values are digits that use every line."""
    if not isinstance(element, DenormalIntFormat):
        return False
    values = list(map(recoded, integer_values(element)))
    return None not in values and all(
        set(range(len(digit.values))) <= {indices[i] for indices in values}
        for i, digit in enumerate(DIGITS)
    )


def digits_of_pair(a, b):
    """Which of two integer elements comes as digits, 0 or 1: the narrower of those that can, the
    first of two alike; None if neither can."""
    widths = [integer_shape(each).width for each in (a, b)]
    able = (i for i, each in enumerate((a, b)) if takes_digits(each))
    return min(able, key=widths.__getitem__, default=None)


def digit_fields():
    """Widths of the lines of each digit, and of whether it is negative."""
    fields = {f"digit{i}": len(digit.values) for i, digit in enumerate(DIGITS)}
    return fields | {f"neg{i}": 1 for i in range(len(DIGITS))}


class DecodeDigits(Shared):
    """One integer element as signed digits.

    Function  ``digit0[i]``: the lowest digit is ``DIGITS[0].values[i]``, and so on; ``neg0``:
              whether it is negative. ``nonzero``: whether the element is not zero.
    Formats   Integers that :func:`takes_digits`.
    Shapes    ``code``: one element.
    Widths    One line for each value of a digit.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``DenormalIntFormat.values``.
    """

    part = "decode"

    def __init__(self, element):
        self._element = element
        self.module_name = f"decode_{element.name}_digits"
        fields = {name: Out(width) for name, width in (digit_fields() | {"nonzero": 1}).items()}
        super().__init__({"code": In(element.width), **fields})

    def elaborate(self, platform):
        m = Module()
        values = integer_values(self._element)
        codes = [(self.code == i, recoded(value)) for i, value in enumerate(values)]
        for i, digit in enumerate(DIGITS):
            lines = [
                Cat(is_code for is_code, indices in codes if indices[i] == line).any()
                for line in range(len(digit.values))
            ]
            m.d.comb += getattr(self, f"digit{i}").eq(Cat(lines))
            m.d.comb += getattr(self, f"neg{i}").eq(Cat(lines[len(digit.positive) :]).any())
        m.d.comb += self.nonzero.eq(self.code != values.index(0))
        return m

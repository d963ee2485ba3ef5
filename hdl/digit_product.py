"""Product generator for integers of which one comes as signed digits."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib.wiring import In, Out

from .decode import integer_shape
from .digits import DIGITS, digit_fields, digits_of_pair
from .generators import LaneGenerator
from .shared import Shared


class DigitProduct(LaneGenerator, Shared):
    """One lane of two's complement integers: a row for each digit of the one, straight into the bit
    heap.

    Function  ``sum(o[i] * factors[i]) = x * d``.
    Formats   Two integer elements, of which :func:`hdl.digits.digits_of_pair` names one.
    Shapes    ``x``, ``complement``: the other integer and its complement; ``digit0`` ...: which
              multiple a digit chooses; ``neg0`` ...: whether it is negative.
    Widths    ``o``: for each digit a row in two's complement, and the one that a complement lacks.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Booth, "A signed binary multiplication technique", 1951, with digits chosen for dINT4.
    """

    is_conjunction = True
    datapath = "signed digits of one integer choose multiples of the other"

    def __init__(self, a, b):
        self._is_first = digits_of_pair(a, b) == 0
        self._width = integer_shape(b if self._is_first else a).width
        self.key = f"{a.name}_{b.name}_digits"
        self.module_name = f"product_{self.key}"
        self.factors = []
        for digit in DIGITS:
            rows = [1 << (digit.weight + i) for i in range(self._row_width(digit))]
            self.factors += [*rows[:-1], -rows[-1], rows[0]]
        fields = {"x": self._width, "complement": self._width} | digit_fields()
        super().__init__(
            {name: In(width) for name, width in fields.items()} | {"o": Out(len(self.factors))}
        )

    def _row_width(self, digit):
        return self._width + max(digit.positive + digit.negative)

    def inputs(self, a, b):
        """Port values from two decoded lanes."""
        selecting, other = (a, b) if self._is_first else (b, a)
        values = {"x": other.value.as_unsigned(), "complement": other.complement}
        return values | {name: selecting[name] for name in digit_fields()}

    def elaborate(self, platform):
        m = Module()
        bits = []
        for i, digit in enumerate(DIGITS):
            lines, width, row = getattr(self, f"digit{i}"), self._row_width(digit), Const(0, 1)
            multiples = [_shifted(self.x, shift, 0, width) for shift in digit.positive]
            multiples += [_shifted(self.complement, shift, 1, width) for shift in digit.negative]
            for line, multiple in zip(lines, multiples):
                row = row | (multiple & line.replicate(width))
            bits += [row, getattr(self, f"neg{i}")]
        m.d.comb += self.o.eq(Cat(bits))
        return m


def _shifted(value, shift, fill, width):
    """Two's complement ``value`` moved up, ``fill`` below it and its sign above."""
    above = value[-1].replicate(width - len(value) - shift)
    return Cat(Const(fill, 1).replicate(shift), value, above)

"""dINT4 as signed digits: the table, and which operand of a pair comes so."""

import pytest

from golden.elements import DenormalIntFormat
from golden.formats import get_format
from hdl.decode import integer_shape, integer_values
from hdl.digit_product import DigitProduct
from hdl.digits import DIGITS, digits_of_pair, recoded, takes_digits
from hdl.lane import Form, Sharing, forms
from verif.netlists import mapped

DIGIT, OTHER = Form.DIGITS, Form.POLARITIES


def test_digits_add_up_to_every_value():
    for number in integer_values(get_format("dint4").element):
        indices = recoded(number)
        total = sum(
            digit.values[i] << digit.weight for digit, i in zip(DIGITS, indices) if i is not None
        )
        assert total == number
    assert recoded(5) is None and recoded(19) is None


@pytest.mark.parametrize(
    ("element", "takes"),
    [
        (get_format("dint4").element, True),
        (get_format("dint4_asym").element, False),
        (get_format("int4").element, False),
        (DenormalIntFormat("dint3", 3, zero_point=3), False),
        (DenormalIntFormat("dint5", 5, zero_point=15), False),
    ],
)
def test_which_elements_take_digits(element, takes):
    assert takes_digits(element) == takes


@pytest.mark.parametrize(
    ("pair", "sharing", "chosen"),
    [
        ("int8:dint4", Sharing.ALONE, (OTHER, DIGIT)),
        ("dint4:int8", Sharing.ALONE, (DIGIT, OTHER)),
        ("dint4:dint4", Sharing.ALONE, (DIGIT, OTHER)),
        ("int4:dint4", Sharing.ALONE, (OTHER, DIGIT)),
        ("int8:dint4", Sharing.HELD, (Form.INTEGER, Form.INTEGER)),
        ("int8:dint4", Sharing.FEW, (OTHER, DIGIT)),
        ("dint4:int8", Sharing.MANY, (DIGIT, OTHER)),
        ("dint4:dint4", Sharing.FEW, (Form.SUMS, Form.SELECTS)),
        ("int4:dint4", Sharing.FEW, (Form.SELECTS, Form.SUMS)),
        ("int8:int8", Sharing.FEW, (Form.SUMS, Form.SELECTS)),
        ("int4:int4", Sharing.ALONE, (Form.INTEGER, Form.INTEGER)),
    ],
)
def test_which_operand_comes_as_digits(pair, sharing, chosen):
    assert forms(*map(get_format, pair.split(":")), sharing) == chosen


@pytest.mark.parametrize("pair", ["int8:dint4", "dint4:int8", "dint4:dint4", "int4:dint4"])
def test_product(pair):
    """Every pair of codes: the bits by their factors."""
    a, b = (get_format(name).element for name in pair.split(":"))
    product, digits = DigitProduct(a, b), digits_of_pair(a, b)
    selecting, other = ((a, b), (b, a))[digits]
    run, width = mapped(product), integer_shape(other).width
    for number in integer_values(selecting):
        lines = {}
        for i, (digit, line) in enumerate(zip(DIGITS, recoded(number))):
            lines[f"digit{i}"] = 0 if line is None else 1 << line
            lines[f"neg{i}"] = int(line is not None and digit.values[line] < 0)
        for x in integer_values(other):
            code = x % (1 << width)
            bits = run(x=code, complement=code ^ (1 << width) - 1, **lines)["o"]
            total = sum(factor for i, factor in enumerate(product.factors) if bits >> i & 1)
            assert total == x * number, (x, number)

"""Forms of a lane: what the edge of a unit makes of an element for every cell that reads it."""

from enum import Enum

from amaranth.hdl import Cat, Const, signed
from amaranth.lib import data
from amaranth.lib.wiring import In

from golden.formats import FloatFormat

from .decode import (
    Decode,
    integer_shape,
    integer_value,
    largest_shift,
    significand_width,
)
from .digits import DecodeDigits, digit_fields, digits_of_pair
from .heap import add
from .int_product import selects
from .lines import (
    DecodeLines,
    DecodeMultiples,
    Kind,
    lines_fields,
    multiples_fields,
    takes_lines,
)
from .pipeline import EDGE_STAGE
from .shared import place

NARROW = 5
"""The widest integers that select from sums only where several cells share these."""
MANY, MANY_REGISTERED = 6, 24
"""From how many rows and columns on one-sided lines pay; where registers hold them at the edge."""
LONGEST_ROW = 4096
"""The most elements of a row of cells that lines leave within a module's inputs."""


class Sharing(Enum):
    """How many cells read what the edge of a unit makes of an operand."""

    ALONE = 1
    """One."""
    HELD = 2
    """One, from registers at the edge."""
    FEW = 3
    """Several."""
    MANY = 4
    """So many that one-sided lines pay."""

    @classmethod
    def of(cls, m, n, k, pipeline=0):
        """That of ``m`` x ``n`` cells of ``k`` elements."""
        if m * n == 1:
            return cls.HELD if pipeline >= EDGE_STAGE else cls.ALONE
        least = MANY_REGISTERED if pipeline >= EDGE_STAGE else MANY
        return cls.MANY if min(m, n) >= least and n * k <= LONGEST_ROW else cls.FEW


class Form(Enum):
    """How a decoded element reaches the lanes; the values name decoders."""

    FIELDS = ""
    """Sign, significand and shift, as :class:`hdl.decode.Decode` gives them."""
    INTEGER = "raw"
    """Two's complement."""
    SUMS = "sums"
    """Two's complement, and the sum of two neighbours."""
    SELECTS = "selects"
    """Where the bits of an integer are 1, apart by whether its neighbour's are."""
    DIGITS = "digits"
    """Signed digits of an integer, each by lines, as :class:`hdl.digits.DecodeDigits` has them."""
    POLARITIES = "polarities"
    """Two's complement, and its complement."""
    LINES = "lines"
    """Sign and one-hot magnitude, as :class:`hdl.lines.DecodeLines` gives them, and whether the
    sign is another than its neighbour's."""
    MULTIPLES = "multiples"
    """Sign, magnitude and 3 times the magnitude, and whether the sign is another than its
    neighbour's."""
    SINGLE_LINES = "single_lines"
    """Lines without the neighbour."""
    SINGLE_MULTIPLES = "single_multiples"
    """Multiples without the neighbour."""
    SIGNED_LINES = "signed_lines"
    """Lines for complements, without the neighbour."""
    COMPLEMENTS = "complements"
    """Sign and multiples, complemented where negative."""

    @property
    def has_neighbours(self):
        """Whether elements are decoded two by two."""
        return self in (Form.SUMS, Form.SELECTS, Form.LINES, Form.MULTIPLES)


LINES = {
    Form.LINES: Kind.PLAIN,
    Form.SINGLE_LINES: Kind.SINGLE,
    Form.SIGNED_LINES: Kind.SIGNED,
}
MULTIPLES = {
    Form.MULTIPLES: Kind.PLAIN,
    Form.SINGLE_MULTIPLES: Kind.SINGLE,
    Form.COMPLEMENTS: Kind.SIGNED,
}


def multiplies_integers(fmt_a, fmt_b):
    """Whether lanes multiply in two's complement: pairs of one-sided integers."""
    return all(not isinstance(f.element, FloatFormat) and f.sides == 1 for f in (fmt_a, fmt_b))


def forms(fmt_a, fmt_b, sharing=Sharing.ALONE):
    """The forms in which the lanes of a pair of formats take their operands."""
    is_shared = sharing in (Sharing.FEW, Sharing.MANY)
    if is_shared and fmt_a.element == fmt_b.element and takes_lines(fmt_a.element):
        if fmt_a.sides == fmt_b.sides == 1 and sharing is Sharing.MANY:
            return Form.SINGLE_LINES, Form.SINGLE_MULTIPLES
        if fmt_a.sides == fmt_b.sides == 2:
            return Form.LINES, Form.MULTIPLES
        if {fmt_a.sides, fmt_b.sides} == {1, 2}:
            lines, multiples = Form.SIGNED_LINES, Form.COMPLEMENTS
            return (lines, multiples) if fmt_a.sides == 2 else (multiples, lines)
    if multiplies_integers(fmt_a, fmt_b):
        widths = [integer_shape(fmt.element).width for fmt in (fmt_a, fmt_b)]
        first = digits_of_pair(fmt_a.element, fmt_b.element)
        if first is not None and (
            widths[first] < widths[1 - first] if is_shared else sharing is Sharing.ALONE
        ):
            both = Form.DIGITS, Form.POLARITIES
            return both[::-1] if first else both
        if not is_shared and min(widths) <= NARROW:
            return Form.INTEGER, Form.INTEGER
        both = Form.SUMS, Form.SELECTS
        return both[::-1] if selects(fmt_a.element, fmt_b.element) else both
    return Form.FIELDS, Form.FIELDS


def lane_layout(element, form=Form.FIELDS):
    """Layout of one decoded element."""
    if form is Form.INTEGER:
        return data.StructLayout({"value": integer_shape(element), "nonzero": 1})
    if form is Form.DIGITS:
        return data.StructLayout(digit_fields() | {"nonzero": 1})
    if form is Form.POLARITIES:
        shape = integer_shape(element)
        return data.StructLayout({"value": shape, "complement": shape.width, "nonzero": 1})
    if form is Form.SUMS:
        width = integer_shape(element).width
        fields = {"value": signed(width), "sum": signed(width + 1), "nonzero": 1}
        return data.StructLayout(fields)
    if form is Form.SELECTS:
        width = integer_shape(element).width
        return data.StructLayout({"only": width, "both": width, "nonzero": 1})
    if form in LINES:
        differs = {"differs": 1} if form.has_neighbours else {}
        return data.StructLayout(lines_fields(element, LINES[form]) | differs)
    if form in MULTIPLES:
        differs = {"differs": 1} if form.has_neighbours else {}
        return data.StructLayout(multiples_fields(element, MULTIPLES[form]) | differs)
    fields = {"neg": 1, "sig": significand_width(element), "nonzero": 1}
    if largest_shift(element):
        fields["shift"] = largest_shift(element).bit_length()
    if element.has_inf:
        fields["special"] = 1
    return data.StructLayout(fields)


def decode_lanes(m, platform, element, form, masked, codes, group):
    """Elements as ``lane_layout`` has them: their fields by name, with ``nan`` where it can be;
    ``group``: how many are summed, which may be neighbours of each other."""
    if form in (Form.SUMS, Form.SELECTS):
        values = [integer_value(m, element, code) for code in codes]
        zero = Const(0, integer_shape(element))
        lanes = []
        for i in range(0, len(codes), group):
            lanes += _in_pairs(m, platform, f"sum{i}", form, values[i : i + group], zero)
        return lanes
    lanes = [
        _decode(m, platform, f"lane{i}", element, form, masked, code)
        for i, code in enumerate(codes)
    ]
    if form.has_neighbours:
        for i in range(0, len(lanes), group):
            _compare_signs(lanes[i : i + group])
    return lanes


def _compare_signs(lanes):
    """Tell two lanes, 0 and 1, 2 and 3, whether their signs differ; a last one is alone."""
    for i in range(0, len(lanes), 2):
        pair = lanes[i : i + 2]
        for lane in pair:
            lane["differs"] = pair[0]["neg"] ^ pair[-1]["neg"]


def _in_pairs(m, platform, name, form, values, zero):
    """Integers, each with its neighbour: lanes 0 and 1, 2 and 3; a last one alone has zero."""
    lanes = []
    for i, (x, y) in enumerate(zip(values[::2], [*values[1::2], zero])):
        fields = [{"nonzero": value.any()} for value in (x, y)]
        if form is Form.SELECTS:
            p, q = x.as_unsigned(), y.as_unsigned()
            fields[0] |= {"only": p & ~q, "both": p & q}
            fields[1] |= {"only": q & ~p, "both": p & q}
        else:
            extended = (Cat(value, value[-1]) for value in (x, y))
            total = add(m, platform, f"{name}_{i}", *extended, width=len(x) + 1)
            fields[0] |= {"value": x, "sum": total}
            fields[1] |= {"value": y, "sum": total}
        lanes += fields
    return lanes[: len(values)]


def _decode(m, platform, name, element, form, masked, code):
    """One element by itself."""
    if form in (Form.INTEGER, Form.POLARITIES):
        value = integer_value(m, element, code)
        return {"value": value, "complement": ~value, "nonzero": value.any()}
    if form in LINES:
        decoder = DecodeLines(element, LINES[form])
    elif form is Form.DIGITS:
        decoder = DecodeDigits(element)
    elif form in MULTIPLES:
        decoder = DecodeMultiples(element, MULTIPLES[form])
    else:
        decoder = Decode(element, masked)
    return vars(place(m, platform, name, decoder, code=code))


def lane_ports(a, b, fields):
    """Input ports ``a_sig``, ``b_sig``, ... for those ``fields`` that each of two elements has."""
    layouts = {"a": lane_layout(a), "b": lane_layout(b)}
    return {
        f"{name}_{field}": In(shape)
        for name, layout in layouts.items()
        for field, shape in layout.members.items()
        if field in fields
    }

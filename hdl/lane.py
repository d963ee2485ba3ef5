"""Forms of a lane: what the edge of a unit makes of an element for every cell that reads it."""

from enum import Enum

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
from .lines import (
    DecodeLines,
    DecodeMultiples,
    lines_fields,
    multiples_fields,
    takes_lines,
)
from .shared import place


class Form(Enum):
    """How a decoded element reaches the lanes; the values name decoders."""

    FIELDS = ""
    """Sign, significand and shift, as :class:`hdl.decode.Decode` gives them."""
    INTEGER = "raw"
    """Two's complement."""
    LINES = "lines"
    """Sign and one-hot magnitude, as :class:`hdl.lines.DecodeLines` gives them."""
    MULTIPLES = "multiples"
    """Sign, magnitude and 3 times the magnitude."""
    COMPLEMENTS = "complements"
    """The same, complemented where negative."""


def multiplies_integers(fmt_a, fmt_b):
    """Whether lanes multiply in two's complement: pairs of one-sided integers."""
    return all(not isinstance(f.element, FloatFormat) and f.sides == 1 for f in (fmt_a, fmt_b))


def forms(fmt_a, fmt_b, is_shared=False):
    """The forms in which the lanes of a pair of formats take their operands; ``is_shared``: several
    cells read what the edge makes of each."""
    if is_shared and fmt_a.element == fmt_b.element and takes_lines(fmt_a.element):
        if fmt_a.sides == fmt_b.sides == 2:
            return Form.LINES, Form.MULTIPLES
        if {fmt_a.sides, fmt_b.sides} == {1, 2}:
            lines, multiples = Form.LINES, Form.COMPLEMENTS
            return (lines, multiples) if fmt_a.sides == 2 else (multiples, lines)
    form = Form.INTEGER if multiplies_integers(fmt_a, fmt_b) else Form.FIELDS
    return form, form


def lane_layout(element, form=Form.FIELDS):
    """Layout of one decoded element."""
    if form is Form.INTEGER:
        return data.StructLayout({"value": integer_shape(element), "nonzero": 1})
    if form is Form.LINES:
        return data.StructLayout(lines_fields(element))
    if form in (Form.MULTIPLES, Form.COMPLEMENTS):
        return data.StructLayout(multiples_fields(element))
    fields = {"neg": 1, "sig": significand_width(element), "nonzero": 1}
    if largest_shift(element):
        fields["shift"] = largest_shift(element).bit_length()
    if element.has_inf:
        fields["special"] = 1
    return data.StructLayout(fields)


def decode_lane(m, platform, name, element, form, masked, code):
    """One element as ``lane_layout`` has it: its fields by name, with ``nan`` where it can be."""
    if form is Form.INTEGER:
        value = integer_value(m, element, code)
        return {"value": value, "nonzero": value.any()}
    if form is not Form.FIELDS:
        is_signed = form is Form.COMPLEMENTS
        cell = DecodeLines(element) if form is Form.LINES else DecodeMultiples(element, is_signed)
        return vars(place(m, platform, name, cell, code=code))
    return vars(place(m, platform, name, Decode(element, masked), code=code))


def lane_ports(a, b, fields):
    """Input ports ``a_sig``, ``b_sig``, ... for those ``fields`` that each of two elements has."""
    layouts = {"a": lane_layout(a), "b": lane_layout(b)}
    return {
        f"{name}_{field}": In(shape)
        for name, layout in layouts.items()
        for field, shape in layout.members.items()
        if field in fields
    }


def lane_inputs(ports, a, b):
    """The values of such ports, from two decoded lanes."""
    return {port: {"a": a, "b": b}[port[0]][port[2:]] for port in ports}

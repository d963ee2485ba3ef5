"""Operands at the edge of a unit: a vector of codes and its scales, decoded once for every cell
that reads them."""

from types import SimpleNamespace

import numpy as np
from amaranth.hdl import Array, Cat, Const, Module, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from .align import is_above
from .lane import Form, decode_lanes, lane_layout
from .scale import DecodeScale, scale_layout
from .shared import Shared, place


def operand_layout(fmt, k, form=Form.FIELDS):
    """Layout of ``k`` decoded elements, their block scales, whether anything is NaN, and by block
    whether the scale of the negative side has the larger exponent (``above``)."""
    fields = {"lanes": data.ArrayLayout(lane_layout(fmt.element, form), k)}
    if fmt.has_block_scale:
        fields["scales"] = data.ArrayLayout(scale_layout(fmt.scale), scale_count(fmt, k))
        if fmt.sides == 2:
            fields["above"] = scale_count(fmt, k) // 2
    if fmt.element.has_nan or fmt.has_block_scale:
        fields["nan"] = 1
    if fmt.macro is not None:
        fields["reciprocal"] = 32
    return data.StructLayout(fields)


def scale_count(fmt, k):
    """Scale codes that ``k`` elements have."""
    return k // fmt.block_size * fmt.sides if fmt.has_block_scale else 0


def operand_ports(fmt, k):
    """Widths of an operand's ports: ``elems``, with block scales ``scales``, with a macro-block
    factor ``macro``."""
    widths = {"elems": k * fmt.element.width}
    if fmt.has_block_scale:
        widths["scales"] = scale_count(fmt, k) * fmt.scale.width
    if fmt.macro is not None:
        widths["macro"] = fmt.macro.factor.width
    return widths


def part(operand, fmt, start, length):
    """``length`` elements of a decoded operand from ``start`` on, with their scales."""
    fields = {"lanes": [operand.lanes[i] for i in range(start, start + length)]}
    members = operand.shape().members
    if "scales" in members:
        first, count = scale_count(fmt, start), scale_count(fmt, length)
        fields["scales"] = [operand.scales[i] for i in range(first, first + count)]
    if "above" in members:
        fields["above"] = operand.above[first // 2 : (first + count) // 2]
    if "nan" in members:
        fields["nan"] = operand.nan
    return SimpleNamespace(**fields)


def reciprocals(macro):
    """Binary32 bits of 1 / f for every code of a macro-block factor, rounded to nearest even."""
    values = np.float32(1) / macro.factor.values.astype(np.float32)
    return [Const(int(bits), 32) for bits in values.view(np.uint32)]


class DecodeOperand(Shared):
    """Decode ``k`` elements and their scales.

    Function  Each element as :class:`Decode` gives it, each scale as :class:`DecodeScale` does.
    Formats   Any BlockFormat with float or two's complement elements.
    Shapes    ``elems``: ``k`` codes; ``scales``: a byte a block and side, the positive side first;
              ``macro``: the code of the factor of the macro block that the elements lie in.
    Widths    ``o``: ``operand_layout(fmt, k, form)``; a form decodes elements as
              :func:`hdl.lane.decode_lanes` does.
    Timing    Combinational.
    Errors    TypeError for elements that Decode refuses.
    Source    OCP MX v1.0. A scale that is not finite makes the whole step NaN: our choice.
    """

    part = "decode"

    def __init__(self, fmt, k, form=Form.FIELDS, masked=True, group=None):
        """``group``: how many elements are summed, all if None."""
        self._fmt, self._k, self._form, self._masked = fmt, k, form, masked
        self._group = group or k
        scale = f"_{fmt.scale.name}x{scale_count(fmt, k)}" if fmt.has_block_scale else ""
        kind = (f"_{form.value}" if form.value else "") + ("" if masked else "_unmasked")
        if form.has_neighbours and self._group % 2 and self._group < k:
            kind += f"_by{self._group}"
        kind += "_sided" if fmt.has_block_scale and fmt.sides == 2 else ""
        kind += "_macro" if fmt.macro is not None else ""
        self.module_name = f"operand_{fmt.element.name}x{k}{scale}{kind}"
        ports = {name: In(width) for name, width in operand_ports(fmt, k).items()}
        super().__init__(ports | {"o": Out(operand_layout(fmt, k, form))})

    def elaborate(self, platform):
        m = Module()
        element = self._fmt.element
        fields, nans = [], []

        # Elements.
        lane_fields = lane_layout(element, self._form).members
        codes = [self.elems.word_select(i, element.width) for i in range(self._k)]
        how = m, platform, element, self._form, self._masked
        for out in decode_lanes(*how, codes, self._group):
            fields += [out[field] for field in lane_fields]
            nans += [out["nan"]] if element.has_nan else []

        # Scales.
        scale_fields = scale_layout(self._fmt.scale).members if self._fmt.has_block_scale else ()
        exponents = []
        for i in range(scale_count(self._fmt, self._k)):
            code = self.scales.word_select(i, self._fmt.scale.width)
            out = vars(place(m, platform, f"scale{i}", DecodeScale(self._fmt.scale), code=code))
            fields += [out[field] for field in scale_fields]
            exponents.append(out["field"])
            nans.append(out["nan"])
        if exponents and self._fmt.sides == 2:
            sides = enumerate(zip(exponents[::2], exponents[1::2]))
            fields.append(Cat(is_above(m, f"above{i}_", n, p) for i, (p, n) in sides))
        if nans:
            fields.append(Cat(nans).any())
        if self._fmt.macro is not None:
            fields.append(Array(reciprocals(self._fmt.macro))[self.macro])
        m.d.comb += Value.cast(self.o).eq(Cat(fields))
        return m

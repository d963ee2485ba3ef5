"""Quantizers whose scales the largest magnitudes decide, and what their lanes are told."""

from amaranth.hdl import Cat, Const, Mux

from .largest import Largest
from .power_lane import PowerLane, base_offset, base_width, bases
from .scale_choice import ChooseScale, Significance, any_upward, nan_code
from .shared import place
from .source import unpack


class PowerScales:
    """Scales that are powers of two, one or two a block, chosen by any rule.

    What quantizers ask of such a class: ``inputs`` and ``outputs``, widths of ports besides;
    ``lane``, the component of a lane; ``blocks``, how many a group has; :meth:`summarize`, for each
    block that some elements belong to, unsigned keys of which the largest counts; :meth:`decide`,
    from the keys of all blocks of a group to what the lanes of each are told, and to results.
    """

    blocks = 1

    def __init__(self, fmt, source):
        self._fmt, self._source = fmt, source
        self.inputs, self.outputs = {}, {"scales": 8 * fmt.sides}
        self.lane = self._lane()

    def summarize(self, m, library, codes):
        """Keys by side, and of one side whether any fraction is not zero."""
        xs = unpack(m, library, codes, self._source, self._source.exponent_width < 8)
        self._choice = Significance(self._fmt, self._source, xs[0].bias)
        self._field_width = len(xs[0].field)
        keys = [self._choice.key(x) for x in xs]
        largest = Largest(len(xs), len(keys[0]), self._fmt.sides == 2)
        if self._fmt.sides == 1:
            top = place(m, library, "largest", largest, i=Cat(keys)).o
            return [[top, Cat(any_upward(x.fraction) for x in xs).any()]]
        negs = Cat(x.neg for x in xs)
        tops = [
            place(m, library, f"largest_{side}", largest, i=Cat(keys), taken=taken).o
            for side, taken in (("p", ~negs), ("n", negs))
        ]
        return [tops]

    def decide(self, m, library, keys, inputs):
        """What the lanes are told, and the scale codes."""
        fmt, source = self._fmt, self._source
        ((*tops, nonzero),) = keys if fmt.sides == 1 else ((*keys[0], Const(1, 1)),)
        cell = ChooseScale(self._choice, self._field_width, f"{fmt.name}_{source.name}")
        codes = [place(m, library, f"scale{i}", cell, key=top).code for i, top in enumerate(tops)]
        fields = [top[-self._field_width :] for top in tops]
        special = Cat(field == self._choice.special_field for field in fields).any()
        # A zero keeps its sign, but not in a block of zeros; of two sides it has none.
        is_zero = ~(fields[0].any() | nonzero)
        told = self._told(m, library, codes, special, is_zero)
        scales = Cat(Mux(special, nan_code(fmt.scale), code) for code in codes)
        return [told], {"scales": scales}

    def _lane(self):
        return PowerLane(self._fmt, self._source)

    def _base(self, code):
        offset = base_offset(self._fmt, self._source)
        return (code + offset)[: base_width(self._fmt, self._source)]

    def _told(self, m, library, codes, special, is_zero):
        told = {name: self._base(code) for name, code in zip(bases(self._fmt), codes)}
        return told | {"clear": special | is_zero}

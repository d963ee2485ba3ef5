"""Two lanes at a time: what the product generators of pairs have in common."""

from amaranth.hdl import Const

from .shared import place


def two_lanes(ports):
    """The ports of one lane for the two of a pair, ``x`` and ``y``."""
    return {f"{lane}_{name}": port for lane in "xy" for name, port in ports.items()}


class PairGenerator:
    """A generator of two lanes: what it is, if it says no other, and its inputs ``x_a_*``,
    ``x_b_*``, ``y_a_*`` and ``y_b_*`` after the fields of the lanes, which ``_inputs`` names."""

    part = "products"
    constant = 0
    is_conjunction = False
    halves_first = False

    def inputs(self, x, y):
        """Port values from two pairs of decoded lanes, ``(a, b)`` each; None is a lane of zero."""
        lanes, values = {"x": x, "y": y}, {}
        for name, member in self._inputs.items():
            lane, operand, field = name.split("_", 2)
            pair = lanes[lane]
            values[name] = pair["ab".index(operand)][field] if pair else Const(0, member.shape)
        return values


def in_pairs(m, library, name, cell, lanes):
    """The outputs of one ``cell`` for every two lanes; the last may be alone."""
    pairs = zip(lanes[::2], [*lanes[1::2], None])
    return [
        vars(place(m, library, f"{name}_product{i}", cell, **cell.inputs(x, y)))
        for i, (x, y) in enumerate(pairs)
    ]

"""What product generators have in common: those of one lane, and those that take two at a time."""

from amaranth.hdl import Const

from .shared import place


class Generator:
    """What a generator is, if it says no other; ``lanes``: how many it takes."""

    part = "products"
    constant = 0
    is_conjunction = False
    halves_first = False


class LaneGenerator(Generator):
    """One lane, with inputs ``a_*`` and ``b_*`` after its fields, which ``_fields`` names."""

    lanes = 1

    def inputs(self, a, b):
        """Port values from two decoded lanes."""
        return {port: {"a": a, "b": b}[port[0]][port[2:]] for port in self._fields}

    def taken(self, lanes):
        """The inputs of a generator for each lane, ``(a, b)``."""
        return [self.inputs(a, b) for a, b in lanes]


class PairGenerator(Generator):
    """Two lanes, with inputs ``x_a_*``, ``x_b_*``, ``y_a_*`` and ``y_b_*`` after their fields,
    which ``_inputs`` names."""

    lanes = 2

    def inputs(self, x, y):
        """Port values from two pairs of decoded lanes, ``(a, b)`` each; None is a lane of zero."""
        lanes, values = {"x": x, "y": y}, {}
        for name, member in self._inputs.items():
            lane, operand, field = name.split("_", 2)
            pair = lanes[lane]
            values[name] = pair["ab".index(operand)][field] if pair else Const(0, member.shape)
        return values

    def taken(self, lanes):
        """The inputs of a generator for every two lanes, ``(a, b)``; the last may be alone."""
        return [self.inputs(x, y) for x, y in zip(lanes[::2], [*lanes[1::2], None])]


def two_lanes(ports):
    """The ports of one lane for the two of a pair, ``x`` and ``y``."""
    return {f"{lane}_{name}": port for lane in "xy" for name, port in ports.items()}


def place_products(m, library, name, cell, lanes):
    """Place as many of a generator as lanes take; a list of outputs by name."""
    return [
        vars(place(m, library, f"{name}_product{i}", cell, **inputs))
        for i, inputs in enumerate(cell.taken(lanes))
    ]

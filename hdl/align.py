"""Alignment: addends shifted onto one grid, truncated toward zero, as bits for a heap."""

from amaranth.hdl import Const, Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from .shared import Shared, exact
from .shift import shift_right


def is_above(m, name, a, b):
    """Whether ``a > b``, both unsigned, by one carry chain."""
    above = Const(0, 1)
    for i in range(max(len(a), len(b))):
        x, y = (value[i] if i < len(value) else Const(0, 1) for value in (a, b))
        carry = Signal(name=f"{name}{i}")
        m.d.comb += carry.eq((x & ~y) | (above & (x | ~y)))
        above = carry
    return above


def maximum(m, name, values):
    """The largest of unsigned ``values``, by a balanced tree."""
    level = 0
    while len(values) > 1:
        merged = []
        for i in range(0, len(values) - 1, 2):
            larger = Signal(
                max(len(values[i]), len(values[i + 1])), name=f"{name}_{level}_{i // 2}"
            )
            above = is_above(m, f"{larger.name}_above", values[i], values[i + 1])
            m.d.comb += exact(larger, Mux(above, values[i], values[i + 1]))
            merged.append(larger)
        values = merged + values[len(values) & ~1 :]
        level += 1
    return values[0]


class AlignMagnitude(Shared):
    """Align one magnitude, truncating.

    Function  ``o = mag * 2**room >> distance``.
    Formats   None; integers.
    Shapes    ``mag``, ``distance``: unsigned.
    Widths    ``room``: bits kept below the magnitude; ``o``: both together.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, fused aligned sum: truncation toward zero. Golden: ``golden.fused``.
    """

    part = "scaling"

    def __init__(self, width, room, distance_width):
        self._room = room
        self.module_name = f"align_w{width}_r{room}_d{distance_width}".replace("-", "m")
        super().__init__({"mag": In(width), "distance": In(distance_width), "o": Out(width + room)})

    def elaborate(self, platform):
        m = Module()
        kept, _ = shift_right(m, "aligned", self.mag, self.distance, self._room)
        m.d.comb += self.o.eq(kept)
        return m


class AlignSigned(Shared):
    """Align one two's complement addend, truncating toward zero.

    Function  ``o + up = trunc(value * 2**room >> distance)``.
    Formats   None; integers.
    Shapes    ``value``, ``o``: two's complement; ``distance``: unsigned.
    Widths    ``room``: bits kept below the value; ``o``: both together. ``up``: one bit, which
              turns the floor of a negative value into truncation. ``lost``: some bit was 1 and
              is not in ``o``.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, fused aligned sum: truncation toward zero. Golden: ``golden.fused``.
    """

    part = "scaling"

    def __init__(self, width, room, distance_width):
        self._room = room
        self.module_name = f"align_signed_w{width}_r{room}_d{distance_width}".replace("-", "m")
        super().__init__(
            {
                "value": In(signed(width)),
                "distance": In(distance_width),
                "o": Out(signed(width + room)),
                "up": Out(1),
                "lost": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        kept, lost = shift_right(m, "aligned", self.value, self.distance, self._room, signed=True)
        m.d.comb += [self.o.eq(kept), self.up.eq(self.value[-1] & lost)]
        m.d.comb += self.lost.eq(lost)
        return m


def saturated(m, name, value, width):
    """``value`` or, where that needs more than ``width`` bits, all ones."""
    if len(value) <= width:
        return value
    result = Signal(width, name=name)
    m.d.comb += result.eq(value[:width] | value[width:].any().replicate(width))
    return result

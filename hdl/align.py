"""Alignment: addends shifted onto one grid, truncated toward zero, as bits for a heap."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from .library import Shared, exact, place
from .shift import shift_right


def maximum(m, name, values):
    """The largest of unsigned ``values``, by a balanced tree."""
    level = 0
    while len(values) > 1:
        merged = []
        for i in range(0, len(values) - 1, 2):
            larger = Signal(
                max(len(values[i]), len(values[i + 1])), name=f"{name}_{level}_{i // 2}"
            )
            m.d.comb += exact(larger, Mux(values[i] > values[i + 1], values[i], values[i + 1]))
            merged.append(larger)
        values = merged + values[len(values) & ~1 :]
        level += 1
    return values[0]


class AlignMagnitude(Shared):
    """Align one sign-magnitude addend, truncating toward zero.

    Function  ``sum(o[i] << weights[i]) + constant = (-1)**neg * floor(mag * 2**room >> distance)``.
    Formats   None; integers.
    Shapes    ``mag``, ``distance``: unsigned.
    Widths    ``room``: bits kept below the magnitude. ``o``: | ~neg | magnitude ^ neg | and neg at
              weight 0.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, fused aligned sum: truncation toward zero. Golden: ``golden.fused``.
    """

    part = "scaling"

    def __init__(self, width, room, distance_width):
        self._room = room
        self._kept = width + room
        self.weights = [*range(self._kept), 0, self._kept]
        self.constant = -1 << self._kept
        self.module_name = f"align_magnitude_w{width}_r{room}_d{distance_width}".replace("-", "m")
        super().__init__(
            {
                "neg": In(1),
                "mag": In(width),
                "distance": In(distance_width),
                "o": Out(len(self.weights)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        kept, _ = shift_right(m, "aligned", self.mag, self.distance, self._room)
        m.d.comb += self.o.eq(Cat(kept ^ self.neg.replicate(self._kept), self.neg, ~self.neg))
        return m


class AlignSigned(Shared):
    """Align one two's complement addend, truncating toward zero.

    Function  ``sum(o[i] << weights[i]) + constant = trunc(value * 2**room >> distance)``.
    Formats   None; integers.
    Shapes    ``value``: two's complement; ``distance``: unsigned.
    Widths    ``o``: | ~sign | value | and, at weight 0, what turns floor into truncation of a
              negative value.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, fused aligned sum: truncation toward zero. Golden: ``golden.fused``.
    """

    part = "scaling"

    def __init__(self, width, room, distance_width):
        self._room = room
        self._kept = width + room
        self.weights = [*range(self._kept), 0]
        self.constant = -1 << (self._kept - 1)
        self.module_name = f"align_signed_w{width}_r{room}_d{distance_width}".replace("-", "m")
        super().__init__(
            {
                "value": In(signed(width)),
                "distance": In(distance_width),
                "o": Out(len(self.weights)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        kept, lost = shift_right(m, "aligned", self.value, self.distance, self._room, signed=True)
        m.d.comb += self.o.eq(Cat(kept[:-1], ~kept[-1], self.value[-1] & lost))
        return m


def enter(m, library, heap, name, cell, **inputs):
    """Place an alignment cell and put its bits and its constant into ``heap``."""
    bits = place(m, library, name, cell, **inputs).o
    for bit, weight in zip(bits, cell.weights):
        heap.add_bit(bit, weight)
    heap.add_constant(cell.constant)


def saturated(m, name, value, width):
    """``value`` or, where that needs more than ``width`` bits, all ones."""
    if len(value) <= width:
        return value
    result = Signal(width, name=name)
    m.d.comb += result.eq(value[:width] | value[width:].any().replicate(width))
    return result

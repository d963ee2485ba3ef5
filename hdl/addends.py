"""The addends of one fused aligned sum, and how each enters its bit heap."""

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
            larger = Signal(max(len(values[i]), len(values[i + 1])), name=f"{name}_{level}_{i // 2}")
            m.d.comb += exact(larger, Mux(values[i] > values[i + 1], values[i], values[i + 1]))
            merged.append(larger)
        values = merged + values[len(values) & ~1 :]
        level += 1
    return values[0]


class AlignMagnitude(Shared):
    """Align one sign-magnitude addend, truncating toward zero, as bits for a heap.

    Function  ``sum(o[i] << weights[i]) + constant = (-1)**neg * floor(mag * 2**room >> distance)``.
    Formats   None; integers.
    Shapes    ``mag``, ``distance``: unsigned.
    Widths    ``room``: bits kept below the magnitude. ``o``: | ~neg | magnitude ^ neg | and neg at weight 0.
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
            {"neg": In(1), "mag": In(width), "distance": In(distance_width), "o": Out(len(self.weights))}
        )

    def elaborate(self, platform):
        m = Module()
        kept, _ = shift_right(m, "aligned", self.mag, self.distance, self._room)
        m.d.comb += self.o.eq(Cat(kept ^ self.neg.replicate(self._kept), self.neg, ~self.neg))
        return m


class AlignSigned(Shared):
    """Align one two's complement addend, truncating toward zero, as bits for a heap.

    Function  ``sum(o[i] << weights[i]) + constant = trunc(value * 2**room >> distance)``.
    Formats   None; integers.
    Shapes    ``value``: two's complement; ``distance``: unsigned.
    Widths    ``o``: | ~sign | value | and, at weight 0, what turns floor into truncation of a negative value.
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
        super().__init__({"value": In(signed(width)), "distance": In(distance_width), "o": Out(len(self.weights))})

    def elaborate(self, platform):
        m = Module()
        kept, lost = shift_right(m, "aligned", self.value, self.distance, self._room, signed=True)
        m.d.comb += self.o.eq(Cat(kept[:-1], ~kept[-1], self.value[-1] & lost))
        return m


class LaneProduct(Shared):
    """One product as an addend: significand and shift, not normalised.

    Function  ``mag = a.sig * b.sig``, ``shift = a.shift + b.shift``, ``neg = a.neg ^ b.neg``.
    Formats   Any two elements that ``Decode`` knows.
    Shapes    ``a_*``, ``b_*``: as Decode gives them. ``key``: ``shift + 1``, or 0 for a zero product.
    Widths    Exact.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    NUMERICS, section 4: product addends. Golden: ``golden.arith.mac_step``.
    """

    part = "products"

    def __init__(self, a, b, widths):
        """``widths``: of ``a_sig``, ``b_sig`` and, where there is one, ``a_shift``, ``b_shift``."""
        self.module_name = f"lane_{a.name}_{b.name}"
        shift = max((width for name, width in widths.items() if name.endswith("shift")), default=0)
        super().__init__(
            {
                **{name: In(width) for name, width in widths.items()},
                **{f"{operand}_{flag}": In(1) for operand in "ab" for flag in ("neg", "nonzero")},
                "neg": Out(1),
                "mag": Out(widths["a_sig"] + widths["b_sig"]),
                "shift": Out(shift + 1),
                "key": Out(shift + 2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        shifts = [getattr(self, name) for name in ("a_shift", "b_shift") if hasattr(self, name)]
        m.d.comb += [
            self.neg.eq(self.a_neg ^ self.b_neg),
            exact(self.mag, self.a_sig * self.b_sig),
            exact(self.shift, shifts[0] + shifts[1] if len(shifts) == 2 else shifts[0]),
            exact(self.key, Mux(self.a_nonzero & self.b_nonzero, self.shift + 1, 0)),
        ]
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



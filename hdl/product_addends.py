"""Single products as the addends of one fused aligned sum, each with a shift of its own."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import Out

from .addends import Addends, choose
from .align import AlignMagnitude, maximum, saturated
from .decode import fraction_width, largest_shift, significand_width, smallest_exponent
from .generators import LaneGenerator
from .lane import lane_ports
from .product import select
from .shared import Shared, bounds, exact, place


class ProductAddends(Addends):
    """One addend a lane: its significand product times the scales' significands, with a shift of
    its own."""

    def __init__(self, fmt_a, fmt_b, k):
        super().__init__(fmt_a, fmt_b, k)
        self.elements = {"a": fmt_a.element, "b": fmt_b.element}
        self.offset = sum(smallest_exponent(e) for e in self.elements.values()) - self.scale.bias
        self.fraction_width = self.scale.fraction_width + sum(
            fraction_width(e) for e in self.elements.values()
        )
        self.count = k
        self.largest_shift = sum(map(largest_shift, self.elements.values()))
        self.lane = LaneProduct(fmt_a.element, fmt_b.element)
        self.width = self.lane.width + (
            self.scale.largest_significand.bit_length() if self.scale.has_significand else 0
        )
        self.largest = (1 << self.width) - 1

    def build(self, m, library, a, b, bias, pipe, prefix):
        """Place the generators; return pairs of nonzero flag and key, whether no addend at all is
        zero, and what :meth:`enter` and :meth:`placed` need."""
        keys, lanes, bases, nonzeros = [], [], [], []
        for group, row in enumerate(self.pairs(m, library, a, b, prefix)):
            base = {
                c: self.base_key(
                    m, library, f"{prefix}group{group}{c}_key", pipe(row[c].field, 3, 1), bias
                )
                for c in row
            }
            lane_keys = {c: [] for c in row}
            for i in range(group * self.size, (group + 1) * self.size):
                name, x, y = f"{prefix}lane{i}", a.lanes[i], b.lanes[i]
                out = place(m, library, name, self.lane, **self.lane.inputs(x, y))
                neg, mag, shift, key = (
                    pipe(value, 3) for value in (out.neg, out.mag, out.shift, out.key)
                )
                taken = {c: pipe(select(c, x, y, self.a.sides), 3) for c in row}
                if self.scale.has_significand:
                    sig = choose(taken, {c: pipe(row[c].sig, 3) for c in row})
                    scaled = Signal(self.width, name=f"{name}_scaled")
                    m.d.comb += exact(scaled, mag * sig)
                    mag = scaled
                neg, mag, shift, key = (pipe(value, 1) for value in (neg, mag, shift, key))
                taken = {c: pipe(value, 1) for c, value in taken.items()}
                nonzeros.append(key.any())
                for c in row:
                    lane_keys[c].append(key & taken[c].replicate(len(key)))
                taken = {c: pipe(value, 4) for c, value in taken.items()}
                lanes.append((name, group, pipe(neg, 4), pipe(mag, 4), pipe(shift, 4), taken))
            bases.append({c: pipe(value, 4) for c, value in base.items()})
            for c in row:
                most = maximum(m, f"{prefix}group{group}{c}_shift", lane_keys[c])
                nonzero = most.any()
                if self.scale.has_significand:
                    nonzero = nonzero & pipe(row[c].nonzero, 3, 1)
                largest = self.scale.largest_field + self.offset + bias + self.largest_shift
                key = Signal(bounds(0, largest), name=f"{prefix}group{group}{c}_largest")
                m.d.comb += key.eq((base[c] + most - 1)[: len(key)])
                keys.append((pipe(nonzero, 4), pipe(key, 4)))
        return SimpleNamespace(
            keys=keys, all_nonzero=pipe(Cat(nonzeros).all(), 4), lanes=lanes, bases=bases
        )

    def placed(self, m, library, built, bias):
        """Every addend as ``(name, magnitude, neg, key)``."""
        fields = []
        for name, group, neg, mag, shift, taken in built.lanes:
            base = choose(taken, built.bases[group])
            key = Signal(max(len(base), len(shift)) + 1, name=f"{name}_place")
            m.d.comb += exact(key, base + shift)
            fields.append((f"{name}_fixed", mag, neg, key))
        return fields

    def enter(self, m, library, heap, built, key, bias, room, prefix):
        """Align every addend to ``key`` and put it into ``heap``."""
        width = min(len(key), (self.width + max(room, 0) + self.largest_shift).bit_length())
        # How far the largest exponent lies above each group's addends of shift 0.
        gaps = [
            {
                c: saturated(m, f"{prefix}group{i}{c}_gap", (key - own)[: len(key)], width)
                for c, own in base.items()
            }
            for i, base in enumerate(built.bases)
        ]
        for name, group, neg, mag, shift, taken in built.lanes:
            distance = Signal(width, name=f"{name}_distance")
            m.d.comb += distance.eq((choose(taken, gaps[group]) - shift)[:width])
            cell = AlignMagnitude(self.width, room, width)
            out = place(m, library, f"{name}_align", cell, mag=mag, distance=distance)
            heap.add_sign_magnitude(neg, out.o)


class LaneProduct(LaneGenerator, Shared):
    """One product as an addend: significand and shift, not normalised.

    Function  ``mag = a.sig * b.sig``, ``shift = a.shift + b.shift``, ``neg = a.neg ^ b.neg``.
    Formats   Any two elements that ``Decode`` knows, at least one of them a float.
    Shapes    ``a``, ``b``: ``lane_layout``. ``key``: ``shift + 1``, or 0 for a zero product.
    Widths    Exact.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    NUMERICS, section 4: product addends. Golden: ``golden.arith.mac_step``.
    """

    datapath = "addends of their own: significands multiplied, each aligned by its exponent"

    def __init__(self, a, b):
        self._fields = lane_ports(a, b, ("neg", "sig", "shift", "nonzero"))
        self.width = significand_width(a) + significand_width(b)
        shift = largest_shift(a) + largest_shift(b)
        self.module_name = f"lane_{a.name}_{b.name}"
        super().__init__(
            {
                **self._fields,
                "neg": Out(1),
                "mag": Out(self.width),
                "shift": Out(shift.bit_length()),
                "key": Out((shift + 1).bit_length()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        shift = sum(getattr(self, name) for name in self._fields if name.endswith("shift"))
        m.d.comb += [
            self.neg.eq(self.a_neg ^ self.b_neg),
            exact(self.mag, self.a_sig * self.b_sig),
            self.shift.eq(Value.cast(shift)[: len(self.shift)]),
            self.key.eq(Mux(self.a_nonzero & self.b_nonzero, self.shift + 1, 0)[: len(self.key)]),
        ]
        return m

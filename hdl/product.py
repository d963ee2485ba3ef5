"""Product generators: one lane's product as bits with factors, for a bit heap; combinations of
sides."""

from itertools import product

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib.wiring import Out

from .decode import largest_magnitude, least_shift
from .generators import LaneGenerator
from .heap import BitHeap
from .lane import lane_ports
from .shared import Shared

SMALL = 6
"""Partial products up to which ABC does better with gates than with adder cells."""


def combinations(a_sides, b_sides):
    """Suffixes of the partial sums that scales keep apart: "" or p, n, or pp, pn, np, nn (``a``'s
    sign first)."""
    letters = {1: ("",), 2: ("p", "n")}
    return ["".join(pair) for pair in product(letters[a_sides], letters[b_sides])]


def port(name, combination):
    """``name`` for a one-sided pair, ``name_pn`` and the like otherwise."""
    return f"{name}_{combination}" if combination else name


class Product(LaneGenerator, Shared):
    """One lane: the exact product of two decoded elements.

    Function  ``sum(o[i] * factors[i]) + constant = a * b``.
    Formats   Any two elements that :class:`Decode` knows.
    Shapes    ``a_*``, ``b_*``: as Decode gives them.
    Widths    Magnitude: that of the largest product. A negative lane has its complement, and one
              bit more for the sign: plus one for the complement, minus one above the magnitude.
    Timing    Combinational.
    Errors    TypeError for elements that Decode refuses.
    Source    Golden: ``golden.arith.dot``.
    """

    datapath = "magnitude: significands multiplied, shifted, complemented"

    def __init__(self, a, b):
        self._width = (largest_magnitude(a) * largest_magnitude(b)).bit_length()
        self.factors = [*(1 << i for i in range(self._width)), 1 - (1 << self._width)]
        self._least = least_shift(a) + least_shift(b)
        self.key = f"{a.name}_{b.name}"
        self.module_name = f"product_{self.key}"
        self._fields = lane_ports(a, b, ("neg", "sig", "shift"))
        super().__init__(self._fields | {"o": Out(len(self.factors))})

    def elaborate(self, platform):
        m = Module()
        shift = sum(getattr(self, name) for name in self._fields if name.endswith("shift"))
        significand = multiply(m, platform, "significand", self.a_sig, self.b_sig)
        magnitude = (significand << Value.cast(shift))[self._least : self._least + self._width]
        neg = self.a_neg ^ self.b_neg
        m.d.comb += self.o.eq(Cat(magnitude ^ neg.replicate(self._width), neg))
        return m


def multiply(m, platform, name, a, b):
    """The product of two unsigned numbers: gates for the smallest, adders for others."""
    if len(a) * len(b) <= SMALL:
        return a * b
    # Complements of conjunctions are one gate.
    heap = BitHeap(len(a) + len(b), inverted=True)
    heap.add_product(a, b)
    return heap.total(m, platform, name)


def select(combination, a, b, a_sides):
    """Whether two lanes' signs belong to ``combination``: one bit, constant 1 for a one-sided
    pair."""
    taken = Const(1, 1)
    for wanted, lane in zip(combination, [a, b] if a_sides == 2 else [b]):
        taken = taken & (lane.neg if wanted == "n" else ~lane.neg)
    return taken

"""Exact dot product of K element pairs, scales not applied."""

from dataclasses import replace

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from .lanes import group_sums, lane_flags, multiplies_integers, sum_shape
from .naming import pair_name
from .operand import DecodeOperand
from .product import combinations, port
from .shared import Shared, bounds, exact, place


class Dot(Shared):
    """Exact dot product of two vectors of element codes, one sum per combination of sides.

    Function  ``o_sum = sum(a[k] * b[k])`` in units of both elements' smallest subnormals; elements
              that are NaN or Inf count as 0 and raise ``o_nan``, ``o_pos_inf``, ``o_neg_inf``
              instead.
    Formats   Any pair of BlockFormats with float or two's complement elements.
    Shapes    ``i_a_elems``, ``i_b_elems``: ``k`` codes, element 0 in the low bits.
    Widths    ``o_sum``: two's complement, holds ``k`` products of the largest magnitude. Exact.
    Timing    Latency 1, one vector pair a cycle while ``en``; ``o_valid`` follows ``i_valid``.
    Errors    TypeError for elements without a decoder.
    Source    OCP MX v1.0, Dot. Golden: ``golden.arith.dot``.
    """

    latency = 1

    def __init__(self, fmt_a, fmt_b, k):
        self._a, self._b = (replace(fmt, scale=None) for fmt in (fmt_a, fmt_b))
        self._k = k
        self.parameters = {}
        self.module_name = f"dot_{pair_name(fmt_a, fmt_b)}_k{k}_core"
        shape = sum_shape(fmt_a, fmt_b, k)
        if not shape.signed:
            shape = bounds(1 - (1 << shape.width), 0)
        self._sums = [port("sum", c) for c in combinations(fmt_a.sides, fmt_b.sides)]
        has_specials = fmt_a.element.has_nan or fmt_b.element.has_nan
        self._flags = ["nan", "pos_inf", "neg_inf"] if has_specials else []
        super().__init__(
            {
                "en": In(1),
                "i_valid": In(1),
                "i_a_elems": In(k * fmt_a.element.width),
                "i_b_elems": In(k * fmt_b.element.width),
                "o_valid": Out(1),
                **{f"o_{name}": Out(shape) for name in self._sums},
                **{f"o_{name}": Out(1) for name in self._flags},
            }
        )

    def elaborate(self, platform):
        m = Module()

        # Decode, multiply, reduce.
        raw = multiplies_integers(self._a, self._b)
        a = place(m, platform, "a", DecodeOperand(self._a, self._k, raw), elems=self.i_a_elems).o
        b = place(m, platform, "b", DecodeOperand(self._b, self._k, raw), elems=self.i_b_elems).o
        lanes = [[operand.lanes[i] for i in range(self._k)] for operand in (a, b)]
        results = {}
        for c, (total, _) in group_sums(m, platform, "lanes", self._a, self._b, *lanes).items():
            results[port("sum", c)] = -total if c in ("pn", "np") else total

        # NaN and Inf go around the sum.
        if self._flags:
            nan = Cat(x.nan for x in (a, b) if "nan" in x.shape().members).any()
            flags = [(*flag, x.neg ^ y.neg) for x, y in zip(*lanes) if (flag := lane_flags(x, y))]
            results["nan"] = nan | Cat(flag[0] for flag in flags).any()
            results["pos_inf"] = Cat(inf & ~neg for _, inf, neg in flags).any()
            results["neg_inf"] = Cat(inf & neg for _, inf, neg in flags).any()

        # Register.
        with m.If(self.en):
            m.d.sync += self.o_valid.eq(self.i_valid)
            m.d.sync += [
                exact(getattr(self, f"o_{name}"), value) for name, value in results.items()
            ]
        return m

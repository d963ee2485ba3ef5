"""Exact dot product of K element pairs, scales not applied."""

from dataclasses import replace

from amaranth.hdl import Cat, Const, Module
from amaranth.lib.wiring import In, Out

from .lane import forms
from .lanes import group_sums, lane_flags, sum_shape
from .naming import pair_name
from .operand import DecodeOperand
from .product import combinations, port
from .shared import Shared, bounds, exact, place


class DotSum(Shared):
    """Exact dot product of two vectors of element codes, one sum per combination of sides.

    Function  ``sum = sum(a[k] * b[k])`` in units of both elements' smallest subnormals. NaN or Inf
              times zero raises ``nan``, other Inf products ``pos_inf``, ``neg_inf`` unless there is
              a NaN; a sum beside a raised flag is 0.
    Formats   Any pair of BlockFormats with float or two's complement elements.
    Shapes    ``a_elems``, ``b_elems``: ``k`` codes, element 0 in the low bits.
    Widths    ``sum``: two's complement, holds ``k`` products of the largest magnitude. Exact.
    Timing    Combinational.
    Errors    TypeError for elements without a decoder.
    Source    OCP MX v1.0, Dot. Golden: ``golden.arith.dot``.
    """

    def __init__(self, fmt_a, fmt_b, k):
        self._a, self._b = (replace(fmt, scale=None) for fmt in (fmt_a, fmt_b))
        self._k = k
        self.module_name = f"dot_{pair_name(fmt_a, fmt_b)}_k{k}_sum"
        shape = sum_shape(fmt_a, fmt_b, k)
        if not shape.signed:
            shape = bounds(1 - (1 << shape.width), 0)
        self.outputs = {port("sum", c): shape for c in combinations(fmt_a.sides, fmt_b.sides)}
        if fmt_a.element.has_nan or fmt_b.element.has_nan:
            self.outputs |= {"nan": 1, "pos_inf": 1, "neg_inf": 1}
        ports = {"a_elems": In(k * fmt_a.element.width), "b_elems": In(k * fmt_b.element.width)}
        super().__init__(ports | {name: Out(shape) for name, shape in self.outputs.items()})

    def elaborate(self, platform):
        m = Module()

        # Decode, multiply, reduce.
        operands = zip((self._a, self._b), forms(self._a, self._b), (self.a_elems, self.b_elems))
        a, b = (
            place(m, platform, name, DecodeOperand(fmt, self._k, form, masked=False), elems=codes).o
            for name, (fmt, form, codes) in zip("ab", operands)
        )
        lanes = [[operand.lanes[i] for i in range(self._k)] for operand in (a, b)]
        sums = group_sums(m, platform, "lanes", self._a, self._b, *lanes)

        # NaN and Inf go around the sum.
        results, finite = {}, Const(1, 1)
        if "nan" in self.outputs:
            nan = Cat(x.nan for x in (a, b) if "nan" in x.shape().members).any()
            nonzeros = next(iter(sums.values())).lanes or [None] * self._k
            flags = [
                (*flag, x.neg ^ y.neg)
                for x, y, nonzero in zip(*lanes, nonzeros)
                if (flag := lane_flags(x, y, nonzero=nonzero))
            ]
            nan = nan | Cat(flag[0] for flag in flags).any()
            pos_inf = ~nan & Cat(inf & ~neg for _, inf, neg in flags).any()
            neg_inf = ~nan & Cat(inf & neg for _, inf, neg in flags).any()
            results = {"nan": nan, "pos_inf": pos_inf, "neg_inf": neg_inf}
            finite = ~Cat(results.values()).any()
        for c, (total, _, _) in sums.items():
            total = -total if c in ("pn", "np") else total
            masked = total.as_unsigned() & finite.replicate(len(total))
            results[port("sum", c)] = masked.as_signed() if total.shape().signed else masked
        m.d.comb += [exact(getattr(self, name), value) for name, value in results.items()]
        return m


class Dot(Shared):
    """:class:`DotSum` and a register.

    Function  ``o_*`` are the outputs of :class:`DotSum` of ``i_*``.
    Formats   Those of :class:`DotSum`.
    Shapes    ``i_a_elems``, ``i_b_elems``: ``k`` codes, element 0 in the low bits.
    Widths    Those of :class:`DotSum`.
    Timing    Latency 1, one vector pair a cycle while ``en``; ``o_valid`` follows ``i_valid``.
    Errors    Those of :class:`DotSum`.
    Source    OCP MX v1.0, Dot. Golden: ``golden.arith.dot``.
    """

    latency = 1

    def __init__(self, fmt_a, fmt_b, k):
        self.sum = DotSum(fmt_a, fmt_b, k)
        self.parameters = {}
        self.module_name = f"dot_{pair_name(fmt_a, fmt_b)}_k{k}_core"
        super().__init__(
            {
                "en": In(1),
                "i_valid": In(1),
                "i_a_elems": In(k * fmt_a.element.width),
                "i_b_elems": In(k * fmt_b.element.width),
                "o_valid": Out(1),
                **{f"o_{name}": Out(shape) for name, shape in self.sum.outputs.items()},
            }
        )

    def elaborate(self, platform):
        m = Module()
        elems = {"a_elems": self.i_a_elems, "b_elems": self.i_b_elems}
        results = vars(place(m, platform, "dot", self.sum, **elems))
        with m.If(self.en):
            m.d.sync += self.o_valid.eq(self.i_valid)
            m.d.sync += [
                exact(getattr(self, f"o_{name}"), value) for name, value in results.items()
            ]
        return m

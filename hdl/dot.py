"""Exact dot product of K element pairs, scales not applied."""

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from .lanes import decode_operands, group_sums, has_specials, lane_flags, needs_decoding, sum_shape
from .library import Shared, bounds, exact
from .product import combinations, port


def name_of_pair(fmt_a, fmt_b):
    """``a`` for a pair of one format, ``a_b`` otherwise; what configurations and modules are named by."""
    return fmt_a.name if fmt_a == fmt_b else f"{fmt_a.name}_{fmt_b.name}"


class Dot(Shared):
    """Exact dot product of two vectors of element codes, one sum per combination of sides.

    Function  ``o_sum = sum(a[k] * b[k])`` in units of both elements' smallest subnormals; elements that
              are NaN or Inf count as 0 and raise ``o_nan``, ``o_pos_inf``, ``o_neg_inf`` instead.
    Formats   Any pair of BlockFormats with float or two's complement elements.
    Shapes    ``i_a_elems``, ``i_b_elems``: ``k`` codes, element 0 in the low bits.
    Widths    ``o_sum``: two's complement, holds ``k`` products of the largest magnitude. Exact.
    Timing    Latency 1, one vector pair a cycle while ``en``; ``o_valid`` follows ``i_valid``.
    Errors    TypeError for elements without a decoder.
    Source    OCP MX v1.0, Dot. Golden: ``golden.arith.dot``.
    """

    latency = 1

    def __init__(self, fmt_a, fmt_b, k):
        self._a, self._b, self._k = fmt_a, fmt_b, k
        self.module_name = f"dot_{name_of_pair(fmt_a, fmt_b)}_k{k}_core"
        shape = sum_shape(fmt_a, fmt_b, k)
        if not shape.signed:
            shape = bounds(1 - (1 << shape.width), 0)
        self._sums = [port("sum", c) for c in combinations(fmt_a.sides, fmt_b.sides)]
        self._flags = ["nan", "pos_inf", "neg_inf"] if has_specials(fmt_a, fmt_b) else []
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
        fmt_a, fmt_b = self._a, self._b
        raw = not needs_decoding(fmt_a, fmt_b)

        # Decode, multiply, reduce.
        a = decode_operands(m, platform, "a", fmt_a.element, self.i_a_elems, raw)
        b = decode_operands(m, platform, "b", fmt_b.element, self.i_b_elems, raw)
        sums = group_sums(m, platform, "lanes", fmt_a, fmt_b, a, b)
        results = {}
        for c, (total, _) in sums.items():
            results[port("sum", c)] = -total if c in ("pn", "np") else total

        # NaN and Inf go around the sum.
        if self._flags:
            flags = [lane_flags(x, y) for x, y in zip(a, b)]
            nan, inf = (Cat(flag).any() for flag in zip(*flags))
            neg = Cat(x.neg ^ y.neg for x, y in zip(a, b))
            inf = Cat(flag[1] for flag in flags)
            results |= {"nan": nan, "pos_inf": (inf & ~neg).any(), "neg_inf": (inf & neg).any()}

        # Register.
        with m.If(self.en):
            m.d.sync += self.o_valid.eq(self.i_valid)
            m.d.sync += [exact(getattr(self, f"o_{name}"), value) for name, value in results.items()]
        return m

"""The cell of a matrix unit: K products and an accumulator in one fused aligned sum."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import FloatFormat

from .addends import GroupAddends, ProductAddends, choose
from .align import AlignMagnitude, maximum
from .heap import BitHeap
from .lanes import lane_flags, multiplies_integers
from .library import Shared, bounds, place
from .naming import pair_name
from .operand import operand_layout
from .pipeline import Pipeline
from .product import select
from .rounding import INFINITY, NAN, SIGNIFICAND_WIDTH, RoundBinary32

GROUP_FRACTION_BITS = 35
PRODUCT_FRACTION_BITS = 25
BINARY32_MIN_EXPONENT = -126


def sums_groups(fmt_a, fmt_b):
    """Whether the addends are exact group sums; a float of 8 or more bits makes them single
    products."""
    return not any(
        isinstance(f.element, FloatFormat) and f.element.width > 6 for f in (fmt_a, fmt_b)
    )


class FusedCell(Shared):
    """Dot product of decoded operands, block scales and a binary32 accumulator.

    Function  ``acc = round(trunc(c) + sum(trunc(addend)))``, ``c`` the old ``acc`` or, with
              ``first``, the port's: addends are aligned to the largest exponent, truncated
              ``fraction_bits`` below it, summed exactly, and rounded once.
    Formats   Pairs of BlockFormats with float or integer elements and block scales of 8 bits, or
              none.
    Shapes    ``a``, ``b``: ``operand_layout(fmt, k)``; ``c``, ``acc``: binary32.
    Widths    The aligned sum holds every carry.
    Timing    Latency 1 and one for each of the ``pipeline`` stages inside: 1 before the
              accumulator, 3 after the sums, 4 after the products (2 lies at the operands' edge).
              One step a cycle while ``en``.
    Errors    None beyond those of the parts.
    Source    NUMERICS, section 4. Golden: ``golden.arith.mac_step``.
    """

    part = "accumulator"
    result_width = 32

    def __init__(self, fmt_a, fmt_b, k, fraction_bits=None, pipeline=0):
        self.a_format, self.b_format, self.k, self._pipeline = fmt_a, fmt_b, k, pipeline
        groups = sums_groups(fmt_a, fmt_b)
        default = GROUP_FRACTION_BITS if groups else PRODUCT_FRACTION_BITS
        self.fraction_bits = default if fraction_bits is None else fraction_bits
        self.parameters = {"fraction_bits": self.fraction_bits}
        self.latency = 1 + Pipeline.depth(pipeline)
        self.module_name = f"cell_{pair_name(fmt_a, fmt_b)}_k{k}_fp32"
        self._addends = (GroupAddends if groups else ProductAddends)(fmt_a, fmt_b, k)
        # A key is a biased exponent, at least 1; key 0 marks an addend that is zero.
        self._bias = 1 - min(self._addends.smallest_exponent, BINARY32_MIN_EXPONENT)
        raw = multiplies_integers(fmt_a, fmt_b)
        super().__init__(
            {
                "en": In(1),
                "valid": In(1),
                "first": In(1),
                "c": In(32),
                "a": In(operand_layout(fmt_a, k, raw)),
                "b": In(operand_layout(fmt_b, k, raw)),
                "acc": Out(32, init=0),
            }
        )

    def elaborate(self, platform):
        m = Module()
        addends = self._addends

        pipe = Pipeline(m, self.en, self._pipeline)

        # Multiply, reduce, scale.
        keys, placed = addends.build(m, platform, self.a, self.b, self._bias, pipe)
        nan, pos_inf, neg_inf = (pipe(flag, 4, 3, 1) for flag in self._specials(m, platform))
        valid, first, port_c = (pipe(value, 4, 3, 1) for value in (self.valid, self.first, self.c))

        # Compare exponents.
        c = Signal(32)
        m.d.comb += c.eq(Mux(first, port_c, self.acc))
        field, fraction, normal = c[23:31], c[:23], c[23:31].any()
        c_key = Signal(bounds(0, BINARY32_MIN_EXPONENT + 254 + self._bias))
        m.d.comb += c_key.eq(
            ((field | ~normal) + (BINARY32_MIN_EXPONENT - 1 + self._bias))[: len(c_key)]
        )
        masked = [
            own & nonzero.replicate(len(own)) for nonzero, own in [(c[:31].any(), c_key), *keys]
        ]
        key = maximum(m, "key", masked)

        # Align and add.
        room = self.fraction_bits - (SIGNIFICAND_WIDTH - 1)
        addend_room = self.fraction_bits - addends.fraction_width
        largest = addends.count * (addends.largest << max(addend_room, 0))
        largest += ((1 << SIGNIFICAND_WIDTH) - 1) << max(room, 0)
        heap = BitHeap(bounds(-largest, largest).width)
        cell = AlignMagnitude(SIGNIFICAND_WIDTH, room, len(key))
        distance = (key - c_key)[: len(key)]
        mag = Cat(fraction, normal)
        c_aligned = place(m, platform, "align_c", cell, mag=mag, distance=distance).o
        heap.add_sign_magnitude(c[31], c_aligned)
        addends.enter(m, platform, heap, placed, key, addend_room)
        total = heap.total(m, platform, "sum")

        # Round, unless NaN or Inf decides.
        rounder = RoundBinary32(len(total), len(key), self.fraction_bits + self._bias)
        rounded = place(m, platform, "round", rounder, total=total, key=key).o
        special = field.all()
        nan = nan | (special & fraction.any())
        pos_inf = pos_inf | (special & ~c[31])
        neg_inf = neg_inf | (special & c[31])
        forced = Mux(nan | (pos_inf & neg_inf), NAN, Cat(Const(INFINITY, 31), neg_inf))
        with m.If(self.en & valid):
            m.d.sync += self.acc.eq(Mux(nan | pos_inf | neg_inf, forced, rounded))
        return m

    def _specials(self, m, platform):
        """NaN, +Inf and -Inf of a step's operands."""
        addends = self._addends
        nan = Cat(x.nan for x in (self.a, self.b) if "nan" in x.shape().members).any()
        flags = []
        for group, row in enumerate(self._scale_nonzeros(m, platform)):
            for i in range(group * addends.size, (group + 1) * addends.size):
                x, y = self.a.lanes[i], self.b.lanes[i]
                nonzero = (
                    choose({c: select(c, x, y, self.a_format.sides) for c in row}, row)
                    if row
                    else Const(1, 1)
                )
                flag = lane_flags(x, y, nonzero)
                if flag:
                    flags.append((*flag, x.neg ^ y.neg))
        if not flags:
            return nan, Const(0, 1), Const(0, 1)
        nan = nan | Cat(flag[0] for flag in flags).any()
        return (
            nan,
            Cat(inf & ~neg for _, inf, neg in flags).any(),
            Cat(inf & neg for _, inf, neg in flags).any(),
        )

    def _scale_nonzeros(self, m, platform):
        """Whether the scale product of each group and combination is not zero; empty rows where it
        never is."""
        rows = []
        for group in range(self.k // self._addends.size):
            row = {}
            for c in self._addends.combinations if self._addends.scale.has_significand else ():
                codes = self._addends.operand_scales(self.a, self.b, group, c).values()
                row[c] = Cat(
                    code.sig.any() for code in codes if "sig" in code.shape().members
                ).all()
            rows.append(row)
        return rows

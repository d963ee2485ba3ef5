"""The exact cell of a matrix unit: K products and a fixed-point accumulator that loses nothing."""

from types import MappingProxyType

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed

from .addends import GroupAddends
from .cell import Cell
from .fused import BINARY32_MIN_EXPONENT, specials
from .lane import Sharing
from .operand import part
from .pipeline import Pipeline
from .product_addends import ProductAddends
from .rounding import SIGNIFICAND_WIDTH, RoundBinary32
from .shared import bounds, place
from .shift import shift_right


class ExactCell(Cell):
    """Dot product of decoded operands, block scales and a fixed-point accumulator.

    Function  ``total = (first ? c : total) + sum(addends)``, exact; ``acc`` is ``total`` rounded
              once. An addend, a start or a total outside the window sets ``overflow``, and makes
              ``acc`` NaN, until ``first``.
    Formats   Pairs of BlockFormats with float or integer elements and block scales of 8 bits, or
              none.
    Shapes    ``a``, ``b``: ``operand_layout(fmt, k)``; ``c``, ``acc``: binary32;
              ``overflow``: a bit.
    Widths    ``window.width`` bits of ``2**window.low`` each.
    Timing    Latency 2 and one for each of the ``pipeline`` stages inside, as :class:`FusedCell`.
    Errors    None beyond those of the parts.
    Source    NUMERICS, section 4, ``exact``. Golden: ``golden.exact``.
    """

    own_latency = 2
    results = MappingProxyType({"acc": 32, "overflow": 1})

    def __init__(self, fmt_a, fmt_b, k, window, *, size, pipeline=0, sharing=Sharing.ALONE):
        super().__init__(fmt_a, fmt_b, k, "exact", pipeline, sharing, size)
        self._window = window
        self._addends = (ProductAddends if size == 1 else GroupAddends)(fmt_a, fmt_b, k)
        self._bias = 1 - self._addends.smallest_exponent
        self.parameters = {"low": window.low, "high": window.high, "length": window.length}

    def elaborate(self, platform):
        m = Module()
        addends, window = self._addends, self._window
        pipe = Pipeline(m, self.en, self._pipeline)

        # Multiply, reduce, scale.
        a, b = (
            part(operand, fmt, 0, self.k)
            for operand, fmt in ((self.a, self.a_format), (self.b, self.b_format))
        )
        built = addends.build(m, platform, a, b, self._bias, pipe, "")
        flags = [pipe(flag, 4, 3, 1) for flag in specials(addends, a, b)]
        valid, first, c = (pipe(value, 4, 3, 1) for value in (self.valid, self.first, self.c))

        # Place the addends and the start in the window.
        fields = addends.placed(m, platform, built, self._bias)
        lowest = -self._bias - addends.fraction_width
        values = [self._fixed(m, *field, lowest) for field in fields]
        field, normal = c[23:31], c[23:31].any()
        start_value = Cat(c[:23], normal)
        start_key = (field | ~normal)[:8]
        c_lowest = BINARY32_MIN_EXPONENT - 1 - (SIGNIFICAND_WIDTH - 1)
        start, start_lost = self._fixed(m, "start", start_value, c[31], start_key, c_lowest)

        # Add.
        total = Signal(signed(window.width))
        lost, nan, pos_inf, neg_inf = (Signal(name=n) for n in ("lost", "nan", "pos", "neg"))
        previous = Mux(first, start, total)
        wide = Signal(signed(window.width + len(values).bit_length() + 1))
        m.d.comb += wide.eq(sum((value for value, _ in values), start=previous))
        limit = 1 << (window.width - 1)
        outside = (wide >= limit) | (wide <= -limit)
        special = field.all()
        started = [
            start_lost & ~special,
            special & c[:23].any(),
            special & ~c[:23].any() & ~c[31],
            special & ~c[:23].any() & c[31],
        ]
        fresh = [Cat(bit for _, bit in values).any() | outside, *flags]
        with m.If(self.en & valid):
            m.d.sync += total.eq(wide[: window.width])
            for state, begin, new in zip((lost, nan, pos_inf, neg_inf), started, fresh):
                m.d.sync += state.eq(Mux(first, begin, state) | new)

        # Round what the last step left.
        rounder = RoundBinary32(window.width, 1, -window.low)
        ports = {
            "total": total.as_unsigned(),
            "key": Const(0, 1),
            "is_nan": nan | lost | (pos_inf & neg_inf),
            "is_inf": pos_inf | neg_inf,
            "inf_sign": neg_inf,
        }
        rounded = place(m, platform, "round", rounder, **ports).o
        with m.If(self.en):
            m.d.sync += [self.acc.eq(rounded), self.overflow.eq(lost)]
        return m

    def _fixed(self, m, name, magnitude, neg, key, lowest):
        """``(-1)**neg * magnitude * 2**(key + lowest)`` in units of the window, and whether it does
        not fit."""
        window = self._window
        span = window.high - window.low
        # | magnitude | room |: the key that puts the magnitude at the top needs no shift.
        top = min(span, (1 << len(key)) - 1 + lowest - window.low)
        room = max(top, 0)
        distance = Signal(bounds(0, max(1, room + window.low - lowest)), name=f"{name}_distance")
        beyond = Signal(name=f"{name}_beyond")
        gap = Const(room + window.low - lowest) - key
        m.d.comb += [beyond.eq(gap < 0), distance.eq(gap[: len(distance)])]
        kept, cut = shift_right(m, name, magnitude, distance, room)
        above = kept[span:].any() if len(kept) > span else Const(0, 1)
        outside = magnitude.any() & (beyond | cut | above)
        inside = kept[:span]
        return Mux(neg, -inside, inside), outside

"""Rounding thresholds in the codes of the input, made once a block, and the lanes that compare."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .levels import code_of, thresholds
from .scale_choice import floor_log2
from .shared import Shared, bounds
from .shift import shift_right


class Thresholds(Shared):
    """The smallest input that reaches each rounding threshold of an element, for one scale.

    Function  ``o[i] = min(code for code in inputs if value(code) reaches h[i] * scale)``, ``scale =
              (1 + p) * 2**exponent``.
    Formats   Elements of at most 4 bits.
    Shapes    ``p``: the scale's fraction; ``exponent``: two's complement; ``o``: magnitude codes
              of the source, the smallest threshold's in the low bits.
    Widths    ``o``: one bit less than the source each; infinity where no finite input reaches it.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.cast``.
    """

    part = "thresholds"

    def __init__(self, fmt, source, p_width, exponent_width):
        self._source = source
        self._levels = thresholds(fmt.element, fmt.rounding == "nearest_away")
        self.count = len(self._levels)
        self.width = source.width - 1
        rounding = "away" if fmt.rounding == "nearest_away" else "even"
        self.module_name = f"thresholds_{fmt.element.name}_{rounding}_{source.name}_{p_width}"
        super().__init__(
            {
                "p": In(p_width),
                "exponent": In(bounds(-(1 << exponent_width - 1), (1 << exponent_width - 1) - 1)),
                "o": Out(self.count * self.width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        source, width = self._source, self._source.mantissa_width
        products = {}
        codes = []
        for i, (h, strict) in enumerate(self._levels):
            odd = h.numerator // (h.numerator & -h.numerator)
            if odd not in products:
                products[odd] = self._product(m, odd)
            fraction, rest, high = products[odd]

            # | field | fraction |, rounded up to the next input.
            top = floor_log2(h)
            field = Signal(
                bounds(-(1 << len(self.exponent) + 1), 1 << len(self.exponent) + 1),
                name=f"field{i}",
            )
            m.d.comb += field.eq(self.exponent + high + (top + source.bias))
            is_subnormal = field < 1
            down = Signal(len(field), name=f"down{i}")
            m.d.comb += down.eq(Mux(is_subnormal, 1 - field, 0)[: len(down)])
            kept, lost = shift_right(m, f"kept{i}", Cat(fraction, Const(1, 1)), down, 0)
            up = Const(1, 1) if strict else rest | lost
            code = Signal(self.width, name=f"code{i}")
            most = (1 << source.exponent_width) - 1
            normal = Cat(kept[:width], field[: source.exponent_width])
            m.d.comb += code.eq(
                Mux(
                    field >= most,
                    most << width,
                    Mux(is_subnormal, kept, normal) + up,
                )[: self.width]
            )
            codes.append(code)
        m.d.comb += self.o.eq(Cat(codes))
        return m

    def _product(self, m, odd):
        """``odd * (1 + p)`` as fraction, whether more follows, and whether it has a bit more than
        ``odd``."""
        width = self._source.mantissa_width
        size = len(self.p) + odd.bit_length() + 1
        product = Signal(size, name=f"times{odd}")
        m.d.comb += product.eq((Cat(self.p, Const(1, 1)) * odd)[:size])
        high = product[-1]
        padded = Cat(Const(0, max(0, width + 2 - size)), product)
        below, above = padded[-width - 2 : -2], padded[-width - 1 : -1]
        rest = padded[: -width - 2].any() | (high & padded[-width - 2])
        return Mux(high, above, below), rest, high


class ThresholdLane(Shared):
    """One element of few magnitudes by comparing with thresholds.

    Function  ``o``: the code after the last of the ``thresholds`` that ``|x|`` reaches; 0 if
              ``clear``.
    Formats   Elements of at most 4 bits.
    Shapes    ``x``: one float; ``thresholds``: as :class:`Thresholds` gives them.
    Widths    Those of the source.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.cast``.
    """

    part = "elements"

    def __init__(self, fmt, source, count):
        self._fmt, self._source, self._count = fmt, source, count
        rounding = "away" if fmt.rounding == "nearest_away" else "even"
        self.module_name = f"lane_{source.name}_{fmt.element.name}_thresholds_{rounding}"
        super().__init__(
            {
                "x": In(source.width),
                "clear": In(1),
                "thresholds": In(count * (source.width - 1)),
                "o": Out(fmt.element.width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        magnitude = self.x[:-1]
        reached = [
            magnitude >= self.thresholds.word_select(i, len(magnitude)) for i in range(self._count)
        ]
        code = code_of(self._fmt.element, reached, self.x[-1], True)
        m.d.comb += self.o.eq(Mux(self.clear, Const(0, len(code)), code))
        return m

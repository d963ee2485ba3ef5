"""A lane of a quantizer for any element and scale: a ratio, then one rounding."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import FloatFormat

from .ratio import Ratio
from .round_element import grid_width, largest_code, round_fixed, round_float, with_sign
from .shared import Shared, bounds, place
from .source import normal_float

BASE_WIDTH = 11


class RatioLane(Shared):
    """One element over a scale of any significand.

    Function  ``o = nearest(x / ((1 + p) * 2**exponent))``, ``base = exponent + bias``; 0 if
              ``clear``.
    Formats   Elements of at most 8 bits; float inputs.
    Shapes    ``x``: one float; ``p``, ``base``: the scale's, or those of each side.
    Widths    ``p``: fraction below a leading one; ``base``: two's complement, 11 bits.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.cast``.
    """

    part = "elements"

    def __init__(self, fmt, source, p_width):
        self._fmt, self._source = fmt, source
        rounding = "away" if fmt.rounding == "nearest_away" else "even"
        sides = "_sides" if fmt.sides == 2 else ""
        self.module_name = f"lane_{source.name}_{fmt.element.name}_over{p_width}_{rounding}{sides}"
        ports = {"x": In(source.width), "clear": In(1), "o": Out(fmt.element.width)}
        for side in ("",) if fmt.sides == 1 else ("_p", "_n"):
            ports |= {f"base{side}": In(BASE_WIDTH), f"mantissa{side}": In(p_width)}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        fmt, element = self._fmt, self._fmt.element
        away = fmt.rounding == "nearest_away"
        x = normal_float(m, platform, "normal", self.x, self._source)
        base, mantissa = (
            getattr(self, name)
            if fmt.sides == 1
            else Mux(x.neg, getattr(self, f"{name}_n"), getattr(self, f"{name}_p"))
            for name in ("base", "mantissa")
        )

        # Divide significands, subtract exponents.
        is_float = isinstance(element, FloatFormat)
        bits = element.mantissa_width + 1 if is_float else grid_width(element) - 1
        cell = Ratio(len(x.fraction), len(mantissa), bits)
        ratio = place(m, platform, "ratio", cell, a=x.fraction, p=mantissa)
        exponent = Signal(bounds(-(1 << BASE_WIDTH), 1 << BASE_WIDTH), name="exponent")
        m.d.comb += exponent.eq(x.field - base.as_signed() - ratio.low)

        # Round.
        if is_float:
            magnitude = round_float(m, element, exponent, ratio.o, x.hidden, ratio.sticky, away)
        else:
            down = Signal(exponent.shape(), name="down")
            m.d.comb += down.eq(element.max_exponent - exponent)
            width = grid_width(element).bit_length()
            is_far = ~x.hidden | down[width:].any()
            significand = Cat(ratio.o, Const(1, 1))
            rounded = round_fixed(
                m, element, significand, down[:width], is_far, away, sticky=ratio.sticky
            )
            magnitude = Mux(down[-1] & x.hidden, largest_code(element), rounded)
        code = with_sign(element, magnitude, x.neg, fmt.sides == 1)
        m.d.comb += self.o.eq(Mux(self.clear, 0, code))
        return m

"""A lane of a quantizer whose scales are powers of two: exponents subtracted, then one rounding."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import FloatFormat

from .levels import has_few
from .round_element import grid_width, near, round_few, round_fixed, round_float, with_sign
from .shared import Shared, bounds
from .source import normal_float, raw_float

WIDEST_GRID = 12  # bits of a fixed-point element above which a floating one is smaller


def is_fixed(element):
    """Whether lanes shift onto the element's grid, which takes subnormal inputs as they are."""
    if not isinstance(element, FloatFormat):
        return True
    return element.max_exponent - element.ulp_exponent + 2 <= WIDEST_GRID


def needs_leading_one(fmt, source):
    """Whether the lanes of a format with power-of-two scales normalize what they read."""
    return source.exponent_width < 8 or not is_fixed(fmt.element)


class PowerLane(Shared):
    """One element over a power-of-two scale.

    Function  ``o = nearest(x / 2**exponent)``, ``base = exponent + bias`` by the element's sign;
              0 if ``clear``.
    Formats   Elements of at most 8 bits; float inputs.
    Shapes    ``x``: one float; ``base``, or ``base_p`` and ``base_n``: one for each side.
    Widths    ``base``: that of ``x``'s exponent, or two's complement of 10 bits.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.cast``.
    """

    part = "elements"

    def __init__(self, fmt, source, factor=None):
        self._fmt, self._source, self._factor = fmt, source, factor
        rounding = "away" if fmt.rounding == "nearest_away" else "even"
        sides = "_sides" if fmt.sides == 2 else ""
        macro = "_macro" if factor else ""
        self.module_name = f"lane_{source.name}_{fmt.element.name}_{rounding}{sides}{macro}"
        ports = {"x": In(source.width), "clear": In(1), "o": Out(fmt.element.width)}
        ports |= {name: In(base_width(fmt, source)) for name in bases(fmt)}
        super().__init__(ports | ({"macro": In(factor.width)} if factor else {}))

    def elaborate(self, platform):
        m = Module()
        fmt, element, source = self._fmt, self._fmt.element, self._source
        away = fmt.rounding == "nearest_away"
        normalizes = needs_leading_one(fmt, source)
        if normalizes:
            x = normal_float(m, platform, "normal", self.x, source)
        else:
            x = raw_float(self.x, source)
        base = self.base if fmt.sides == 1 else Mux(x.neg, self.base_n, self.base_p)

        # Scale and round.
        if is_fixed(element):
            significand = Cat(x.fraction, x.hidden)
            lead = headroom(fmt)
            if self._factor:
                # | 2 | 1 | fraction |: the product with 1 + macro / 256 may need one bit more.
                significand = significand * Cat(self.macro, Const(1, 1))
                lead += 1
            field = (x.field | ~x.hidden)[: len(x.field)]  # a subnormal weighs as field 1
            distance = near(m, base, field, grid_width(element, lead))
            if has_few(element):
                # Zeros may be as near as numbers are; scales keep subnormals further away.
                leads = not normalizes and lead == 0 and element.max_exponent > 1
                magnitude = round_few(element, significand, *distance, away, lead, leads)
            else:
                magnitude = round_fixed(m, element, significand, *distance, away, lead)
        else:
            exponent = Signal(bounds(-512, 511), name="exponent")
            m.d.comb += exponent.eq((x.field - base)[:10].as_signed())
            magnitude = round_float(m, element, exponent, x.fraction, x.hidden, Const(0, 1), away)
        code = with_sign(element, magnitude, x.neg, fmt.sides == 1)
        m.d.comb += self.o.eq(Mux(self.clear, 0, code))
        return m


def headroom(fmt):
    """Bits above the largest element that lanes need for a subnormal, which weighs as field 1 where
    the scale's exponent is the smallest."""
    return 1 if fmt.element.max_exponent == 0 else 0


def base_width(fmt, source):
    """Bits of a lane's ``base``: on a grid it is the largest exponent field of the block."""
    if not is_fixed(fmt.element):
        return 10
    return source.exponent_width + (1 if needs_leading_one(fmt, source) else 0)


def base_offset(fmt, source):
    """What a lane's ``base`` is above the code of its scale."""
    bias = source.bias - fmt.scale.bias
    if needs_leading_one(fmt, source):
        bias += source.mantissa_width
    return bias + (fmt.element.max_exponent + headroom(fmt) if is_fixed(fmt.element) else 0)


def bases(fmt):
    """Names of a lane's exponent ports."""
    return ("base",) if fmt.sides == 1 else ("base_p", "base_n")

"""Scale codes out of a block's largest magnitude, by comparing it with constants."""

from fractions import Fraction

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import FloatFormat

from .shared import Shared, bounds


def power(exponent):
    """``2**exponent`` as a Fraction."""
    return Fraction(2) ** exponent


def boundaries(fmt):
    """``(amax, strict)`` for every scale code from 1 up: the smallest magnitude that gets it.

    ``strict``: that magnitude itself gets the code below.
    """
    element, scale = fmt.element, fmt.scale
    largest = Fraction(element.largest)
    if fmt.scale_rule == "amax":
        values = [Fraction(float(v)) for v in scale.values[: last_code(scale) + 1]]
        up = fmt.rounding == "nearest_away" or not scale.mantissa_width
        return [
            ((low + high) / 2 * largest, not up and bool(c % 2))
            for c, (low, high) in enumerate(zip(values, values[1:]), start=1)
        ]
    mantissa = element.mantissa_width if isinstance(element, FloatFormat) else element.width - 2
    rounds = 2 - power(-(mantissa + 1))
    significand, strict = {
        "floor": (Fraction(2), False),
        "ceil": (Fraction(1), True),
        "rceil": (largest / power(element.max_exponent), True),
        "even": (rounds, False),
        "oas": (rounds, True),
    }[fmt.scale_rule]
    first = 1 - scale.bias + element.max_exponent - 1
    return [(significand * power(first + i), strict) for i in range(last_code(scale))]


def last_code(scale):
    """The code of the largest finite scale."""
    return (1 << scale.exponent_width + scale.mantissa_width) - 1 - {
        "nan": 1, "ieee": 1 << scale.mantissa_width, "none": 0
    }[scale.specials]


def floor_log2(x):
    """The largest integer whose power of two does not exceed a positive Fraction."""
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if power(e) <= x else e - 1


def reaches(value, threshold, strict):
    """Whether an unsigned value is at least a Fraction, or above it if ``strict``."""
    least = -(-threshold // 1)
    if strict and least == threshold:
        least += 1
    if least <= 0 or least >= 1 << len(value):
        return Const(least <= 0, 1)
    # Below the lowest 1 nothing counts; above it every bit decides in turn.
    zeros = (least & -least).bit_length() - 1
    if strict and threshold.denominator == 1 and threshold:
        least = int(threshold)
        zeros = (least & -least).bit_length() - 1
        result = value[:zeros].any()
    else:
        result = Const(1, 1)
    for i in range(zeros, len(value)):
        result = value[i] & result if least >> i & 1 else value[i] | result
    return result


class Significance:
    """What of a magnitude the choice of a scale depends on, as a key that orders like it.

    A key is ``| field | flag |`` if one significand decides, else ``| field | fraction |``.
    """

    def __init__(self, fmt, source, bias):
        self.scale, self._mantissa_width = fmt.scale, source.mantissa_width
        width = fmt.scale.mantissa_width
        self._all = boundaries(fmt)
        # From the second normal code on the boundaries double every 2**width codes.
        first = (1 << width) if width else 0
        run = self._all[first : first + (1 << width)]
        self.significands = sorted((b / power(floor_log2(b)), strict) for b, strict in run)
        self.low = [] if not width else self._all[:first]
        self.bias = bias
        # Codes below 2**exponent, for an exponent at which all boundaries follow the pattern.
        exponent = floor_log2(run[-1][0]) + 1
        below = sum(b < power(exponent) for b, _ in self._all[: first + (4 << width)])
        self.offset = below - ((exponent + bias) << width)
        self.has_flag = not width and self.significands[0] != (1, False)
        self.fraction_width = source.mantissa_width if width else 0

    def key(self, x):
        """The key of an unpacked float."""
        if self.fraction_width:
            return Cat(x.fraction, x.field)
        if not self.has_flag:
            return x.field
        (significand, strict), unit = self.significands[0], 1 << self._mantissa_width
        flag = reaches(x.fraction, (significand - 1) * unit, strict)
        # A subnormal has exponent field 0 and no hidden bit: code 1 at most.
        least, strict = self._all[0]
        low = reaches(x.fraction, least * power(self.bias - 1) * unit, strict)
        # A subnormal cannot reach code 1 where field 1 does not, so its flag is free.
        return Cat(flag if self.offset < 0 else Mux(x.hidden, flag, low), x.field)

    def width(self, field_width):
        """Bits of a key."""
        return field_width + self.fraction_width + self.has_flag


class ChooseScale(Shared):
    """Scale code of a block or side out of the key of its largest magnitude.

    Function  How many of the rule's boundaries the magnitude reaches, saturating.
    Formats   Scales of 8 bits without a tensor scale; every rule.
    Shapes    ``key``: as :class:`Significance` makes it.
    Widths    ``code``: 8 bits.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.scaling.block_scales``.
    """

    part = "scale"

    def __init__(self, significance, field_width, name):
        self._s = significance
        self.module_name = f"scale_{name}"
        super().__init__({"key": In(significance.width(field_width)), "code": Out(8)})

    def elaborate(self, platform):
        m = Module()
        s = self._s
        width = s.scale.mantissa_width
        rest = self.key[: len(self.key) - 0]
        fraction = rest[: s.fraction_width]
        field = rest[s.fraction_width + s.has_flag :]
        if s.has_flag:
            reached = [rest[0]]
        elif not width:
            reached = [Const(1, 1)] if s.significands[0] == (1, False) else []
        else:
            unit = 1 << s.fraction_width
            reached = [reaches(fraction, (b - 1) * unit, strict) for b, strict in s.significands]
        most = last_code(s.scale)
        highest = ((1 << len(field)) << width) + s.offset + len(reached)
        count = Signal(bounds(min(s.offset, 0), max(highest, most)))
        m.d.comb += count.eq((field << width) + s.offset + sum(reached, start=Const(0, 1)))
        code = Mux(count > most, most, Mux(count < 0, 0, count))
        if s.low:
            small = [self._reaches(field, fraction, *low) for low in s.low]
            code = Mux(small[-1], code, sum(small[:-1], start=Const(0, 1)))
            code = Mux(small[-1] & (count <= 1 << width), 1 << width, code)
        m.d.comb += self.code.eq(code[:8])
        return m

    def _reaches(self, field, fraction, least, strict):
        """Whether a normalized magnitude reaches a boundary."""
        exponent = floor_log2(least)
        at = exponent + self._s.bias
        part = reaches(
            fraction, (least / power(exponent) - 1) * (1 << self._s.fraction_width), strict
        )
        return (field > at) | ((field == at) & part)

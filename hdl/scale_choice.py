"""Scale codes out of a block's largest magnitude, by comparing it with constants."""

from fractions import Fraction
from itertools import pairwise

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
            for c, (low, high) in enumerate(pairwise(values), start=1)
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
    return (
        (1 << scale.exponent_width + scale.mantissa_width)
        - 1
        - {"nan": 1, "ieee": 1 << scale.mantissa_width, "none": 0}[scale.specials]
    )


def nan_code(scale):
    """The code that marks a block with a NaN or Inf."""
    return Const((1 << scale.exponent_width + scale.mantissa_width) - 1, scale.width)


def floor_log2(x):
    """The largest integer whose power of two does not exceed a positive Fraction."""
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if power(e) <= x else e - 1


def any_upward(value):
    """Whether any bit is 1, as a chain from the lowest up, which users of a part of it share."""
    result = Const(0, 1)
    for bit in value:
        result = bit | result
    return result


def reaches(value, threshold, strict):
    """Whether an unsigned value is at least a Fraction, or above it if ``strict``.

    Bits below the threshold's lowest 1 count only together, and are written so that other logic
    that asks whether any of them is 1 is shared.
    """
    is_above = strict and threshold.denominator == 1
    least = int(threshold) if is_above else -(-threshold // 1)
    if least <= 0 and not is_above:
        return Const(1, 1)
    if least >= 1 << len(value) or (is_above and least < 0):
        return Const(least < 0, 1)
    zeros = (least & -least).bit_length() - 1 if least else len(value)
    result = any_upward(value[:zeros]) if is_above else Const(1, 1)
    for i in range(zeros, len(value)):
        result = value[i] & result if least >> i & 1 else value[i] | result
    return result


class Significance:
    """What of a magnitude the choice of a scale depends on, as a key that orders like it.

    A key is ``| field | flag |`` if one significand decides, else ``| field | fraction | sticky |``
    with as much of the fraction as the significands have, and whether more follows if that counts.
    """

    def __init__(self, fmt, source, bias):
        self.scale = fmt.scale
        width = fmt.scale.mantissa_width
        self._all = boundaries(fmt)
        # From the second normal code on the boundaries double every 2**width codes.
        first = (1 << width) if width else 0
        run = self._all[first : first + (1 << width)]
        self.significands = sorted((b / power(floor_log2(b)), strict) for b, strict in run)
        self.low = [] if not width else self._all[:first]
        self.bias, self.is_normalized = bias, bias != source.bias
        # The exponent field of NaN and Inf.
        self.special_field = (1 << source.exponent_width) - 1 + bias - source.bias
        # Codes below 2**exponent, for an exponent at which all boundaries follow the pattern.
        exponent = floor_log2(run[-1][0]) + 1
        below = sum(b < power(exponent) for b, _ in self._all[: first + (4 << width)])
        self.offset = below - ((exponent + bias) << width)
        self.has_flag = not width and self.significands[0] != (1, False)
        self._has_sticky = any(strict for _, strict in self.significands + self.low)
        self.fraction_width = 0
        if width:
            normal = [b / power(floor_log2(b)) for b, _ in self.significands + self.low]
            self._kept = max(b.denominator.bit_length() - 1 for b in normal)
            self._kept = min(self._kept, source.mantissa_width)
            self.fraction_width = self._kept + self._has_sticky

    def key(self, x):
        """The key of an unpacked float."""
        if self.fraction_width:
            rest, top = x.fraction[: -self._kept], x.fraction[-self._kept :]
            return Cat(*([rest.any()] if self._has_sticky else []), top, x.field)
        if not self.has_flag:
            return x.field
        (significand, strict), unit = self.significands[0], 1 << len(x.fraction)
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
        fraction = self.key[: s.fraction_width]
        field = self.key[s.fraction_width + s.has_flag :]
        if s.has_flag:
            reached = [self.key[0]]
        elif not width:
            reached = [Const(1, 1)] if s.significands[0] == (1, False) else []
        else:
            unit = 1 << s.fraction_width
            reached = [reaches(fraction, (b - 1) * unit, strict) for b, strict in s.significands]
        most = last_code(s.scale)
        highest = ((1 << len(field)) << width) + s.offset + len(reached)
        count = Signal(bounds(min(s.offset, 0), max(highest, most)))
        m.d.comb += count.eq((field << width) + s.offset + sum(reached, start=Const(0, 1)))
        code = Mux(count > most, most, count) if highest > most else count
        if count.shape().signed:
            code = Mux(count < 0, 0, code)
        if s.is_normalized and not width:
            code = Mux(field.any(), code, 0)
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

"""Operand decoding: what every lane would otherwise repeat, done once per element."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import ElementFormat, FloatFormat, IntFormat

from .shared import Shared, bounds


def significand_width(element):
    """Bits of an element's unsigned significand."""
    if isinstance(element, FloatFormat):
        return element.mantissa_width + 1
    return largest_magnitude(element).bit_length()


def fraction_width(element):
    """Bits of the significand below the binary point."""
    if isinstance(element, FloatFormat):
        return element.mantissa_width
    return -element.ulp_exponent


def least_shift(element):
    """``shift`` of a subnormal. Wide exponents stay as they are, which makes it 1; it costs less to
    subtract the 1 once for all elements than here."""
    return int(isinstance(element, FloatFormat) and element.exponent_width > 2)


def largest_shift(element):
    """Largest ``shift`` of a finite element: how far its significand reaches above shift 0."""
    if not isinstance(element, FloatFormat):
        return 0
    return element.max_exponent - element.min_exponent + least_shift(element)


def smallest_exponent(element):
    """Exponent of an element whose ``shift`` is 0."""
    if not isinstance(element, FloatFormat):
        return 0
    return element.min_exponent - least_shift(element)


def largest_magnitude(element):
    """Largest magnitude of an element in units of ``2**ulp_exponent``."""
    if isinstance(element, FloatFormat):
        return int(element.largest * 2.0**-element.ulp_exponent)
    return int(abs(element.values).max() * 2.0**-element.ulp_exponent)


def integer_shape(element):
    """Shape of an integer element in units of ``2**ulp_exponent``."""
    values = integer_values(element)
    return bounds(min(values), max(values))


def integer_values(element):
    """An integer element's values by code, in units of ``2**ulp_exponent``."""
    return [int(value * 2.0**-element.ulp_exponent) for value in element.values]


def integer_value(m, element, code):
    """An integer element's code as two's complement, in units of ``2**ulp_exponent``."""
    if isinstance(element, IntFormat):
        return code.as_signed()
    # Levels are even numbers of half steps; the two codes above them are one half step, +-.
    value = Signal(integer_shape(element))
    level = (code - element.zero_point) * 2
    denormal = Mux(code[0], Const(-1), Const(1))
    m.d.comb += value.eq(Mux(code >= element.levels, denormal, level)[: len(value)])
    return value


def at_least_one(field):
    """An exponent field, or 1 in place of 0."""
    return Cat(field[0] | ~field[1:].any(), field[1:])


class Decode(Shared):
    """One element as sign, significand and shift.

    Function  ``(-1)**neg * sig * 2**(shift - least_shift + ulp_exponent)``; NaN and Inf give flags,
              and ``sig`` 0 if ``masked``.
    Formats   Any element format.
    Shapes    ``code``: one element. ``nan``, and ``special`` for NaN or Inf: only for formats
              that have NaN, or Inf.
    Widths    ``sig``: mantissa and hidden bit, or an integer's magnitude; ``shift``: exponent
              width, absent for integers. ``nonzero``: the element is neither
              zero nor, if ``masked``, NaN.
    Timing    Combinational.
    Errors    TypeError for anything else.
    Source    OCP MX v1.0, section 5.3. Golden: ``FloatFormat.values``, ``IntFormat.values``.
    """

    part = "decode"

    def __init__(self, element, masked=True):
        if not isinstance(element, ElementFormat):
            raise TypeError(f"Element must be an element format, not {element!r}")
        self._element, self._masked = element, masked and element.has_nan
        self.module_name = f"decode_{element.name}{'' if masked else '_unmasked'}"
        flags = {
            name: Out(1)
            for name, has in (("nan", element.has_nan), ("special", element.has_inf))
            if has
        }
        super().__init__(
            {
                "code": In(element.width),
                "neg": Out(1),
                "sig": Out(significand_width(element)),
                "nonzero": Out(1),
                **(
                    {"shift": Out(largest_shift(element).bit_length())}
                    if largest_shift(element)
                    else {}
                ),
                **flags,
            }
        )

    def elaborate(self, platform):
        m = Module()
        if not isinstance(self._element, FloatFormat):
            value = integer_value(m, self._element, self.code)
            m.d.comb += [
                self.nonzero.eq(value.any()),
                self.neg.eq(value[-1]),
                self.sig.eq(Mux(value[-1], -value, value)[: len(self.sig)]),
            ]
            return m
        fmt = self._element
        mantissa = self.code[: fmt.mantissa_width]
        exponent = self.code[fmt.mantissa_width : fmt.mantissa_width + fmt.exponent_width]
        normal = exponent[1:].any() | exponent[0]
        special = 0
        if fmt.specials == "nan":
            special = exponent.all() & mantissa.all()
            m.d.comb += self.nan.eq(special)
        elif fmt.specials == "ieee":
            special = exponent.all()
            m.d.comb += [
                self.nan.eq(special & mantissa.any()),
                self.special.eq(special),
            ]
        # A subnormal has exponent field 0 and the weight of field 1.
        sig, nonzero = Cat(mantissa, normal), self.code[:-1].any()
        shift = at_least_one(exponent) if least_shift(fmt) else exponent - normal
        m.d.comb += [
            self.neg.eq(self.code[-1]),
            self.sig.eq(Mux(special, 0, sig) if self._masked else sig),
            self.nonzero.eq(nonzero & ~self.nan if self._masked else nonzero),
        ]
        if largest_shift(fmt):
            m.d.comb += self.shift.eq(shift[: len(self.shift)])
        return m

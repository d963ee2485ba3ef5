"""Operand decoding: what every lane would otherwise repeat, done once per element."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib.wiring import In, Out

from golden.formats import FloatFormat, IntFormat

from .library import Shared


def significand_width(element):
    """Bits of an element's unsigned significand."""
    return element.mantissa_width + 1 if isinstance(element, FloatFormat) else element.width


def fraction_width(element):
    """Bits of the significand below the binary point."""
    return element.mantissa_width if isinstance(element, FloatFormat) else element.fraction_width


def largest_shift(element):
    """Largest ``shift`` of a finite element: how far its significand reaches above the smallest."""
    return element.max_exponent - element.min_exponent if isinstance(element, FloatFormat) else 0


def smallest_exponent(element):
    """Exponent of an element whose ``shift`` is 0."""
    return element.min_exponent if isinstance(element, FloatFormat) else 0


def largest_magnitude(element):
    """Largest magnitude of an element in units of ``2**ulp_exponent``."""
    if isinstance(element, IntFormat):
        return 1 << (element.width - 1)
    return int(element.largest * 2.0**-element.ulp_exponent)


class Decode(Shared):
    """One element as sign, significand and shift.

    Function  ``(-1)**neg * sig * 2**(shift + ulp_exponent)``; NaN and Inf give ``sig`` 0 and a
              flag.
    Formats   Any FloatFormat or IntFormat.
    Shapes    ``code``: one element. ``nan``, ``inf``: only for formats that have them.
    Widths    ``sig``: mantissa and hidden bit, or an integer's magnitude; ``shift``: exponent
              width, absent for integers. ``nonzero``: the element is not zero.
    Timing    Combinational.
    Errors    TypeError for any other element format.
    Source    OCP MX v1.0, section 5.3. Golden: ``FloatFormat.values``, ``IntFormat.values``.
    """

    part = "decode"

    def __init__(self, element):
        if not isinstance(element, (FloatFormat, IntFormat)):
            raise TypeError(f"Element must be a FloatFormat or an IntFormat, not {element!r}")
        self._element = element
        self.module_name = f"decode_{element.name}"
        flags = {
            name: Out(1)
            for name, has in (("nan", element.has_nan), ("inf", element.has_inf))
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
        if isinstance(self._element, IntFormat):
            m.d.comb += [
                self.nonzero.eq(self.code.any()),
                self.neg.eq(self.code[-1]),
                self.sig.eq(Mux(self.code[-1], -self.code.as_signed(), self.code)),
            ]
            return m
        fmt = self._element
        mantissa = self.code[: fmt.mantissa_width]
        exponent = self.code[fmt.mantissa_width : fmt.mantissa_width + fmt.exponent_width]
        normal = exponent.any()
        special = 0
        if fmt.specials == "nan":
            special = exponent.all() & mantissa.all()
            m.d.comb += self.nan.eq(special)
        elif fmt.specials == "ieee":
            special = exponent.all()
            m.d.comb += [
                self.nan.eq(special & mantissa.any()),
                self.inf.eq(special & ~mantissa.any()),
            ]
        # A subnormal has exponent field 0 and the weight of field 1.
        m.d.comb += [
            self.neg.eq(self.code[-1]),
            self.sig.eq(
                Mux(special, 0, Cat(mantissa, normal)) if fmt.has_nan else Cat(mantissa, normal)
            ),
            self.nonzero.eq(self.code[:-1].any()),
            self.shift.eq((exponent - normal)[: len(self.shift)]),
        ]
        return m

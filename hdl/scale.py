"""Block scales: the product of two, as significand and exponent."""

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from .library import Shared


def largest_field(scale):
    """Largest effective exponent field of a finite scale."""
    return (1 << scale.exponent_width) - (1 if scale.mantissa_width else 2)


class ScalePair(Shared):
    """Product of two block scales.

    Function  ``sig * 2**(field - a.bias - b.bias)`` in units of both significands' ulps.
    Formats   Any two unsigned scale formats of 8 bits.
    Shapes    ``a``, ``b``: scale codes; a bit above exponent and mantissa is ignored.
    Widths    ``sig``: both significands' widths; absent for two powers of two. ``field``: the sum of
              two exponent fields, where a subnormal counts as field 1.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    OCP MX v1.0; a code that is not finite gives ``nan``. Golden: ``golden.arith.mac_step``.
    """

    part = "scaling"

    def __init__(self, a, b):
        self._formats = {"a": a, "b": b}
        self.has_significand = a.mantissa_width + b.mantissa_width > 0
        self.fraction_width = a.mantissa_width + b.mantissa_width
        self.largest_significand = 1
        for scale in (a, b):
            self.largest_significand *= (2 << scale.mantissa_width) - 1
        self.largest_field = largest_field(a) + largest_field(b)
        self.smallest_field = sum(int(scale.subnormals) for scale in (a, b))
        self.bias = a.bias + b.bias
        self.module_name = f"scale_{a.name}_{b.name}"
        ports = {"a": In(8), "b": In(8), "field": Out(self.largest_field.bit_length()), "nan": Out(1)}
        if self.has_significand:
            ports |= {"sig": Out(self.largest_significand.bit_length()), "nonzero": Out(1)}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        fields, significands, nans = [], [], []
        for name, fmt in self._formats.items():
            code = getattr(self, name)
            mantissa = code[: fmt.mantissa_width]
            exponent = code[fmt.mantissa_width : fmt.mantissa_width + fmt.exponent_width]
            nans.append(exponent.all() & (mantissa.all() if fmt.specials == "nan" else 1))
            if fmt.subnormals:
                normal = exponent.any()
                fields.append(exponent | ~normal)
                significands.append(Cat(mantissa, normal))
            else:
                fields.append(exponent)
        m.d.comb += [self.field.eq((fields[0] + fields[1])[: len(self.field)]), self.nan.eq(Cat(nans).any())]
        if self.has_significand:
            product = significands[0] * significands[1] if len(significands) == 2 else significands[0]
            m.d.comb += self.sig.eq(product[: len(self.sig)])
            m.d.comb += self.nonzero.eq(Cat(s.any() for s in significands).all())
        return m

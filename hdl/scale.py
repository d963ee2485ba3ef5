"""Block scales: one decoded, and the product of two."""

from math import prod

from amaranth.hdl import Cat, Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from .decode import at_least_one
from .heap import BitHeap
from .shared import Shared


def largest_field(scale):
    """Largest effective exponent field of a finite scale."""
    return (1 << scale.exponent_width) - (
        1 if scale.specials == "nan" and scale.mantissa_width else 2
    )


def scale_layout(scale):
    """Layout of a decoded scale: its exponent field and, unless it is a power of two, its
    significand."""
    fields = {"field": scale.exponent_width}
    if scale.mantissa_width:
        fields["sig"] = scale.mantissa_width + 1
    return data.StructLayout(fields)


class DecodeScale(Shared):
    """One block scale as significand and exponent field.

    Function  ``sig * 2**(field - bias - mantissa_width)``; a subnormal has field 1. ``nan``: not
              finite.
    Formats   Any unsigned scale format of 8 bits.
    Shapes    ``code``: one byte; a bit above exponent and mantissa is ignored.
    Widths    ``sig``: mantissa and hidden bit, absent for powers of two.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    OCP MX v1.0, 5.4. Golden: ``FloatFormat.values``.
    """

    part = "decode"

    def __init__(self, scale):
        self._scale = scale
        self.module_name = f"decode_{scale.name}"
        fields = {name: Out(field.shape) for name, field in scale_layout(scale)}
        super().__init__({"code": In(scale.width), **fields, "nan": Out(1)})

    def elaborate(self, platform):
        m = Module()
        fmt = self._scale
        mantissa = self.code[: fmt.mantissa_width]
        exponent = self.code[fmt.mantissa_width : fmt.mantissa_width + fmt.exponent_width]
        m.d.comb += self.nan.eq(exponent.all() & (mantissa.all() if fmt.specials == "nan" else 1))
        if fmt.subnormals:
            normal = exponent.any()
            m.d.comb += [self.field.eq(at_least_one(exponent)), self.sig.eq(Cat(mantissa, normal))]
        else:
            m.d.comb += self.field.eq(exponent)
        return m


class ScalePair(Shared):
    """Product of two decoded block scales; None stands for an operand without.

    Function  ``sig = a.sig * b.sig``, ``field = a.field + b.field``.
    Formats   Any two unsigned scale formats of 8 bits.
    Shapes    ``a``, ``b``: ``scale_layout``. ``sig`` (only with ``multiplies``) and ``nonzero``:
              absent for two powers of two.
    Widths    Exact.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    NUMERICS, section 4. Golden: ``golden.arith.mac_step``.
    """

    part = "scaling"

    def __init__(self, a, b, multiplies=True):
        self._formats = {name: scale for name, scale in (("a", a), ("b", b)) if scale is not None}
        scales = self._formats.values()
        self.fraction_width = sum(scale.mantissa_width for scale in scales)
        self.has_significand = self.fraction_width > 0
        self.largest_significand = prod(
            (2 << s.mantissa_width) - 1 for s in scales if s.mantissa_width
        )
        self.largest_field = sum(map(largest_field, scales))
        self.smallest_field = sum(int(scale.subnormals) for scale in scales)
        self.bias = sum(scale.bias for scale in scales)
        self.module_name = "_".join(["scale", *(scale.name for scale in scales)])
        ports = {name: In(scale_layout(fmt)) for name, fmt in self._formats.items()}
        ports["field"] = Out(self.largest_field.bit_length())
        if self.has_significand:
            ports["nonzero"] = Out(1)
        self._multiplies = multiplies and self.has_significand
        if self._multiplies:
            self.module_name += "_sig"
            ports["sig"] = Out(self.largest_significand.bit_length())
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        fields = BitHeap(len(self.field))
        for name in self._formats:
            fields.add_unsigned(getattr(self, name).field)
        m.d.comb += self.field.eq(fields.total(m, platform, "fields"))
        significands = [
            getattr(self, name).sig for name, fmt in self._formats.items() if fmt.mantissa_width
        ]
        if self._multiplies:
            product = significands[0]
            if len(significands) == 2:
                heap = BitHeap(len(self.sig))
                heap.add_product(*significands)
                product = heap.total(m, platform, "product")
            m.d.comb += self.sig.eq(product)
        if self.has_significand:
            m.d.comb += self.nonzero.eq(Cat(sig.any() for sig in significands).all())
        return m

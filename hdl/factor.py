"""What a dequantizer multiplies the elements of a block by: scale, tensor scale, macro factor."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from golden.formats import FP32

from .quantizer_wide import Multiply
from .scale import DecodeScale
from .shared import Shared, bounds, place
from .shift import lead_with_one
from .source import normal_float


class Factor(Shared):
    """One scale, with what else its elements are multiplied by, and a leading one.

    Function  ``(-1)**neg * (1 + p / 2**len(p)) * 2**(field - 127)`` is the scale, times ``t``,
              times the reciprocal; ``zero``: it is 0; ``nan``: part of it is not finite.
    Formats   Scales of 8 bits or binary32; a tensor scale; the reciprocal of a macro-block factor.
    Shapes    ``code``: the scale's; ``t``: binary32; ``undo``: the low 24 bits of a reciprocal in
              [1/2, 1], binary32. Ports that a format has no use for are absent: ``t``, ``undo``,
              ``p``, ``neg``, ``zero``.
    Widths    Exact, a multiple of ``2**ulp``; ``field``: for exponents from ``low`` to ``high``.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.dequantizer``.
    """

    part = "scale"

    def __init__(self, fmt):
        scale = self._scale = fmt.scale
        self._tensor, self._macro = fmt.tensor_scale, fmt.macro is not None
        self._given = scale.width > 8
        self.p_width, self.has_zero = scale.mantissa_width, scale.subnormals
        self.low, self.high = exponents(scale)
        inputs, outputs = {"code": In(scale.width)}, {"nan": Out(1)}
        if self._tensor:
            inputs["t"] = In(32)
            low, high = exponents(FP32)
            self.p_width += FP32.mantissa_width + 1
            self.low, self.high = self.low + low, self.high + high + 1
        if self._macro:
            inputs["undo"] = In(FP32.mantissa_width + 1)
            self.p_width, self.low = FP32.mantissa_width, self.low - 1
        self.ulp = self.low - (self.p_width if self._macro else 0)
        outputs |= {"p": Out(self.p_width)} if self.p_width else {}
        outputs |= {"neg": Out(1)} if self._given or self._tensor else {}
        outputs |= {"zero": Out(1)} if self.has_zero else {}
        outputs["field"] = Out(bounds(self.low + FP32.bias, self.high + FP32.bias))
        kind = ("_tensor" if self._tensor else "") + ("_macro" if self._macro else "")
        self.module_name = f"factor_{scale.name}{kind}"
        super().__init__(inputs | outputs)

    def elaborate(self, platform):
        m = Module()
        fmt = self._scale
        if self._given:
            s = normal_float(m, platform, "scale", self.code, FP32)
            field = s.field - FP32.mantissa_width
            m.d.comb += [self.p.eq(s.fraction), self.zero.eq(~s.hidden), self.neg.eq(s.neg)]
            m.d.comb += self.nan.eq(is_special(self.code))
        else:
            s = place(m, platform, "scale", DecodeScale(fmt), code=self.code)
            nan, field = s.nan, s.field + (FP32.bias - fmt.bias)
            if self._tensor:
                t = normal_float(m, platform, "t", self.t, FP32)
                cell = Multiply(FP32.mantissa_width, len(s.sig))
                product = place(m, platform, "scale_t", cell, p=t.fraction, sig=s.sig)
                field = field + t.field + product.up - t.bias - fmt.mantissa_width
                m.d.comb += [self.p.eq(product.o), self.neg.eq(t.neg)]
                m.d.comb += self.zero.eq(product.zero | ~t.hidden)
                nan = nan | is_special(self.t)
            elif fmt.mantissa_width:
                shifted, zeros = lead_with_one(m, "normal", s.sig)
                field = field - zeros
                m.d.comb += [self.p.eq(shifted[:-1]), self.zero.eq(~shifted[-1])]
            if self._macro:
                # The reciprocal's exponent is 0 or -1, its exponent field odd or even.
                field = field + self.undo[FP32.mantissa_width] - 1
                m.d.comb += self.p.eq(self.undo[: FP32.mantissa_width])
            m.d.comb += self.nan.eq(nan)
        m.d.comb += self.field.eq(field[: len(self.field)])
        return m


def exponents(scale):
    """The exponents of a scale's smallest and largest positive value."""
    if scale.width > 8:
        return scale.ulp_exponent, scale.bias
    return scale.ulp_exponent, scale.max_exponent


def is_special(code):
    """Whether a binary32 value is NaN or Inf."""
    return code[FP32.mantissa_width : 31].all()

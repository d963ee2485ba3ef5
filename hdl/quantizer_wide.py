"""Quantizers whose lanes see scales with long significands: those of a tensor or of a group."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import FP32

from .largest import Largest
from .levels import has_few
from .ratio import Ratio
from .ratio_lane import BASE_WIDTH, RatioLane
from .round_element import round_float
from .scale import DecodeScale
from .scale_choice import nan_code
from .shared import Shared, bounds, place
from .shift import lead_with_one
from .source import normal_float
from .threshold_lane import ThresholdLane, Thresholds

EXPONENT = bounds(-(1 << BASE_WIDTH - 1), (1 << BASE_WIDTH - 1) - 1)


class Multiply(Shared):
    """A binary32 significand times a small integer, with a leading one.

    Function  ``(1 + p) * sig = (1 + o) * 2**up``; ``zero``: ``sig`` is 0.
    Formats   None; an unsigned fraction and an unsigned integer.
    Shapes    ``p``, ``o``: fractions below a leading one.
    Widths    Exact.
    Timing    Combinational.
    Errors    None.
    Source    Textbook. Golden: ``golden.scaling``.
    """

    part = "scale"

    def __init__(self, p_width, sig_width):
        width = p_width + sig_width + 1
        self.module_name = f"multiply_{p_width}x{sig_width}"
        super().__init__(
            {
                "p": In(p_width),
                "sig": In(sig_width),
                "o": Out(width - 1),
                "up": Out(sig_width.bit_length()),
                "zero": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        product = Signal(len(self.o) + 1, name="product")
        m.d.comb += product.eq((Cat(self.p, Const(1, 1)) * self.sig)[: len(product)])
        shifted, zeros = lead_with_one(m, "normal", product)
        m.d.comb += [
            self.o.eq(shifted[:-1]),
            self.zero.eq(~shifted[-1]),
            self.up.eq((len(self.sig) - zeros)[: len(self.up)]),
        ]
        return m


class ScaleOfTensor(Shared):
    """A block's scale code under a scale of the whole tensor, and the product of both.

    Function  ``code = nearest(amax / (largest element * t))``; ``value(code) * t = (1 + p) *
              2**exponent``; ``zero``: that product is 0.
    Formats   Scales of 8 bits with mantissa bits.
    Shapes    ``amax``: magnitude code of the source; ``t``: binary32, positive and finite.
    Widths    ``exponent``: two's complement.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 3, nvfp4. Golden: ``golden.scaling.block_scales``.
    """

    part = "scale"

    def __init__(self, fmt, source):
        self._fmt, self._source = fmt, source
        self.module_name = f"scale_of_tensor_{fmt.name}_{source.name}"
        self.p_width = FP32.mantissa_width + fmt.scale.mantissa_width + 2
        super().__init__(
            {
                "amax": In(source.width - 1),
                "t": In(32),
                "code": Out(8),
                "p": Out(self.p_width - 1),
                "exponent": Out(EXPONENT),
                "zero": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fmt, scale = self._fmt, self._fmt.scale
        amax = normal_float(m, platform, "amax", Cat(self.amax, Const(0, 1)), self._source)
        t = normal_float(m, platform, "t", self.t, FP32)

        # Divide by the largest element times t.
        numerator, denominator = fmt.element.largest.as_integer_ratio()
        cell = Multiply(FP32.mantissa_width, numerator.bit_length())
        unit = place(m, platform, "unit", cell, p=t.fraction, sig=Const(numerator, len(cell.sig)))
        cell = Ratio(len(amax.fraction), len(unit.o), scale.mantissa_width + 1)
        ratio = place(m, platform, "ratio", cell, a=amax.fraction, p=unit.o)
        exponent = Signal(EXPONENT, name="quotient_exponent")
        offset = t.bias - amax.bias + denominator.bit_length() - 1
        m.d.comb += exponent.eq(amax.field - t.field - unit.up - ratio.low + offset)
        away = fmt.rounding == "nearest_away"
        code = round_float(m, scale, exponent, ratio.o, amax.hidden, ratio.sticky, away)
        m.d.comb += self.code.eq(code)

        # Multiply what came out by t.
        chosen = place(m, platform, "chosen", DecodeScale(scale), code=self.code)
        cell = Multiply(FP32.mantissa_width, len(chosen.sig))
        product = place(m, platform, "times", cell, p=t.fraction, sig=chosen.sig)
        offset = -t.bias - scale.bias - scale.mantissa_width
        m.d.comb += [
            self.p.eq(product.o),
            self.zero.eq(product.zero),
            self.exponent.eq(t.field + chosen.field + product.up + offset),
        ]
        return m


class WideScales:
    """What lanes are told of a scale ``(1 + p) * 2**exponent``: thresholds, or the scale itself."""

    blocks = 1

    def __init__(self, fmt, source, p_width):
        self._fmt, self._source = fmt, source
        self._thresholds = Thresholds(fmt, source, p_width, BASE_WIDTH)
        self.lane = (
            ThresholdLane(fmt, source, self._thresholds.count)
            if has_few(fmt.element)
            else RatioLane(fmt, source, p_width)
        )

    def _told(self, m, library, p, exponent, clear):
        if isinstance(self.lane, ThresholdLane):
            cell = self._thresholds
            made = place(m, library, "thresholds", cell, p=p, exponent=exponent).o
            return {"thresholds": made, "clear": clear}
        bias = self._source.bias + self._source.mantissa_width
        return {"mantissa": p, "base": (exponent + bias)[:BASE_WIDTH], "clear": clear}


class TensorScales(WideScales):
    """Block scales under the scale of a tensor, which is an input.

    See :class:`hdl.quantizer_power.PowerScales` for what quantizers ask.
    """

    def __init__(self, fmt, source):
        self._cell = ScaleOfTensor(fmt, source)
        super().__init__(fmt, source, len(self._cell.p))
        self.inputs, self.outputs = {"tensor_scale": 32}, {"scales": 8}

    def summarize(self, m, library, codes):
        """The code of the largest magnitude."""
        largest = Largest(len(codes), self._source.width - 1)
        keys = Cat(code[:-1] for code in codes)
        return [[place(m, library, "largest", largest, i=keys).o]]

    def decide(self, m, library, keys, inputs):
        """What the lanes are told, and the scale codes."""
        ((amax,),) = keys
        special = amax[self._source.mantissa_width :].all()
        scale = place(m, library, "scale", self._cell, amax=amax, t=inputs["tensor_scale"])
        # A scale that rounds to zero, as that of a block of zeros, makes its elements 0.
        told = self._told(m, library, scale.p, scale.exponent, special | scale.zero)
        return [told], {"scales": Mux(special, nan_code(self._fmt.scale), scale.code)}


class GivenScales(WideScales):
    """A binary32 scale for the group, which is an input: positive and finite, or 0.

    See :class:`hdl.quantizer_power.PowerScales` for what quantizers ask.
    """

    def __init__(self, fmt, source):
        super().__init__(fmt, source, FP32.mantissa_width)
        self.inputs, self.outputs = {"scale": 32}, {"invalid": 1}

    def summarize(self, m, library, codes):
        """Whether any element is a NaN or Inf."""
        return [[Cat(code[self._source.mantissa_width : -1].all() for code in codes).any()]]

    def decide(self, m, library, keys, inputs):
        """What the lanes are told, and whether the group has no codes."""
        ((invalid,),) = keys
        s = normal_float(m, library, "given", inputs["scale"], FP32)
        exponent = Signal(EXPONENT, name="given_exponent")
        m.d.comb += exponent.eq(s.field - s.bias)
        told = self._told(m, library, s.fraction, exponent, invalid | ~s.hidden)
        return [told], {"invalid": invalid}

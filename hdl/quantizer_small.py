"""Quantizers whose block scales have a few mantissa bits, one or two a block."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .levels import has_few
from .quantizer_power import PowerScales
from .ratio_lane import RatioLane
from .scale import DecodeScale
from .shared import Shared, place
from .shift import lead_with_one
from .table_lane import TableLane

ZERO_BASE = 511  # of a scale that is zero: no input reaches a threshold


class NormalScale(Shared):
    """One block scale with a leading one.

    Function  ``scale = (1 + mantissa / 2**mantissa_width) * 2**(base - offset)``; ``zero``: it is
              0, and ``base`` above all inputs.
    Formats   Any unsigned scale format of 8 bits with subnormals.
    Shapes    ``code``: one byte.
    Widths    ``base``: two's complement.
    Timing    Combinational.
    Errors    None.
    Source    OCP FP8. Golden: ``FloatFormat.values``.
    """

    part = "scale"

    def __init__(self, scale, offset, width):
        self._scale, self._offset = scale, offset
        self.module_name = f"normal_{scale.name}_{offset}".replace("-", "m")
        super().__init__(
            {
                "code": In(8),
                "base": Out(width),
                "mantissa": Out(scale.mantissa_width),
                "zero": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        scale = place(m, platform, "scale", DecodeScale(self._scale), code=self.code)
        shifted, zeros = lead_with_one(m, "normal", scale.sig)
        base = Signal(len(self.base), name="exponent")
        m.d.comb += [
            self.mantissa.eq(shifted[:-1]),
            self.zero.eq(~shifted[-1]),
            base.eq((scale.field - zeros + self._offset)[: len(base)]),
            self.base.eq(Mux(self.zero, ZERO_BASE, base)),
        ]
        return m


class SmallScales(PowerScales):
    """Scales of the largest magnitude over the largest element, a few mantissa bits each."""

    def _lane(self):
        if has_few(self._fmt.element):
            return TableLane(self._fmt, self._source)
        return RatioLane(self._fmt, self._source, self._fmt.scale.mantissa_width)

    def _told(self, m, library, codes, special, is_zero):
        fmt, source, lane = self._fmt, self._source, self.lane
        normalized = isinstance(lane, RatioLane) or source.exponent_width < 8
        offset = source.bias + (source.mantissa_width if normalized else 0) - fmt.scale.bias
        offset += lane.lowest if isinstance(lane, TableLane) else 0
        sides = ("",) if fmt.sides == 1 else ("_p", "_n")
        width = len(getattr(lane, f"base{sides[0]}"))
        told, zeros = {}, []
        for side, code in zip(sides, codes):
            cell = NormalScale(fmt.scale, offset, width)
            scale = place(m, library, f"normal{side}", cell, code=code)
            told |= {f"base{side}": scale.base, f"mantissa{side}": scale.mantissa}
            zeros.append(scale.zero)
        return told | {"clear": special | is_zero | Cat(zeros).all()}

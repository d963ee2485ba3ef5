"""A lane of a quantizer whose scales have few significands: constants for each of them."""

from amaranth.hdl import Array, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .levels import code_of, thresholds
from .scale_choice import floor_log2, power, reaches
from .shared import Shared, bounds
from .source import unpack

BASE_WIDTH = 10


class TableLane(Shared):
    """One element of few magnitudes over a scale of few significands.

    Function  ``o = nearest(x / scale)``, 0 if ``clear``: an element's code is how many thresholds
              ``|x|`` reaches, each a constant for every significand of the scale.
    Formats   Elements of at most 4 bits; scales of at most 3 mantissa bits.
    Shapes    ``x``: one float; ``base``, ``mantissa``: the scale's, or those of each side.
    Widths    ``base``: the scale's exponent in the source's bias, and that of the smallest
              threshold.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.cast``.
    """

    part = "elements"

    def __init__(self, fmt, source):
        self._fmt, self._source = fmt, source
        away = fmt.rounding == "nearest_away"
        significands = [
            1 + power(-fmt.scale.mantissa_width) * i for i in range(1 << fmt.scale.mantissa_width)
        ]
        self._table = [
            [(h * s / power(floor_log2(h * s)), floor_log2(h * s), strict) for s in significands]
            for h, strict in thresholds(fmt.element, away)
        ]
        exponents = [e for row in self._table for _, e, _ in row]
        self.lowest, self._highest = min(exponents), max(exponents)
        rounding = "away" if away else "even"
        sides = "_sides" if fmt.sides == 2 else ""
        self.module_name = (
            f"lane_{source.name}_{fmt.element.name}_{fmt.scale.name}_{rounding}{sides}"
        )
        ports = {"x": In(source.width), "clear": In(1), "o": Out(fmt.element.width)}
        for side in ("",) if fmt.sides == 1 else ("_p", "_n"):
            ports[f"base{side}"] = In(BASE_WIDTH)
            ports[f"mantissa{side}"] = In(fmt.scale.mantissa_width)
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        fmt, source = self._fmt, self._source
        (x,) = unpack(m, platform, [self.x], source, source.exponent_width < 8)
        base, mantissa = (
            getattr(self, name)
            if fmt.sides == 1
            else Mux(x.neg, getattr(self, f"{name}_n"), getattr(self, f"{name}_p"))
            for name in ("base", "mantissa")
        )

        # Exponent above that of the smallest threshold.  | below | 0 ... highest | above |
        above = Signal(bounds(-(1 << BASE_WIDTH), 1 << BASE_WIDTH), name="above")
        m.d.comb += above.eq(x.field - base)
        span = self._highest - self.lowest
        at = [Signal(name=f"at{i}") for i in range(span + 1)]
        m.d.comb += [bit.eq(above == i) for i, bit in enumerate(at)]
        is_above = (above > span) & x.hidden

        # Compare with every threshold.
        unit = 1 << len(x.fraction)
        reached = []
        for row in self._table:
            by_mantissa = []
            for significand, exponent, strict in row:
                i = exponent - self.lowest
                part = at[i] & reaches(x.fraction, (significand - 1) * unit, strict)
                for bit in at[i + 1 :]:
                    part = part | bit
                by_mantissa.append(part)
            reached.append(is_above | (Array(by_mantissa)[mantissa] & x.hidden))
        code = code_of(fmt.element, reached, x.neg, fmt.sides == 1)
        m.d.comb += self.o.eq(Mux(self.clear, Const(0, len(code)), code))
        return m

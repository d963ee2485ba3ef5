"""What a quantizer reads: floats apart, subnormals with a leading one where that is asked for."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import BF16, FP16, FP32

from .shared import Shared, bounds, place
from .shift import lead_with_one

SOURCES = {fmt.name: fmt for fmt in (FP32, BF16, FP16)}


class Normalize(Shared):
    """One float whose subnormals get a leading one and an exponent below the smallest.

    Function  ``(1 + fraction / 2**mantissa_width) * 2**(field - bias - mantissa_width)``; field 0
              is zero, the largest NaN or Inf.
    Formats   Any float format with subnormals.
    Shapes    ``code``: one float without its sign.
    Widths    ``field``: that of the format and room for the leading zeros.
    Timing    Combinational.
    Errors    None.
    Source    IEEE 754-2019, 3.4. Golden: ``golden.quantizer``.
    """

    part = "decode"

    def __init__(self, fmt):
        self._fmt = fmt
        self.module_name = f"normalize_{fmt.name}"
        self._field = bounds(0, (1 << fmt.exponent_width) - 1 + fmt.mantissa_width)
        super().__init__(
            {
                "code": In(fmt.width - 1),
                "field": Out(self._field),
                "fraction": Out(fmt.mantissa_width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        raw = raw_float(Cat(self.code, Const(0, 1)), self._fmt)
        room = self._fmt.mantissa_width
        shifted, zeros = lead_with_one(m, "normal", raw.fraction)
        # | 1 | rest |: the leading one of a subnormal leaves the fraction.
        below = Cat(Const(0, 1), shifted[:-1])
        m.d.comb += [
            self.fraction.eq(Mux(raw.hidden, raw.fraction, below)),
            self.field.eq(
                Mux(raw.hidden, raw.field + room, Mux(shifted[-1], room - zeros, 0))[
                    : self._field.width
                ]
            ),
        ]
        return m


def raw_float(code, fmt):
    """Fields of a float's code: ``neg``, ``field``, ``fraction``, ``hidden`` (not subnormal)."""
    width = fmt.mantissa_width
    field = code[width : width + fmt.exponent_width]
    return SimpleNamespace(
        neg=code[-1], field=field, fraction=code[:width], hidden=field.any(), bias=fmt.bias
    )


def unpack(m, library, codes, fmt, normalized, prefix="x"):
    """Every float apart, as :func:`normal_float` if ``normalized``, else as :func:`raw_float`."""
    if not normalized:
        return [raw_float(code, fmt) for code in codes]
    return [normal_float(m, library, f"{prefix}{k}", code, fmt) for k, code in enumerate(codes)]


def normal_float(m, library, name, code, fmt):
    """As :func:`raw_float`, normalized: a leading one for all but zero, ``bias`` for ``field``."""
    out = place(m, library, name, Normalize(fmt), code=code[:-1])
    nonzero = Signal(name=f"{name}_nonzero")
    m.d.comb += nonzero.eq(out.field.any())
    bias = fmt.bias + fmt.mantissa_width
    return SimpleNamespace(
        neg=code[-1], field=out.field, fraction=out.fraction, hidden=nonzero, bias=bias
    )

"""Quantizers with macro blocks: a static factor for several blocks, then a scale for each."""

from fractions import Fraction
from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .largest import Largest
from .power_lane import PowerLane, base_offset, base_width
from .scale_choice import ChooseScale, Significance, floor_log2, nan_code, power
from .shared import Shared, place
from .source import unpack

FRACTION_WIDTH = 23  # of binary32, to which the quotient that decides a factor is rounded


class MacroFactor(Shared):
    """The static factor of a macro block, without a divider.

    Function  ``o`` = the top mantissa bits of binary32(largest element / amax), 0 where that is
              Inf. A bit is 1 where amax times the factor so far stays within the largest element.
    Formats   Macro-block factors 1 + o / 2**width.
    Shapes    ``amax``: magnitude code of the source, finite.
    Widths    ``o``: that of the factor. Products hold every bit.
    Timing    Combinational.
    Errors    None.
    Source    arXiv 2603.08713, 4.3. Golden: ``golden.macro.macro_codes``.
    """

    part = "scale"

    def __init__(self, element, factor, source):
        self._element, self._factor, self._source = element, factor, source
        self.module_name = f"macro_factor_{element.name}_{source.name}"
        super().__init__({"amax": In(source.width - 1), "o": Out(factor.mantissa_width)})

    def elaborate(self, platform):
        m = Module()
        source, bits = self._source, self._factor.mantissa_width
        normalized = source.exponent_width < 8
        (x,) = unpack(m, platform, [Cat(self.amax, Const(0, 1))], source, normalized)
        a = Cat(Const(0, FRACTION_WIDTH - len(x.fraction)), x.fraction, Const(1, 1))

        # The quotient q lies in [1, 2), and rounds to b / 2**bits from half an ulp below it on:
        # a * b <= (q * a) * 2**bits + a * 2**(bits - FRACTION_WIDTH - 1).
        largest = Fraction(self._element.largest)
        top = int(largest / power(floor_log2(largest)) * power(FRACTION_WIDTH))
        limit = Signal(FRACTION_WIDTH + bits + 3)
        m.d.comb += limit.eq(
            Mux(a > top, top << bits + 1, top << bits) + a[FRACTION_WIDTH + 1 - bits :]
        )
        total, found = Cat(Const(0, bits), a), []
        for i in reversed(range(bits)):
            more = Signal(len(limit), name=f"times{i}")
            fits = more <= limit
            m.d.comb += more.eq(total + (a << i))
            total = Mux(fits, more, total)
            found.insert(0, fits)

        # At largest / 2**128 and below the quotient is Inf.
        is_tiny = ~x.hidden
        if not normalized:
            least = largest / power(128)
            exponent = floor_log2(least)
            fraction = int((least / power(exponent) - 1) * power(len(x.fraction)))
            is_tiny = self.amax <= (exponent + source.bias << len(x.fraction) | fraction)
        m.d.comb += self.o.eq(Mux(is_tiny, 0, Cat(found)))
        return m


class MacroScales:
    """Power-of-two scales of several blocks after a shared factor.

    See :class:`hdl.quantizer_power.PowerScales` for what quantizers ask.
    """

    def __init__(self, fmt, source):
        self._fmt, self._source = fmt, source
        self.blocks = fmt.macro.size // fmt.block_size
        self.inputs = {}
        self.outputs = {"scales": 8 * self.blocks, "macro": fmt.macro.factor.width}
        self.lane = PowerLane(fmt, source, fmt.macro.factor)

    def summarize(self, m, library, codes):
        """The code of each block's largest magnitude."""
        size = min(self._fmt.block_size, len(codes))
        cell = Largest(size, self._source.width - 1)
        blocks = [Cat(x[:-1] for x in codes[i : i + size]) for i in range(0, len(codes), size)]
        return [[place(m, library, f"largest{i}", cell, i=x).o] for i, x in enumerate(blocks)]

    def decide(self, m, library, keys, inputs):
        """What the lanes of every block are told, the scale codes and the factor's."""
        fmt, source = self._fmt, self._source
        maxima = [amax for (amax,) in keys]
        specials = [amax[source.mantissa_width :].all() for amax in maxima]
        finite = [Mux(special, 0, amax) for special, amax in zip(specials, maxima)]
        largest = Largest(self.blocks, source.width - 1)
        amax = place(m, library, "largest_of_all", largest, i=Cat(finite)).o
        cell = MacroFactor(fmt.element, fmt.macro.factor, source)
        macro = place(m, library, "factor", cell, amax=amax).o
        told, scales = [], []
        for i, (own, special) in enumerate(zip(finite, specials)):
            code = self._scale(m, library, i, own, macro)
            base = (code + base_offset(fmt, source))[: base_width(fmt, source)]
            told.append({"base": base, "macro": macro, "clear": special | ~own.any()})
            scales.append(Mux(special, nan_code(fmt.scale), code))
        return told, {"scales": Cat(scales), "macro": macro}

    def _scale(self, m, library, i, amax, macro):
        """The scale's code of a block by its largest magnitude times the factor."""
        fmt, source = self._fmt, self._source
        codes = [Cat(amax, Const(0, 1))]
        (x,) = unpack(m, library, codes, source, source.exponent_width < 8, f"amax{i}_")
        product = Signal(len(x.fraction) + len(macro) + 2, name=f"scaled{i}")
        m.d.comb += product.eq(Cat(x.fraction, x.hidden) * Cat(macro, Const(1, 1)))
        high = product[-1]
        fraction = Mux(high, product[:-1], Cat(Const(0, 1), product[:-2]))
        field = (x.field + high)[: len(x.field) + 1]
        scaled = SimpleNamespace(fraction=fraction, field=field, hidden=x.hidden)
        choice = Significance(fmt, source, x.bias)
        cell = ChooseScale(choice, len(field), f"{fmt.name}_{source.name}")
        return place(m, library, f"scale{i}", cell, key=choice.key(scaled)).code

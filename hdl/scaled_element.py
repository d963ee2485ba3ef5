"""A lane of a dequantizer: one element times its factor, as a float."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import FP32, FloatFormat

from .decode import Decode, least_shift, significand_width
from .shared import Shared, bounds, place
from .shift import lead_with_one, shift_right


class ScaledElement(Shared):
    """One element times the factor of its block, or of its side.

    Function  ``o = code * factor``, rounded once to nearest even where ``out`` cannot hold it;
              overflow gives Inf, subnormals are kept, every NaN is the canonical one.
    Formats   Any element; a binary float ``out`` for results.
    Shapes    ``code``: one element; ``field``, ``p``, ``neg``, ``zero``: as :class:`Factor` has
              them, or ``field_p``, ``field_n``, ... for each side; ``nan``: that of any side.
    Widths    | 1 | element | times | 1 | p |, then ``out``'s significand, guard and sticky bit.
    Timing    Combinational.
    Errors    None.
    Source    IEEE 754-2019, 5.4.1. Golden: ``golden.dequantizer``.
    """

    part = "elements"

    def __init__(self, element, factor, sides, out):
        """``factor``: a :class:`Factor`, or None for elements without a scale."""
        self._element, self._factor, self._sides, self._out = element, factor, sides, out
        kind = factor.module_name if factor else "plain"
        self.module_name = f"scaled_{element.name}_{kind}{'_sides' * (sides == 2)}_{out.name}"
        ports = {"code": In(element.width), "o": Out(out.width)}
        if factor is not None:
            ports["nan"] = In(1)
            for name, shape in by_side(factor).items():
                ports |= {name + side: In(shape) for side in sides_of(sides)}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        element, out = self._element, self._out
        if self._factor is None and is_prefix(element, out):
            below = Const(0, out.width - element.width)
            is_nan = element.has_nan and (self.code[:-1] > infinity(element))
            m.d.comb += self.o.eq(Mux(is_nan, nan_code(out), Cat(below, self.code)))
            return m

        # Give the element a leading one.
        x = place(m, platform, "element", Decode(element), code=self.code)
        significand, zeros = lead_with_one(m, "normal", x.sig)
        top = element.ulp_exponent - least_shift(element) + len(x.sig) - 1
        low, high = exponents(element)
        field = getattr(x, "shift", 0) - zeros + top
        is_zero, neg = ~x.nonzero, x.neg
        nan, inf = getattr(x, "nan", Const(0, 1)), getattr(x, "special", Const(0, 1))

        # Multiply.
        factor = self._factor
        if factor is None:
            field = field + out.bias
        else:
            own = {name: self._own(name, x.neg) for name in by_side(factor)}
            low, high = low + factor.low, high + factor.high
            field = field + own["field"] + (out.bias - FP32.bias)
            zero = own.get("zero", Const(0, 1))
            nan, is_zero = nan | self.nan | (inf & zero), is_zero | zero
            neg = neg ^ own.get("neg", Const(0, 1))
            if "p" in own:
                product = Signal(len(significand) + factor.p_width + 1, name="product")
                m.d.comb += product.eq((significand * Cat(own["p"], Const(1, 1)))[: len(product)])
                carry = product[-1]
                significand = Mux(carry, product, Cat(Const(0, 1), product[:-1]))
                field, high = field + carry, high + 1

        # Round and pack.
        low, high = low + out.bias, high + out.bias
        own_field = Signal(bounds(min(low, -1), max(high, 0)), name="field")
        m.d.comb += own_field.eq(field[: len(own_field)])
        exact = is_exact(element, factor, out)
        cuts = least(element, factor) < out.ulp_exponent
        packed = pack(m, out, own_field, low, high, significand, exact, cuts)
        magnitude = Mux(inf, infinity(out), Mux(is_zero, 0, packed))
        m.d.comb += self.o.eq(Mux(nan, nan_code(out), Cat(magnitude[: out.width - 1], neg)))
        return m

    def _own(self, name, neg):
        """What a port says of the element's side."""
        if self._sides == 1:
            return getattr(self, name)
        return Mux(neg, getattr(self, f"{name}_n"), getattr(self, f"{name}_p"))


def sides_of(count):
    """What the names of the ports of each side end with."""
    return ("",) if count == 1 else ("_p", "_n")


def by_side(factor):
    """The shapes of what a factor says of the elements of one side, by name."""
    ports = {path[0]: member for path, member, _ in factor.signature.flatten(factor)}
    return {n: p.shape for n, p in ports.items() if p.flow == Out and n != "nan"}


def exponents(element):
    """The exponents of an element's smallest and largest magnitude."""
    if isinstance(element, FloatFormat):
        return element.ulp_exponent, element.max_exponent
    return element.ulp_exponent, element.ulp_exponent + significand_width(element) - 1


def is_exact(element, factor, out):
    """Whether ``out`` holds every finite product of its normal range, and the subnormal ones."""
    width = significand_width(element)
    if factor is not None and factor.p_width:
        width += factor.p_width + 1
    return width <= out.mantissa_width + 1 and least(element, factor) >= out.ulp_exponent


def least(element, factor):
    """The exponent of a power of two that divides every product."""
    return element.ulp_exponent + (factor.ulp if factor is not None else 0)


def is_prefix(element, out):
    """Whether an element's code with zeros below it is ``out``'s."""
    fields = ("exponent_width", "bias", "specials")
    return isinstance(element, FloatFormat) and all(
        getattr(element, name) == getattr(out, name) for name in fields
    )


def pack(m, fmt, field, low, high, significand, exact, cuts):
    """A float's code without its sign, from a significand with a leading one.

        | 1 | mantissa | guard | sticky ... |    >> 1 - field, if that is positive

    ``low``, ``high``: the range of ``field``. Unless ``exact``, rounds to nearest even; ``cuts``:
    whether a subnormal may lose anything.
    """
    width, spare = fmt.mantissa_width, 0 if exact else 1
    wide = Cat(Const(0, max(0, width + 1 + spare - len(significand))), significand)
    cut = len(wide) - (width + 1 + spare)
    kept, sticky, below = wide[cut:], wide[:cut].any(), Const(0, 1)
    if low < 1:
        below = field < 1
        down = Signal((1 - low).bit_length(), name="down")
        m.d.comb += down.eq(Mux(below, 1 - field, 0)[: len(down)])
        kept, lost = shift_right(m, "subnormal", kept, down, 0)
        sticky = sticky | lost if cuts else sticky
    code = Signal(fmt.width - 1, name="packed")
    if exact:
        exponent = Mux(below, 0, field)[: fmt.exponent_width]
        m.d.comb += code.eq(Cat(kept[:width], exponent))
    else:
        # The hidden bit of a normal significand adds one to the exponent.
        exponent = Mux(below, 0, field - 1)[: fmt.exponent_width]
        up = kept[0] & (sticky | kept[1])
        m.d.comb += code.eq((Cat(Const(0, width), exponent) + kept[1:] + up)[: len(code)])
    largest = (1 << fmt.exponent_width) - 2
    return code if high <= largest else Mux(field > largest, infinity(fmt), code)


def infinity(fmt):
    """The code of Inf."""
    return ((1 << fmt.exponent_width) - 1) << fmt.mantissa_width


def nan_code(fmt):
    """The code of the canonical NaN."""
    return infinity(fmt) | 1 << (fmt.mantissa_width - 1)

"""Elements whose magnitudes are 1 or 3 times a power of two, decoded so that a lane's product is
one AND-OR: one operand selects, the other supplies itself and 3 times itself."""

from enum import Enum

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from golden.formats import FloatFormat

from .decode import largest_magnitude
from .shared import Shared, exact

MULTIPLES = (1, 3)


def magnitudes(element):
    """Magnitudes of a float without specials by code, in units of ``2**ulp_exponent``."""
    return [int(v * 2.0**-element.ulp_exponent) for v in element.values[: 1 << element.width - 1]]


def takes_lines(element):
    """Whether an element's magnitudes are few, and ``MULTIPLES`` times powers of two."""
    if not isinstance(element, FloatFormat) or element.width > 4 or element.has_nan:
        return False
    return all(split(each)[0] in MULTIPLES for each in magnitudes(element) if each)


def split(magnitude):
    """``(odd, shift)`` such that ``magnitude = odd << shift``."""
    shift = (magnitude & -magnitude).bit_length() - 1
    return magnitude >> shift, shift


def multiple_width(element, multiple):
    """Bits of a multiple of any magnitude."""
    return (multiple * largest_magnitude(element)).bit_length()


def product_width(element):
    """Bits of the product of any two magnitudes."""
    return (largest_magnitude(element) ** 2).bit_length()


def line_widths(element):
    """Widths of an element's lines: one a magnitude, and one a shift for the lowest bit, which all
    multiples have in common."""
    nonzero = [each for each in magnitudes(element) if each]
    return {"lines": len(nonzero), "lows": len({split(each)[1] for each in nonzero})}


def multiple_widths(element):
    """Widths of the multiples of an element."""
    return {f"x{each}": multiple_width(element, each) for each in MULTIPLES}


class Kind(Enum):
    """What the decoders of lines and multiples make beside these; the values name them."""

    PLAIN = ""
    """Nothing: magnitudes."""
    SINGLE = "single"
    """Whether the element is zero."""
    SIGNED = "signed"
    """That, what selects from complements, and complements where negative."""


def lines_fields(element, kind):
    """Fields of an element that selects."""
    fill = {"fill": product_width(element)} if kind is Kind.SIGNED else {}
    return {"neg": 1, **line_widths(element), **fill, **_nonzero(kind)}


def multiples_fields(element, kind):
    """Fields of an element that supplies."""
    return {"neg": 1, **multiple_widths(element), **_nonzero(kind)}


def _nonzero(kind):
    return {} if kind is Kind.PLAIN else {"nonzero": 1}


class DecodeLines(Shared):
    """One element as sign and one-hot magnitude.

    Function  ``lines[i]``: the magnitude is the ``i``-th that is not zero. ``lows[i]``: it is odd
              times ``2**i``. ``fill[i]``: bit ``i`` of the product with an element of the same
              format is 0 whatever that element is; absent, as ``nonzero``, unless ``kind`` has it.
    Formats   Floats that :func:`takes_lines`.
    Shapes    ``code``: one element.
    Widths    ``lines``: one a magnitude; ``lows``: one a shift; ``fill``: the width of a product.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``FloatFormat.values``.
    """

    part = "decode"

    def __init__(self, element, kind):
        self._element, self._kind = element, kind
        suffix = f"_{kind.value}" if kind.value else ""
        self.module_name = f"decode_{element.name}_lines{suffix}"
        fields = {name: Out(width) for name, width in lines_fields(element, kind).items()}
        super().__init__({"code": In(element.width), **fields})

    def elaborate(self, platform):
        m = Module()
        code, covers = self.code[:-1], covered(self._element)
        codes = [(code == i, each) for i, each in enumerate(magnitudes(self._element)) if each]
        lows = [
            Cat(line for line, each in codes if split(each)[1] == shift).any()
            for shift in range(len(self.lows))
        ]
        m.d.comb += [
            self.neg.eq(self.code[-1]),
            exact(self.lines, Cat(line for line, _ in codes)),
            exact(self.lows, Cat(lows)),
        ]
        if self._kind is Kind.SIGNED:
            fill = [
                ~Cat(self.lines[i] for i, bits in enumerate(covers) if n in bits).any()
                for n in range(len(self.fill))
            ]
            m.d.comb += exact(self.fill, Cat(fill))
        if self._kind is not Kind.PLAIN:
            m.d.comb += self.nonzero.eq(code.any())
        return m


def covered(element):
    """The bits of a product that each line's multiple reaches."""
    ranges = []
    for each in filter(None, magnitudes(element)):
        multiple, shift = split(each)
        ranges.append(range(shift, shift + multiple_width(element, multiple)))
    return ranges


MULTIPLES_NAMES = {
    Kind.PLAIN: "multiples",
    Kind.SINGLE: "multiples_single",
    Kind.SIGNED: "complements",
}


class DecodeMultiples(Shared):
    """One element as sign, magnitude and 3 times the magnitude.

    Function  ``x1``, ``x3``: the multiples; complemented where negative if ``kind`` is SIGNED.
              ``nonzero`` is absent if it is PLAIN.
    Formats   Floats that :func:`takes_lines`.
    Shapes    ``code``: one element.
    Widths    Those of the largest multiples.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``FloatFormat.values``.
    """

    part = "decode"

    def __init__(self, element, kind):
        self._element, self._kind = element, kind
        self.module_name = f"decode_{element.name}_{MULTIPLES_NAMES[kind]}"
        fields = {name: Out(width) for name, width in multiples_fields(element, kind).items()}
        super().__init__({"code": In(element.width), **fields})

    def elaborate(self, platform):
        m = Module()
        code, neg = self.code[:-1], self.code[-1]
        m.d.comb += self.neg.eq(neg)
        if self._kind is not Kind.PLAIN:
            m.d.comb += self.nonzero.eq(code.any())
        for multiple in MULTIPLES:
            port = getattr(self, f"x{multiple}")
            values = [multiple * each for each in magnitudes(self._element)]
            bits = Cat(
                Cat(code == i for i, value in enumerate(values) if value >> n & 1).any()
                for n in range(len(port))
            )
            m.d.comb += port.eq(bits ^ (neg & (self._kind is Kind.SIGNED)).replicate(len(port)))
        return m


def selected(element, lines, lows, multiples, fill=None):
    """The product of a lane as an AND-OR: of one element's ``lines`` and ``lows`` and the
    ``multiples`` of the other, whose sign is where ``fill`` is."""
    terms = [[] for _ in range(product_width(element))]
    for shift, low in enumerate(lows):
        terms[shift].append(low & multiples[MULTIPLES[0]][0])
    for line, each, bits in zip(lines, filter(None, magnitudes(element)), covered(element)):
        for i, n in enumerate(bits):
            if i and n < len(terms):
                terms[n].append(line & multiples[split(each)[0]][i])
    if fill is not None:
        terms = [[*each, bit] for each, bit in zip(terms, fill)]
    return Cat(Cat(each).any() for each in terms)

"""What it takes to fold the scales of a two-sided operand into its elements at the edge of a tile:
``python -m verif.floors_folded LIB ...``.

One signed sum then serves both sides, of wider products; what an element of the side with the
smaller scale has below the larger one's unit and ``window`` more bits is cut off, so results are
not golden's. Each part is mapped by itself, recipe area, beside what it takes the place of.
"""

import click
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from gen.liberty import load
from golden.formats import get_format
from hdl.heap import Reduction, add
from hdl.lanes import sum_shape
from hdl.lines import DecodeLines, Kind, magnitudes, split
from hdl.shared import Shared, bounds
from hdl.sided_lines import LinePair
from verif.floors_tile import TREE, K, parts, smallest

WINDOWS = (0, 1, 2)
SIDED, OTHER = get_format("amxfp4"), get_format("mxfp4")
MAGNITUDES = magnitudes(SIDED.element)
SHIFTS = range(max(split(each)[1] for each in MAGNITUDES if each) + 1)


def chosen(m, name, lows, bits, width):
    """``bits`` shifted left by the number of the line that is 1."""
    result = Signal(width, name=name)
    terms = ((bits << i)[:width] & low.replicate(width) for i, low in enumerate(lows))
    m.d.comb += result.eq(Cat(Cat(column).any() for column in zip(*terms)))
    return result


class FoldedElement(Shared):
    """An element times the significand of its side's scale, and 3 times that.

    Function  ``x1 = magnitude(code) * s_side >> SHIFTS[-1]``, ``x3 = 3 * x1``.
    Formats   Those of ``SIDED``.
    Shapes    ``p1``, ``n1``: each side's significand ``s``, moved down by what its exponent is
              below the larger one's, with ``window`` bits below its unit and as many as elements
              shift; ``p3``, ``n3``: 3 times that, before anything is cut off.
    Widths    ``x1``: that of the largest product.
    Timing    Combinational.
    Errors    None.
    Source    A prototype, measured and not used.
    """

    def __init__(self, window):
        self.module_name = f"folded_element{window}"
        largest = (2 << SIDED.scale.mantissa_width) - 1 << window
        scales = {1: largest.bit_length(), 3: (3 * largest).bit_length()}
        ports = {
            f"{side}{multiple}": In(width + SHIFTS[-1])
            for side in "pn"
            for multiple, width in scales.items()
        }
        self.largest = largest * MAGNITUDES[-1]
        outputs = {f"x{i}": Out((i * self.largest).bit_length()) for i in scales}
        super().__init__({"code": In(SIDED.element.width)} | ports | outputs)

    def elaborate(self, platform):
        m = Module()
        code, neg = self.code[:-1], self.code[-1]
        odd = [(code == i, *split(each)) for i, each in enumerate(MAGNITUDES) if each]
        triple = Cat(line for line, multiple, _ in odd if multiple == 3).any()
        sides = (Mux(neg, self.n1, self.p1), Mux(neg, self.n3, self.p3))
        scale = Signal(len(self.p3))
        m.d.comb += scale.eq(Mux(triple, sides[1], sides[0]))
        lows = [Cat(line for line, _, low in odd if low == shift).any() for shift in SHIFTS]
        product = chosen(m, "product", lows, scale, len(self.x1) + SHIFTS[-1])
        m.d.comb += self.x1.eq(product >> SHIFTS[-1])
        m.d.comb += self.x3.eq(
            add(m, platform, "triple", self.x1, self.x1 << 1, width=len(self.x3))
        )
        return m


class FoldedProduct(Shared):
    """A lane's product: of a folded element and one of ``OTHER``, by its shift and whether it is 3
    times a power of two.

    Function  ``sum(o[i] * factors[i]) = (neg ? -1 : 1) * (triple ? x3 : x1) * sum(lows[i] << i)``.
    Formats   Those of ``SIDED`` and ``OTHER``.
    Shapes    ``neg``: whether the signs differ; ``lows``: one line or none is 1.
    Widths    Magnitude and sign, as :class:`hdl.line_product.LineProduct` has them.
    Timing    Combinational.
    Errors    None.
    Source    A prototype, measured and not used.
    """

    def __init__(self, element):
        self.module_name = f"product_of_{element.module_name}"
        self.largest = element.largest * MAGNITUDES[-1]
        width = self.largest.bit_length()
        self.factors = [*(1 << i for i in range(width)), 1 - (1 << width)]
        multiples = {name: In(element.members[name].shape) for name in ("x1", "x3")}
        lines = {"neg": In(1), "triple": In(1), "lows": In(len(SHIFTS))}
        super().__init__(lines | multiples | {"o": Out(len(self.factors))})

    def elaborate(self, platform):
        m = Module()
        multiple = Signal(len(self.x3))
        m.d.comb += multiple.eq(Mux(self.triple, self.x3, self.x1))
        width = len(self.factors) - 1
        magnitude = chosen(m, "magnitude", self.lows, multiple, width)
        m.d.comb += self.o.eq(Cat(magnitude ^ self.neg.replicate(width), self.neg))
        return m


def folded(window, library):
    """Gate equivalents of ``K`` products with their sum, and of an element at the edge."""
    element = FoldedElement(window)
    product = FoldedProduct(element)
    shape = bounds(-K * product.largest, K * product.largest)
    total = Reduction(K, product.factors, 0, shape, product.module_name)
    products = K * smallest(product, library) + smallest(total, library)
    return products, smallest(element, library)


def replaced(library):
    """Gate equivalents of what a folded sum takes the place of in a cell of ``SIDED:OTHER``, but
    for the carry chain that gives the positive side's sum."""
    pair, shape = LinePair(SIDED.element), sum_shape(SIDED, OTHER, K)
    ones = (1 << pair.width - 1) - 1
    factors = [*(1 << i for i in range(pair.width)), -ones, -ones]
    total = Reduction(K // 2, factors, 0, shape, "of_pairs")
    further = [(n, part) for name, n, part in parts(SIDED, OTHER) if name != TREE]
    counted = [(K // 2, pair), (2, total), *further]
    return sum(n * smallest(part, library) for n, part in counted)


@click.command()
@click.argument("libs", nargs=-1, required=True, type=click.Path(exists=True), metavar="LIB...")
def main(libs):
    """Print a table of every Liberty file LIB."""
    for path in libs:
        library = load(path)
        print(f"| {library.name} | in a cell: GE | an element at the edge: GE |")
        lines = smallest(DecodeLines(SIDED.element, Kind.SIGNED), library)
        print(f"| --- | --- | --- |\n| as built | {replaced(library):,.0f} | {lines:,.0f} |")
        for window in WINDOWS:
            products, edge = folded(window, library)
            print(f"| window {window} | {products:,.0f} | {edge:,.0f} |")


if __name__ == "__main__":
    main()

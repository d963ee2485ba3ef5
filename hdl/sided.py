"""Products of two-sided operands: two lanes at a time, one magnitude per combination of sides."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from .decode import largest_magnitude, least_shift
from .generators import PairGenerator, place_products, two_lanes
from .heap import BitHeap, Reduction, subtract
from .lane import lane_ports
from .lines import MULTIPLES, line_widths, multiple_widths, selected
from .product import combinations, multiply, port, select
from .shared import Shared, bounds, place


class PairProduct(PairGenerator, Shared):
    """Two lanes of two-sided operands: the magnitudes of their products by combination of sides.

    Function  ``o_c`` is the sum of the magnitudes whose signs select the combination ``c``. Where
              both lanes have one combination, ``|x| + |y|`` takes the place of ``|x|``, and nothing
              that of ``|y|``: each tree then has half the bits.
    Formats   Any two elements that :class:`golden.formats.ElementFormat` describes.
    Shapes    ``x_a_*``, ``x_b_*``, ``y_a_*``, ``y_b_*``: as Decode gives them.
    Widths    The sum of two of the largest magnitudes.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    kind = "sided"
    datapath = "pairs: significands multiplied, shifted; one sum where both lanes have one side"
    of_pair = ()  # inputs that tell something of both lanes, by the names that x has for them

    def __init__(self, a, b):
        self._lane = self.lane(a, b)
        self._least = least_shift(a) + least_shift(b)
        self.largest = 2 * largest_magnitude(a) * largest_magnitude(b)
        self.key = f"{a.name}_{b.name}_{self.kind}"
        self.module_name = f"pair_{self.key}"
        self._inputs = two_lanes(self._lane) | dict.fromkeys(self.of_pair, In(1))
        width = self.largest.bit_length()
        super().__init__(self._inputs | {f"o_{c}": Out(width) for c in combinations(2, 2)})

    def lane(self, a, b):
        """The ports of a lane."""
        return lane_ports(a, b, ("neg", "sig", "shift"))

    def magnitude(self, m, platform, lane, fields):
        """A lane's product without its sign."""
        shift = sum(value for name, value in fields.items() if name.endswith("shift"))
        ports = (fields["a_sig"], fields["b_sig"])
        product = multiply(m, platform, f"{lane}_significand", *ports) << Value.cast(shift)
        return product[self._least : self._least + (self.largest // 2).bit_length()]

    def are_same(self, signs):
        """Whether both lanes have one combination, from their signs."""
        return ~Cat(p.neg ^ q.neg for p, q in zip(*signs)).any()

    def elaborate(self, platform):
        m = Module()
        magnitudes, signs = [], []
        for lane in "xy":
            fields = {name: getattr(self, f"{lane}_{name}") for name in self._lane}
            magnitudes.append(self.magnitude(m, platform, lane, fields))
            signs.append([SimpleNamespace(neg=fields[f"{side}_neg"]) for side in "ab"])
        x, y = magnitudes
        width = self.largest.bit_length()
        # Complements of conjunctions are one gate, and a library's choosing cells may take them.
        heap = BitHeap(width, inverted=True)
        heap.add_unsigned(x)
        heap.add_unsigned(y & self.are_same(signs).replicate(len(y)))
        first = heap.total(m, platform, "first")
        for c in combinations(2, 2):
            taken, other = (select(c, *pair, 2) for pair in signs)
            second = y & other.replicate(len(y))
            m.d.comb += getattr(self, f"o_{c}").eq(Mux(taken, first, second))
        return m


class SidedLinePair(PairProduct):
    """:class:`PairProduct` of one format's elements, ``a`` as lines, ``b`` as multiples.

    Function  That of PairProduct.
    Formats   Floats that :func:`hdl.lines.takes_lines`.
    Shapes    ``x_a_lines``, ``x_b_x1`` and so on: as the decoders of ``hdl.lines`` give them;
              ``x_a_differs``, ``x_b_differs``: whether the operand's signs in ``x`` and ``y`` do.
    Widths    Those of PairProduct.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    kind = "lines_sided"
    datapath = "pairs: lines choose the other or 3 times it; one sum where both lanes have one side"
    of_pair = ("x_a_differs", "x_b_differs")

    def lane(self, a, b):
        """The ports of a lane."""
        self._element = a
        signs = dict.fromkeys(("a_neg", "b_neg"), In(1))
        selecting = {f"a_{name}": In(width) for name, width in line_widths(a).items()}
        supplied = {f"b_{name}": In(width) for name, width in multiple_widths(b).items()}
        return signs | selecting | supplied

    def magnitude(self, m, platform, lane, fields):
        """A lane's product without its sign."""
        multiples = {each: fields[f"b_x{each}"] for each in MULTIPLES}
        return selected(self._element, fields["a_lines"], fields["a_lows"], multiples)

    def are_same(self, signs):
        """Whether both lanes have one combination: the edge compares their signs."""
        return ~(self.x_a_differs | self.x_b_differs)


class MixedPair(PairGenerator, Shared):
    """Two lanes of which one operand is two-sided: their signed products by its side.

    Function  ``sum(o_all[i] * factors[i]) = x + y``; ``o_n`` is the part of it whose two-sided
              element is negative. Where both are, ``x + y`` takes the place of ``x``, and nothing
              that of ``y``: each tree then has half the bits.
    Formats   Any two elements that :class:`golden.formats.ElementFormat` describes.
    Shapes    ``x_a_*``, ``x_b_*``, ``y_a_*``, ``y_b_*``: as Decode gives them.
    Widths    Two's complement sums of two products; ``o_n`` has one bit more, of weight 1.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    datapath = "pairs: significands multiplied, shifted, complemented; all summed, and one side"

    def __init__(self, a, b, sided):
        self._lane, self._sided = lane_ports(a, b, ("neg", "sig", "shift")), sided
        self._least = least_shift(a) + least_shift(b)
        self.largest = 2 * largest_magnitude(a) * largest_magnitude(b)
        self._width = bounds(-self.largest, self.largest).width
        self.factors = [*(1 << i for i in range(self._width - 1)), -1 << (self._width - 1), 1]
        self.key = f"{a.name}_{b.name}_{sided}_sided"
        self.module_name = f"pair_{self.key}"
        self._inputs = two_lanes(self._lane)
        super().__init__(self._inputs | {"o_all": Out(self._width), "o_n": Out(self._width + 1)})

    magnitude = PairProduct.magnitude

    def elaborate(self, platform):
        m = Module()
        width, heap = self._width, BitHeap(self._width)
        complements, negs, taken = [], [], []
        for lane in "xy":
            fields = {name: getattr(self, f"{lane}_{name}") for name in self._lane}
            magnitude = self.magnitude(m, platform, lane, fields)
            neg = fields["a_neg"] ^ fields["b_neg"]
            complement = Signal(len(magnitude), name=f"{lane}_complement")
            m.d.comb += complement.eq(magnitude ^ neg.replicate(len(magnitude)))
            heap.add_unsigned(complement)
            heap.add_bit(neg, 0)
            heap.add_bit(~neg, len(magnitude))
            heap.add_constant(-1 << len(magnitude))
            complements.append(Cat(complement, neg.replicate(width - len(magnitude))))
            negs.append(neg)
            taken.append(fields[f"{self._sided}_neg"])
        both = heap.total(m, platform, "both")
        m.d.comb += self.o_all.eq(both)
        first = Mux(taken[1], Cat(both, Const(0, 1)), Cat(complements[0], negs[0]))
        second = Cat(complements[1], negs[1])
        is_second = ~taken[0] & taken[1]
        m.d.comb += self.o_n.eq(
            (first & taken[0].replicate(width + 1)) | (second & is_second.replicate(width + 1))
        )
        return m


def mixed_sums(m, library, name, fmt_a, fmt_b, lanes, pipe):
    """The signed sums of the products by the side of the operand that has two."""
    cell = MixedPair(fmt_a.element, fmt_b.element, "a" if fmt_a.sides == 2 else "b")
    outputs = place_products(m, library, name, cell, lanes)
    largest = len(lanes) * largest_magnitude(fmt_a.element) * largest_magnitude(fmt_b.element)
    shape, sums = bounds(-largest, largest), {}
    for c, factors in (("all", cell.factors[:-1]), ("n", cell.factors)):
        adder = Reduction(len(outputs), factors, 0, shape, f"{cell.key}_{c}")
        bits = Cat(pipe(output[f"o_{c}"], 4) for output in outputs)
        sums[c] = place(m, library, port(f"{name}_sum", c), adder, i=bits).o
    unsigned = (sums[c].as_unsigned() for c in ("all", "n"))
    rest = subtract(m, library, f"{name}_less_n", *unsigned)
    return {"p": rest.as_signed(), "n": sums["n"]}


def sided_sums(m, library, name, fmt_a, fmt_b, lanes, pipe):
    """The sums of the products' magnitudes by combination of sides."""
    has_lines = "lines" in lanes[0][0].shape().members
    kind = SidedLinePair if has_lines else PairProduct
    cell = kind(fmt_a.element, fmt_b.element)
    outputs = place_products(m, library, name, cell, lanes)
    shape = bounds(0, len(lanes) * cell.largest // 2)
    factors = [1 << i for i in range(cell.largest.bit_length())]
    adder = Reduction(len(outputs), factors, 0, shape, cell.key)
    sums = {}
    for c in combinations(2, 2):
        bits = Cat(pipe(output[f"o_{c}"], 4) for output in outputs)
        sums[c] = place(m, library, f"{name}_sum_{c}", adder, i=bits).o
    return sums

"""Products of two-sided operands: two lanes at a time, one magnitude per combination of sides."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib.wiring import Out

from .decode import largest_magnitude, least_shift
from .heap import Reduction, add, subtract
from .operand import lane_ports
from .product import combinations, multiply, port, select
from .shared import Shared, bounds, place

APART = combinations(2, 2)[1:]  # ++ is what the others leave of the sum of all magnitudes


class PairProduct(Shared):
    """Two lanes of two-sided operands: the magnitudes of their products by combination of sides.

    Function  ``o_all = |x| + |y|``; ``o_c`` is the part of it whose signs select the combination.
              Where both lanes have one combination, ``|x| + |y|`` takes the place of ``|x|``, and
              nothing that of ``|y|``: each tree then has half the bits.
    Formats   Any two elements that :class:`golden.formats.ElementFormat` describes.
    Shapes    ``x_a_*``, ``x_b_*``, ``y_a_*``, ``y_b_*``: as Decode gives them.
    Widths    The sum of two of the largest magnitudes.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    part = "products"

    def __init__(self, a, b):
        self._lane = lane_ports(a, b, ("neg", "sig", "shift"))
        self._least = least_shift(a) + least_shift(b)
        self.largest = 2 * largest_magnitude(a) * largest_magnitude(b)
        self.key = f"{a.name}_{b.name}_sided"
        self.module_name = f"pair_{self.key}"
        ports = {f"{lane}_{name}": port for lane in "xy" for name, port in self._lane.items()}
        width = self.largest.bit_length()
        super().__init__(ports | {f"o_{c}": Out(width) for c in ("all", *APART)})

    def inputs(self, x, y):
        """Port values from two pairs of decoded lanes, ``(a, b)`` each; None is a lane of zero."""
        values = {}
        for lane, pair in (("x", x), ("y", y)):
            for name, member in self._lane.items():
                zero = Const(0, member.shape)
                operand = pair and dict(zip("ab", pair))[name[0]]
                values[f"{lane}_{name}"] = operand[name[2:]] if pair else zero
        return values

    def elaborate(self, platform):
        m = Module()
        magnitudes, signs = [], []
        for lane in "xy":
            fields = {name: getattr(self, f"{lane}_{name}") for name in self._lane}
            shift = sum(value for name, value in fields.items() if name.endswith("shift"))
            ports = (fields["a_sig"], fields["b_sig"])
            magnitude = multiply(m, platform, f"{lane}_significand", *ports) << Value.cast(shift)
            width = (self.largest // 2).bit_length()
            magnitudes.append(magnitude[self._least : self._least + width])
            signs.append([SimpleNamespace(neg=fields[f"{side}_neg"]) for side in "ab"])
        x, y = magnitudes
        width = self.largest.bit_length()
        both = add(m, platform, "both", x, y, width=width)
        m.d.comb += self.o_all.eq(both)
        is_same = ~Cat(p.neg ^ q.neg for p, q in zip(*signs)).any()
        first = Mux(is_same, both, x)
        for c in APART:
            taken, other = (select(c, *pair, 2) for pair in signs)
            second = y & (other & ~is_same).replicate(len(y))
            m.d.comb += getattr(self, f"o_{c}").eq(first & taken.replicate(width) | second)
        return m


def sided_sums(m, library, name, fmt_a, fmt_b, lanes, pipe):
    """The sums of the products' magnitudes by combination of sides."""
    cell = PairProduct(fmt_a.element, fmt_b.element)
    pairs = [(x, y) for x, y in zip(lanes[::2], [*lanes[1::2], None][: len(lanes[::2])])]
    outputs = [
        vars(place(m, library, f"{name}_product{i}", cell, **cell.inputs(x, y)))
        for i, (x, y) in enumerate(pairs)
    ]
    shape = bounds(0, len(lanes) * cell.largest // 2)
    factors = [1 << i for i in range(cell.largest.bit_length())]
    adder = Reduction(len(pairs), factors, 0, shape, cell.key)
    sums = {}
    for c in ("all", *APART):
        bits = Cat(pipe(output[f"o_{c}"], 4) for output in outputs)
        sums[c] = place(m, library, port(f"{name}_sum", c), adder, i=bits).o
    rest = sums.pop("all")
    for c in APART:
        rest = subtract(m, library, f"{name}_less_{c}", rest, sums[c])
    return {combinations(2, 2)[0]: rest} | sums

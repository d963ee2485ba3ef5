"""Signed products of operands of which one is two-sided, as lines and multiples: two lanes at a
time, a product of an AND-OR each."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib.wiring import In, Out

from .heap import Reduction, add
from .lines import (
    MULTIPLES,
    line_widths,
    magnitudes,
    multiple_widths,
    product_width,
    selected,
)
from .product import port
from .shared import Shared, bounds, place


class LinePair(Shared):
    """Two lanes of one format's elements: their products, and those of the negative side.

    Function  ``o_all = x + y``; ``o_n`` is the complement of the part that ``x_n`` and ``y_n``
              take. ``x``, ``y``: magnitudes of products, or their complements where the multiples
              are complements.
    Formats   Floats that :func:`hdl.lines.takes_lines`.
    Shapes    ``x_lines``, ``x_lows``, ``x_fill``, ``x_x1`` ...: as the decoders of ``hdl.lines``
              give them; ``x_fill`` under the sign.
    Widths    The sum of two products.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    part = "products"
    datapath = "pairs: lines choose multiples or their complements; all summed, and one side"

    def __init__(self, element):
        self._element = element
        self.width = product_width(element) + 1
        self.key = f"{element.name}_lines_signed"
        self.module_name = f"pair_{self.key}"
        lane = line_widths(element) | multiple_widths(element)
        lane |= {"fill": product_width(element), "n": 1}
        ports = {f"{name}_{field}": In(width) for name in "xy" for field, width in lane.items()}
        super().__init__(ports | {f"o_{c}": Out(self.width) for c in ("all", "n")})

    def elaborate(self, platform):
        m = Module()
        products = []
        for name in "xy":
            fields = {each: getattr(self, f"{name}_x{each}") for each in MULTIPLES}
            lines, lows, fill = (getattr(self, f"{name}_{f}") for f in ("lines", "lows", "fill"))
            products.append(selected(self._element, lines, lows, fields, fill))
        x, y = products
        both = add(m, platform, "both", x, y, width=self.width)
        m.d.comb += self.o_all.eq(both)
        p, q = self.x_n, self.y_n
        taken = [
            value & each.replicate(len(value))
            for value, each in ((both, p & q), (x, p & ~q), (y, ~p & q))
        ]
        m.d.comb += self.o_n.eq(~(taken[0] | taken[1] | taken[2]))
        return m


def place_pairs(m, library, name, cell, lanes, inputs):
    """The outputs of one ``cell`` for every two lanes, and its ``inputs`` from a lane."""
    results = []
    for i in range(0, len(lanes), 2):
        ports = {}
        first = inputs(*lanes[i])
        zero = {field: Const(0, len(value)) for field, value in first.items()}
        second = inputs(*lanes[i + 1]) if i + 1 < len(lanes) else zero
        for letter, fields in (("x", first), ("y", second)):
            ports |= {f"{letter}_{field}": value for field, value in fields.items()}
        results.append(vars(place(m, library, f"{name}_product{i // 2}", cell, **ports)))
    return results


def mixed_line_sums(m, library, name, fmt_a, fmt_b, lanes, pipe):
    """The signed sums of the products by the side of the operand that has two.

    Products have the sign of the other operand, and the sum of the negative side is negated: a
    complement costs nothing behind an AND-OR.
    """
    element, is_first = fmt_a.element, fmt_a.sides == 2
    cell = LinePair(element)
    lanes = lanes if is_first else [(y, x) for x, y in lanes]

    def inputs(sided, other):
        fill = sided.fill & other.neg.replicate(len(sided.fill))
        multiples = {f"x{each}": other[f"x{each}"] for each in MULTIPLES}
        lines = {"lines": sided.lines, "lows": sided.lows}
        return lines | {"fill": fill, "n": sided.neg} | multiples

    outputs = place_pairs(m, library, name, cell, lanes, inputs)
    signs = [(y.neg, x.neg & y.neg) for x, y in lanes]
    signs += [(Const(0, 1), Const(0, 1))] * (len(lanes) % 2)
    largest = len(lanes) * magnitudes(element)[-1] ** 2
    shape, ones, sums = bounds(-largest, largest), (1 << product_width(element)) - 1, {}
    factors = [1 << i for i in range(cell.width)]
    for c, index, sign, constant in (("all", 0, -ones, 0), ("n", 1, ones, 1 - (1 << cell.width))):
        taken = [each[index] for each in signs]
        adder = Reduction(len(outputs), [*factors, sign, sign], constant, shape, f"{cell.key}_{c}")
        bits = Cat(
            pipe(Cat(output[f"o_{c}"], taken[2 * i : 2 * i + 2]), 4)
            for i, output in enumerate(outputs)
        )
        sums[c] = place(m, library, port(f"{name}_sum", c), adder, i=bits).o
    unsigned = (sums[c].as_unsigned() for c in ("all", "n"))
    rest = add(m, library, f"{name}_less_n", *unsigned, width=shape.width)
    return {"p": rest.as_signed(), "n": sums["n"]}

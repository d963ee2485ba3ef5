"""Product generators for integers: two lanes at a time by sums of one operand, or one by itself."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib.wiring import In, Out

from .decode import integer_shape
from .generators import LaneGenerator, PairGenerator
from .shared import Shared


def selects(a, b):
    """Whether ``a`` is the operand whose bits select: the narrower one."""
    return integer_shape(a).width < integer_shape(b).width


class IntPair(PairGenerator, Shared):
    """Two lanes of two's complement integers: for every bit of the operands that select, one of the
    others, their sum, or nothing, straight into the bit heap.

    Function  ``sum(o[i] * factors[i]) + constant = x * p + y * q``.
    Formats   Two integer elements.
    Shapes    ``x``, ``y``, ``sum``: two's complement integers and their sum; ``only_p``,
              ``only_q``, ``both``: where only ``p``, only ``q``, and both have a 1.
    Widths    ``o``: a bit of the sum's width for each bit that selects; rows and columns of a sign
              enter inverted.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Croisier et al., US patent 3,777,130, 1973 (distributed arithmetic); signs as Baugh
              and Wooley, "A two's complement parallel array multiplication algorithm", 1973.
    """

    is_conjunction = True
    datapath = "two integers at a time: bits of one pair select from the other and its sum"

    def __init__(self, a, b):
        self._is_first = selects(a, b)
        width, rows = (integer_shape(e).width for e in ((b, a) if self._is_first else (a, b)))
        self.key = f"{a.name}_{b.name}"
        self.module_name = f"pair_{self.key}"
        self._places = [(i, j) for j in range(rows) for i in range(width + 1)]
        self._inverted = [(i == width) != (j == rows - 1) for i, j in self._places]
        self.factors = [1 << i + j for i, j in self._places]
        self.constant = -sum(f for f, inverted in zip(self.factors, self._inverted) if inverted)
        super().__init__(
            {name: In(width) for name in "xy"}
            | {"sum": In(width + 1)}
            | {name: In(rows) for name in ("only_p", "only_q", "both")}
            | {"o": Out(len(self.factors))}
        )

    def inputs(self, first, second=None):
        """Port values from two lanes of decoded operands, ``(a, b)`` each, or from one alone."""
        x, p = first[::-1] if self._is_first else first
        values = {"x": x.value.as_unsigned(), "sum": x.sum.as_unsigned()}
        values |= {"only_p": p.only, "both": p.both}
        if second is None:
            return values | {"y": Const(0, len(self.y)), "only_q": Const(0, len(self.only_q))}
        y, q = second[::-1] if self._is_first else second
        return values | {"y": y.value.as_unsigned(), "only_q": q.only}

    def elaborate(self, platform):
        m = Module()
        x, y = (Cat(value, value[-1]) for value in (self.x, self.y))
        bits = []
        for (i, j), inverted in zip(self._places, self._inverted):
            terms = self.both[j] & self.sum[i], self.only_p[j] & x[i], self.only_q[j] & y[i]
            bit = Cat(terms).any()
            bits.append(~bit if inverted else bit)
        m.d.comb += self.o.eq(Cat(bits))
        return m


class IntProduct(LaneGenerator, Shared):
    """One lane of two's complement integers: Baugh-Wooley partial products, straight into the bit
    heap.

    Function  ``sum(o[i] * factors[i]) + constant = a * b``.
    Formats   Two integer elements.
    Shapes    ``a``, ``b``: one two's complement integer each.
    Widths    ``o``: a partial product for each pair of bits; rows of a sign bit enter inverted.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Baugh and Wooley, "A two's complement parallel array multiplication algorithm", 1973.
    """

    is_conjunction = True
    datapath = "partial products: into an inverted bit heap"

    def __init__(self, a, b):
        widths = [integer_shape(element).width for element in (a, b)]
        self.key = f"{a.name}_{b.name}"
        self.module_name = f"product_{self.key}"
        self._pairs = [
            (i, j, (i == widths[0] - 1) != (j == widths[1] - 1))
            for i in range(widths[0])
            for j in range(widths[1])
        ]
        self.factors = [1 << i + j for i, j, _ in self._pairs]
        self.constant = -sum(1 << (i + j) for i, j, inverted in self._pairs if inverted)
        super().__init__({"a": In(widths[0]), "b": In(widths[1]), "o": Out(len(self._pairs))})

    def inputs(self, a, b):
        """Port values from two lanes of integers."""
        return {"a": a.value.as_unsigned(), "b": b.value.as_unsigned()}

    def elaborate(self, platform):
        m = Module()
        bits = [self.a[i] & self.b[j] for i, j, _ in self._pairs]
        m.d.comb += self.o.eq(
            Cat(~bit if inv else bit for bit, (_, _, inv) in zip(bits, self._pairs))
        )
        return m

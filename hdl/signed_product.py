"""Product generator for the smallest significands: a two's complement product, then shifted."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Out

from .decode import largest_magnitude, largest_shift
from .operand import lane_inputs, lane_ports
from .product import multiply
from .shared import Shared


class SignedProduct(Shared):
    """One lane: the exact product of two decoded elements of few bits.

    The product of the significands is negated while it is short; zeros follow it from below. The
    lowest bit of the shift moves it by one place, the others choose one of few windows.

    Function  ``sum(o[i] * factors[i]) = a * b``.
    Formats   Any two elements that :class:`Decode` knows, exponents of at most 2 bits.
    Shapes    ``a_*``, ``b_*``: as Decode gives them.
    Widths    ``o``: two's complement, a sign above the largest product.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    part = "products"
    constant = 0
    is_conjunction = False
    datapath = "signed: significands multiplied, negated, shifted"

    def __init__(self, a, b):
        self._fields = lane_ports(a, b, ("neg", "sig", "shift"))
        self._largest_shift = largest_shift(a) + largest_shift(b)
        width = (largest_magnitude(a) * largest_magnitude(b)).bit_length()
        self.factors = [*(1 << i for i in range(width)), -1 << width]
        self.key = f"{a.name}_{b.name}"
        self.module_name = f"product_{self.key}"
        super().__init__(self._fields | {"o": Out(len(self.factors))})

    def inputs(self, a, b):
        """Port values from two decoded lanes."""
        return lane_inputs(self._fields, a, b)

    def elaborate(self, platform):
        m = Module()

        # Multiply, negate: all bits above the lowest that is 1 change.
        neg = self.a_neg ^ self.b_neg
        product = multiply(m, platform, "significand", self.a_sig, self.b_sig)
        sign = neg & product.any()
        value = Cat(bit ^ (neg & product[:i].any()) for i, bit in enumerate(product))

        # Shift: | sign | value | 0 |.
        shift = sum(getattr(self, name) for name in self._fields if name.endswith("shift"))
        shift = Value.cast(shift)[: self._largest_shift.bit_length()]
        by1 = Signal(len(value) + 1)
        m.d.comb += by1.eq(Mux(shift[:1], Cat(Const(0, 1), value), Cat(value, sign)))
        hot = one_hot(shift[1:], (self._largest_shift >> 1) + 1)
        bits = []
        for k in range(len(self.factors) - 1):
            reaching = [(h, k - 2 * j) for j, h in enumerate(hot) if k >= 2 * j]
            bits.append(Cat(h & (by1[i] if i < len(by1) else sign) for h, i in reaching).any())
        m.d.comb += self.o.eq(Cat(*bits, sign))
        return m


def one_hot(code, count):
    """Whether ``code``, which is below ``count``, is 0, is 1, and so on, by as few bits as tell."""
    result = []
    for j in range(count):
        # A bit that is 0 tells nothing where no code has it.
        bits = [i for i in range(len(code)) if j >> i & 1 or j | 1 << i < count]
        result.append(Cat(code[i] if j >> i & 1 else ~code[i] for i in bits).all())
    return result

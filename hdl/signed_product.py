"""Product generator for significands of two bits: negated while short, then shifted."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Out

from .decode import largest_magnitude, largest_shift, significand_width
from .generators import LaneGenerator
from .lane import lane_ports
from .shared import Shared


class SignedProduct(LaneGenerator, Shared):
    """One lane: the exact product of two decoded elements whose significands have two bits.

    The product of the significands is made in two's complement. The lowest bit of the shift moves
    it by one place, the others choose one of a few windows, with zeros below and the sign above.

    Function  ``sum(o[i] * factors[i]) = a * b``.
    Formats   Any two elements of :attr:`WIDTH` bits of significand that :class:`Decode` knows, and
              whose exponents have at most two bits.
    Shapes    ``a_*``, ``b_*``: as Decode gives them.
    Widths    ``o``: the magnitude of the largest product, and a sign.
    Timing    Combinational.
    Errors    None beyond those of the shapes.
    Source    Golden: ``golden.arith.dot``.
    """

    WIDTH = 2
    datapath = "signed: significands multiplied and negated, shifted"

    def __init__(self, a, b):
        self._fields = lane_ports(a, b, ("neg", "sig", "shift"))
        self._largest_shift = largest_shift(a) + largest_shift(b)
        width = (largest_magnitude(a) * largest_magnitude(b)).bit_length()
        self.factors = [*(1 << i for i in range(width)), -1 << width]
        self.key = f"{a.name}_{b.name}"
        self.module_name = f"product_{self.key}"
        super().__init__(self._fields | {"o": Out(len(self.factors))})

    @classmethod
    def suits(cls, *elements):
        """Whether this generator knows such elements."""
        return all(significand_width(element) == cls.WIDTH for element in elements)

    def elaborate(self, platform):
        m = Module()

        # Multiply, negate: of a negative product, the bits above the lowest 1 are complemented.
        neg = self.a_neg ^ self.b_neg
        ones, fours = self.a_sig[0] & self.b_sig[0], self.a_sig[1] & self.b_sig[1]
        twos = [self.a_sig[1] & self.b_sig[0], self.a_sig[0] & self.b_sig[1]]
        above1, above2 = neg & ones, neg & Cat(ones, *twos).any()
        sign = neg & Cat(ones, *twos, fours).any()
        value = Cat(
            ones, twos[0] ^ twos[1] ^ above1, (fours & ~ones) ^ above2, (fours & ones) ^ sign
        )

        # Shift inside a window; the last has no odd shift where the largest of all is even.
        shift = sum(getattr(self, name) for name in self._fields if name.endswith("shift"))
        shift = Value.cast(shift)[: self._largest_shift.bit_length()]
        by1 = Signal(len(value) + 1)
        m.d.comb += by1.eq(Mux(shift[:1], Cat(Const(0, 1), value), Cat(value, sign)))
        hot = one_hot(shift[1:], (self._largest_shift >> 1) + 1)
        windows = [by1 if 2 * j < self._largest_shift else value for j in range(len(hot))]

        # Choose the window: the sign goes above it.
        for k in range(len(self.factors) - 1):
            inside, is_below = [], []
            for j, window in enumerate(windows):
                if 2 * j <= k < 2 * j + len(window):
                    inside.append(hot[j] & window[k - 2 * j])
                if k < 2 * j + len(window):
                    is_below.append(hot[j])
            if len(is_below) < len(hot):
                inside.append(sign & ~Cat(is_below).any())
            m.d.comb += self.o[k].eq(Cat(inside).any())
        m.d.comb += self.o[-1].eq(sign)
        return m


def one_hot(code, count):
    """Whether ``code``, which is below ``count``, is 0, is 1, and so on, by as few bits as tell."""
    result = []
    for j in range(count):
        # A bit that is 0 tells nothing where no code has it beside the ones of this code.
        bits = [i for i in range(len(code)) if j >> i & 1 or j | 1 << i < count]
        result.append(Cat(code[i] if j >> i & 1 else ~code[i] for i in bits).all())
    return result

"""One fused aligned sum: addends and a binary32 start aligned, truncated, added, rounded once."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const

from .addends import GroupAddends, choose
from .align import AlignMagnitude, maximum
from .heap import BitHeap, add, subtract
from .lanes import lane_flags
from .product import select
from .product_addends import ProductAddends
from .rounding import SIGNIFICAND_WIDTH, RoundBinary32
from .shared import bounds, place

BINARY32_MIN_EXPONENT = -126


class FusedSum:
    """Builds fused aligned sums of ``k`` products inside a module.

    ``rule``: a :class:`golden.fused.Accumulator`. ``size``: products to an addend, 1 or a group's.
    """

    def __init__(self, fmt_a, fmt_b, k, rule, size):
        self._a, self._b, self._k, self._rule = fmt_a, fmt_b, k, rule
        if size == 1:
            self._addends = ProductAddends(fmt_a, fmt_b, k)
        else:
            self._addends = GroupAddends(fmt_a, fmt_b, k, size)
        # A key is a biased exponent, at least 1; key 0 marks an addend that does not count.
        exponents = [self._addends.smallest_exponent, BINARY32_MIN_EXPONENT]
        if rule.zero_exponent is not None:
            exponents.append(rule.zero_exponent)
        self._bias = 1 - min(exponents)

    def prepare(self, m, library, a, b, pipe, prefix=""):
        """All that does not depend on the start: products, sums, keys, NaN and Inf."""
        addends = self._addends.build(m, library, a, b, self._bias, pipe, prefix)
        flags = [pipe(flag, 4, 3, 1) for flag in specials(self._addends, a, b)]
        return SimpleNamespace(addends=addends, specials=flags, prefix=prefix)

    def finish(self, m, library, prepared, c):
        """The binary32 sum of what was prepared and ``c``."""
        rule, addends, prefix = self._rule, self._addends, prepared.prefix
        field, fraction, normal = c[23:31], c[:23], c[23:31].any()

        # Compare exponents.
        offset = BINARY32_MIN_EXPONENT - 1 + self._bias
        width = bounds(0, BINARY32_MIN_EXPONENT + 254 + self._bias).width
        own = Cat(field[0] | ~normal, field[1:])
        c_key = add(m, library, f"{prefix}c_key", own, Const(0, 0), offset, width)
        keys = [(c[:31].any(), c_key), *prepared.addends.keys]
        masked = [own & nonzero.replicate(len(own)) for nonzero, own in keys]
        if rule.zero_exponent is not None:
            any_zero = ~(c[:31].any() & prepared.addends.all_nonzero)
            zero_key = Const(rule.zero_exponent + self._bias)
            masked.append(zero_key & any_zero.replicate(len(zero_key)))
        key = maximum(m, f"{prefix}key", masked)

        # Align and add.
        room = rule.fraction_bits - (SIGNIFICAND_WIDTH - 1)
        addend_room = rule.fraction_bits - addends.fraction_width
        largest = addends.count * shifted(addends.largest, addend_room)
        largest += shifted((1 << SIGNIFICAND_WIDTH) - 1, room)
        heap = BitHeap(bounds(-largest, largest).width)
        distance = subtract(m, library, f"{prefix}c_distance", key, c_key)
        cell = AlignMagnitude(SIGNIFICAND_WIDTH, room, len(key))
        mag = Cat(fraction, normal)
        aligned = place(m, library, f"{prefix}align_c", cell, mag=mag, distance=distance).o
        heap.add_sign_magnitude(c[31], aligned)
        addends.enter(m, library, heap, prepared.addends, key, addend_room, prefix)
        total = heap.total(m, library, f"{prefix}sum")

        # Round, unless NaN or Inf decides.
        nan, pos_inf, neg_inf = prepared.specials
        special = field.all()
        nan = nan | (special & fraction.any())
        pos_inf = pos_inf | (special & ~c[31])
        neg_inf = neg_inf | (special & c[31])
        flags = {
            "is_nan": nan | (pos_inf & neg_inf),
            "is_inf": pos_inf | neg_inf,
            "inf_sign": neg_inf,
        }
        rounder = RoundBinary32(
            len(total),
            len(key),
            rule.fraction_bits + self._bias,
            least=1,
            truncate=rule.truncate,
            fraction_width=rule.output_fraction,
            nan=rule.nan,
        )
        return place(m, library, f"{prefix}round", rounder, total=total, key=key, **flags).o


def specials(addends, a, b):
    """NaN, +Inf and -Inf of a step's operands."""
    nan = Cat(x.nan for x in (a, b) if hasattr(x, "nan")).any()
    flags = []
    for i, (x, y) in enumerate(zip(a.lanes, b.lanes)):
        row = _scale_nonzeros(addends, a, b, i // addends.size)
        nonzero = 1
        if row:
            nonzero = choose({c: select(c, x, y, addends.a.sides) for c in row}, row)
        flag = lane_flags(x, y, nonzero)
        if flag:
            flags.append((*flag, x.neg ^ y.neg))
    if not flags:
        return nan, Const(0, 1), Const(0, 1)
    nan = nan | Cat(flag[0] for flag in flags).any()
    pos_inf, neg_inf = (
        Cat(inf & (neg if negative else ~neg) for _, inf, neg in flags).any()
        for negative in (False, True)
    )
    return nan, pos_inf, neg_inf


def _scale_nonzeros(addends, a, b, group):
    """By combination, whether a group's scales are not zero; nothing where they never are."""
    row = {}
    for c in addends.combinations if addends.scale.has_significand else ():
        scales = addends.operand_scales(a, b, group, c).values()
        significands = [s.sig.any() for s in scales if "sig" in s.shape().members]
        row[c] = Cat(significands).all()
    return row


def shifted(value, room):
    """``value * 2**room`` rounded up."""
    return value << room if room >= 0 else -(-value >> -room)

"""One fused aligned sum: addends and a binary32 start aligned, truncated, added, rounded once."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Mux

from .addends import GroupAddends, choose
from .align import AlignMagnitude, AlignSigned, maximum
from .heap import BitHeap, add, subtract
from .lanes import lane_flags
from .product import select
from .product_addends import ProductAddends
from .rounding import BIAS, SIGNIFICAND_WIDTH, RoundBinary32
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
        # One group and the start: two addends need no search for the largest exponent.
        self._is_pair = (
            size > 1
            and self._addends.count == 1
            and rule.zero_exponent is None
            and not rule.truncate
            and rule.fraction_bits >= SIGNIFICAND_WIDTH
        )
        # A key is a biased exponent, at least 1; key 0 marks an addend that does not count.
        exponents = [self._addends.smallest_exponent, BINARY32_MIN_EXPONENT]
        if rule.zero_exponent is not None:
            exponents.append(rule.zero_exponent)
        self._bias = -self._addends.offset if self._is_pair else 1 - min(exponents)
        # Where no start of zero hides an addend, zeros need no key of 0, and the bias is free.
        self._masks_start = rule.zero_exponent is not None or min(exponents) < exponents[1]

    @property
    def alignment(self):
        """How the largest exponent is found, as NAME.json tells it."""
        return "one difference" if self._is_pair else "a tree of comparisons"

    def prepare(self, m, library, a, b, pipe, prefix=""):
        """All that does not depend on the start: products, sums, keys, NaN and Inf."""
        addends = self._addends.build(m, library, a, b, self._bias, pipe, prefix)
        flags = [pipe(flag, 4, 3, 1) for flag in specials(self._addends, a, b)]
        return SimpleNamespace(addends=addends, specials=flags, prefix=prefix)

    def finish(self, m, library, prepared, c):
        """The binary32 sum of what was prepared and ``c``."""
        rule, addends, prefix = self._rule, self._addends, prepared.prefix
        start = SimpleNamespace(
            neg=c[31],
            magnitude=Cat(c[:23], c[23:31].any()),
            field=Cat(c[23] | ~c[23:31].any(), c[24:31]),
            nonzero=c[:31].any(),
        )

        # Align and add.
        room = rule.fraction_bits - (SIGNIFICAND_WIDTH - 1)
        addend_room = rule.fraction_bits - addends.fraction_width
        largest = addends.count * shifted(addends.largest, addend_room)
        largest += shifted((1 << SIGNIFICAND_WIDTH) - 1, room)
        heap = BitHeap(bounds(-largest, largest).width)
        enter = self._enter_pair if self._is_pair else self._enter_all
        key, bias, distance, below = enter(m, library, heap, prepared, start, addend_room)
        cell = AlignMagnitude(SIGNIFICAND_WIDTH, room, len(distance))
        ports = {"mag": start.magnitude, "distance": distance}
        aligned = place(m, library, f"{prefix}align_c", cell, **ports).o
        heap.add_sign_magnitude(start.neg, aligned)
        total = heap.total(m, library, f"{prefix}sum")

        # Round, unless NaN or Inf decides.
        nan, pos_inf, neg_inf = prepared.specials
        special, fraction = c[23:31].all(), c[:23].any()
        pos_inf = pos_inf | (special & ~c[31])
        neg_inf = neg_inf | (special & c[31])
        flags = {
            "is_nan": nan | (special & fraction) | (pos_inf & neg_inf),
            "is_inf": pos_inf | neg_inf,
            "inf_sign": neg_inf,
        }
        rounder = RoundBinary32(
            len(total),
            len(key),
            rule.fraction_bits + bias,
            least=1,
            truncate=rule.truncate,
            fraction_width=rule.output_fraction,
            nan=rule.nan,
            has_below=bool(below),
        )
        ports = {"total": total, "key": key} | flags | below
        return place(m, library, f"{prefix}round", rounder, **ports).o

    def _enter_all(self, m, library, heap, prepared, start, room):
        """Align every addend to the largest exponent of all."""
        rule, prefix, bias = self._rule, prepared.prefix, self._bias
        offset = BINARY32_MIN_EXPONENT - 1 + bias
        width = bounds(0, 254 + offset).width
        own = add(m, library, f"{prefix}c_key", start.field, Const(0, 0), offset, width)
        counts = start.nonzero if self._masks_start else Const(1, 1)
        keys = [(counts, own), *prepared.addends.keys]
        masked = [each & nonzero.replicate(len(each)) for nonzero, each in keys]
        if rule.zero_exponent is not None:
            any_zero = ~(start.nonzero & prepared.addends.all_nonzero)
            zero_key = Const(rule.zero_exponent + bias)
            masked.append(zero_key & any_zero.replicate(len(zero_key)))
        key = maximum(m, f"{prefix}key", masked)
        self._addends.enter(m, library, heap, prepared.addends, key, bias, room, prefix)
        return key, bias, subtract(m, library, f"{prefix}c_distance", key, own), {}

    def _enter_pair(self, m, library, heap, prepared, start, room):
        """Align the one group, or the start, by the difference of their exponents.

        A start of zero counts with its exponent, the smallest of binary32: what alignment then cuts
        off a smaller group lies below every guard bit, and is left to rounding.
        """
        prefix = prepared.prefix
        (group,), ((nonzero, _),) = prepared.addends.values, prepared.addends.keys
        name, value, own = group.name, group.value, group.field
        # The start's exponent less the group's, less 1.
        offset = BINARY32_MIN_EXPONENT - 1 + self._bias - 1
        heap_gap = BitHeap(bounds(offset - (1 << len(own)) + 1, offset + 255).width)
        heap_gap.add_unsigned(start.field)
        heap_gap.add_unsigned(~own)
        heap_gap.add_constant(offset + 1 - (1 << len(own)))
        gap = heap_gap.total(m, library, f"{prefix}gap")
        is_above = gap[-1] & nonzero
        # ~gap is what the group's exponent lies above; gap + 1 what it lies below.
        above = ~gap[:-1] & is_above.replicate(len(gap) - 1)
        below = gap[:-1] & ~is_above.replicate(len(gap) - 1)
        half = Mux(is_above, Cat(Const(0, 1), value), Cat(value, value[-1]))
        cell = AlignSigned(len(half), room - 1, len(below))
        out = place(m, library, f"{name}_align", cell, value=half.as_signed(), distance=below)
        heap.add_signed(out.o)
        heap.add_bit(out.up, 0)
        largest = max(254, self._addends.scale.largest_field - self._bias + BIAS)
        key = add(m, library, f"{prefix}key", start.field, above, width=largest.bit_length())
        lost = out.lost & ~start.nonzero
        return key, BIAS, above, {"below": lost, "below_neg": lost & value[-1]}


def specials(addends, a, b):
    """NaN, +Inf and -Inf of a step's operands."""
    nan = Cat(x.nan for x in (a, b) if hasattr(x, "nan")).any()
    flags = []
    for i, (x, y) in enumerate(zip(a.lanes, b.lanes)):
        row = _scale_nonzeros(addends, a, b, i // addends.size)
        scales_nonzero = Const(1, 1)
        if row:
            scales_nonzero = choose({c: select(c, x, y, addends.a.sides) for c in row}, row)
        flag = lane_flags(x, y, scales_nonzero)
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

"""The addends of one fused aligned sum: group sums, or single products, with their exponents as
keys.

A key is a biased exponent, at least 1; key 0 marks an addend that is zero.
"""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Mux

from .align import AlignMagnitude, AlignSigned
from .decode import largest_magnitude
from .heap import add
from .lanes import group_sums, sum_shape
from .product import combinations
from .scale import ScalePair
from .scaled import Scaled
from .shared import bounds, place


class Addends:
    """What group sums and products share: group geometry, scale products, exponents."""

    multiplies_scales = True  # whether the significands of two scales meet before the elements'

    def __init__(self, fmt_a, fmt_b, k, size=None):
        """``size``: elements to a group, by default those of the smaller block."""
        self.a, self.b, self.k = fmt_a, fmt_b, k
        blocks = [f.block_size for f in (fmt_a, fmt_b) if f.has_block_scale]
        self.size = size or min(blocks, default=k)
        self.combinations = combinations(fmt_a.sides, fmt_b.sides)
        scales = (f.scale if f.has_block_scale else None for f in (fmt_a, fmt_b))
        self.scale = ScalePair(*scales, multiplies=self.multiplies_scales)

    @property
    def smallest_exponent(self):
        """Exponent of the smallest addend that is not zero."""
        return self.offset + self.scale.smallest_field

    def pairs(self, m, library, a, b, prefix):
        """Scale products by group and combination; each has ``field`` and, if it is not a power of
        two, ``sig``."""
        result = []
        for group in range(self.k // self.size):
            row = {}
            for c in self.combinations:
                operands = self.operand_scales(a, b, group, c)
                name = f"{prefix}scale{group}{c}"
                row[c] = (
                    place(m, library, name, self.scale, **operands)
                    if operands
                    else SimpleNamespace(field=Const(0, 1))
                )
            result.append(row)
        return result

    def operand_scales(self, a, b, group, c):
        """The decoded scales that a group's combination uses, by operand."""
        scales = {}
        for name, fmt, operand, side in (("a", self.a, a, c[:1]), ("b", self.b, b, c[-1:])):
            if fmt.has_block_scale:
                block = group * self.size // fmt.block_size
                scales[name] = operand.scales[block * fmt.sides + (fmt.sides == 2 and side == "n")]
        return scales

    def base_key(self, m, library, name, field, bias):
        """Key of an addend of shift 0."""
        least = self.offset + bias
        width = bounds(0, self.scale.largest_field + least).width
        return add(m, library, name, field, Const(0, 0), least, width)


class GroupAddends(Addends):
    """One addend a group and combination: the exact sum of its products times the scales'
    significands."""

    multiplies_scales = False

    def __init__(self, fmt_a, fmt_b, k, size=None):
        super().__init__(fmt_a, fmt_b, k, size)
        self.offset = -self.scale.bias
        self.fraction_width = (
            self.scale.fraction_width - fmt_a.element.ulp_exponent - fmt_b.element.ulp_exponent
        )
        self.count = k // self.size * len(self.combinations)
        self.largest_sum = self.size
        self.largest_sum *= largest_magnitude(fmt_a.element) * largest_magnitude(fmt_b.element)
        self.largest = self.largest_sum * self.scale.largest_significand

    def build(self, m, library, a, b, bias, pipe, prefix):
        """Place the generators; return pairs of nonzero flag and key, one for two addends whose
        scales differ in one side only, whether no addend at all is zero, and what :meth:`enter`
        and :meth:`placed` need."""
        shape = sum_shape(self.a, self.b, self.size)
        values, keys, nonzeros = [], [], []
        for group, row in enumerate(self.pairs(m, library, a, b, prefix)):
            lanes = slice(group * self.size, (group + 1) * self.size)
            operands = (x.lanes[lanes] for x in (a, b))
            sums = group_sums(m, library, f"{prefix}group{group}", self.a, self.b, *operands, pipe)
            told = []
            for c, (total, nonzero, _) in sums.items():
                name, pair = f"{prefix}group{group}{c}", row[c]
                total, nonzero = pipe(total, 3), pipe(nonzero, 3)
                field = pipe(pair.field, 4, 3)
                if self.scale.has_significand:
                    scales = self.operand_scales(a, b, group, c).values()
                    sigs = [pipe(s.sig, 4, 3) for s in scales if "sig" in s.shape().members]
                    nonzero = nonzero & pipe(pair.nonzero, 4, 3)
                    cell = Scaled(shape, self.largest_sum, [len(sig) for sig in sigs])
                    ports = {"value": total} | {f"sig{i}": sig for i, sig in enumerate(sigs)}
                    total = place(m, library, f"{name}_scaled", cell, **ports).o
                total, nonzero, field = pipe(total, 1), pipe(nonzero, 1), pipe(field, 1)
                values.append(SimpleNamespace(name=name, combination=c, value=total, field=field))
                told.append((nonzero, field))
            nonzeros += [nonzero for nonzero, _ in told]
            above = self._above(a, b, group)
            if above is not None:
                # Combinations are in an order in which this operand's side alternates.
                above = pipe(above, 4, 3, 1)
                told = [_larger(*pair, above) for pair in zip(told[::2], told[1::2])]
            for i, (nonzero, field) in enumerate(told):
                name = f"{prefix}group{group}_key{i}"
                keys.append((nonzero, self.base_key(m, library, name, field, bias)))
        return SimpleNamespace(keys=keys, all_nonzero=Cat(nonzeros).all(), values=values)

    def _above(self, a, b, group):
        """Whether the negative side's scale has the larger exponent, of the operand whose sides
        alternate; None if none has two."""
        for fmt, operand in ((self.b, b), (self.a, a)):
            if fmt.sides == 2 and fmt.has_block_scale:
                return operand.above[group * self.size // fmt.block_size]
        return None

    def placed(self, m, library, built, bias):
        """Every addend as ``(name, magnitude, neg, key)``."""
        fields = []
        for each in built.values:
            neg, value = Const(each.combination in ("pn", "np"), 1), each.value
            if value.shape().signed:
                neg = value[-1]
                value = Mux(neg, -value, value)[: len(value)]
            key = self.base_key(m, library, f"{each.name}_key", each.field, bias)
            fields.append((f"{each.name}_fixed", value, neg, key))
        return fields

    def enter(self, m, library, heap, built, key, bias, room, prefix):
        """Align every addend to ``key`` and put it into ``heap``."""
        for each in built.values:
            name, c, value = each.name, each.combination, each.value
            less = 1 - (1 << len(each.field)) - self.offset - bias
            distance = add(m, library, f"{name}_distance", key, ~each.field, less, len(key))
            if value.shape().signed:
                cell = AlignSigned(len(value), room, len(key))
                out = place(m, library, f"{name}_align", cell, value=value, distance=distance)
                heap.add_signed(out.o)
                heap.add_bit(out.up, 0)
            else:
                cell = AlignMagnitude(len(value), room, len(key))
                out = place(m, library, f"{name}_align", cell, mag=value, distance=distance)
                heap.add_sign_magnitude(Const(c in ("pn", "np"), 1), out.o)


def _larger(first, second, is_second):
    """Of two addends, as pairs of nonzero flag and exponent field, the one that has a say in the
    largest exponent; ``is_second``: the second has the larger field."""
    (nonzero0, field0), (nonzero1, field1) = first, second
    return nonzero0 | nonzero1, Mux(nonzero1 & (is_second | ~nonzero0), field1, field0)


def choose(taken, values):
    """The value of the combination that is taken; combinations exclude each other."""
    if len(values) == 1:
        return next(iter(values.values()))
    result = Const(0, 1)
    for c, value in values.items():
        result = result | (value & taken[c].replicate(len(value)))
    return result

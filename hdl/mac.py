"""Multiply-accumulate unit: K products and a binary32 accumulator in one fused aligned sum."""

from math import gcd

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from golden.formats import FloatFormat

from .addends import AlignMagnitude, AlignSigned, LaneProduct, enter, maximum, saturated
from .decode import (
    fraction_width,
    largest_magnitude,
    largest_shift,
    significand_width,
    smallest_exponent,
)
from .dot import name_of_pair
from .heap import BitHeap
from .lanes import decode_operands, group_sums, lane_flags, needs_decoding, sum_shape
from .library import Shared, bounds, exact, place
from .product import combinations, select
from .rounding import INFINITY, NAN, SIGNIFICAND_WIDTH, RoundBinary32
from .scale import ScalePair

GROUP_FRACTION_BITS = 35
PRODUCT_FRACTION_BITS = 25
BINARY32_MIN_EXPONENT = -126


def sums_groups(fmt_a, fmt_b):
    """Whether the addends are exact group sums; a float of 8 or more bits makes them single products."""
    return not any(isinstance(f.element, FloatFormat) and f.element.width > 6 for f in (fmt_a, fmt_b))


class Mac(Shared):
    """Dot product, block scales and binary32 accumulator.

    Function  ``acc = round(trunc(c or acc) + sum(trunc(addend)))``: addends are aligned to the largest exponent,
              truncated to ``fraction_bits`` below it, summed exactly, and rounded once.
    Formats   Pairs of BlockFormats with float or integer elements and block scales of 8 bits.
    Shapes    ``i_*_elems``: ``k`` codes; ``i_*_scales``: a byte a block and side, the positive side first;
              ``i_c``: binary32, taken for the accumulator with ``i_first``. All from the low bits up.
    Widths    ``o_d``: binary32. The aligned sum holds every carry.
    Timing    Latency 1, one step a cycle while ``en``; ``o_valid`` follows a step with ``i_last``.
    Errors    TypeError for elements without a decoder.
    Source    NUMERICS, section 4. Golden: ``golden.arith.mac_step``.
    """

    latency = 1

    def __init__(self, fmt_a, fmt_b, k, fraction_bits=None):
        self._a, self._b, self._k = fmt_a, fmt_b, k
        self._groups = sums_groups(fmt_a, fmt_b)
        default = GROUP_FRACTION_BITS if self._groups else PRODUCT_FRACTION_BITS
        self.fraction_bits = default if fraction_bits is None else fraction_bits
        self.module_name = f"mac_{name_of_pair(fmt_a, fmt_b)}_k{k}_core"
        self._scale = ScalePair(fmt_a.scale, fmt_b.scale)
        # Exponents of groups: those of the scales, and with product addends those of the smallest elements.
        self._offset = -self._scale.bias
        if not self._groups:
            self._offset += smallest_exponent(fmt_a.element) + smallest_exponent(fmt_b.element)
        # A key is a biased exponent, at least 1; key 0 marks a zero addend.
        self._bias = 1 - min(self._offset + self._scale.smallest_field, BINARY32_MIN_EXPONENT)
        super().__init__(
            {
                "en": In(1),
                "i_valid": In(1),
                "i_first": In(1),
                "i_last": In(1),
                "i_c": In(32),
                **{
                    f"i_{name}_{field}": In(width)
                    for name, fmt in (("a", fmt_a), ("b", fmt_b))
                    for field, width in (
                        ("elems", k * fmt.element.width),
                        ("scales", k // fmt.block_size * fmt.sides * fmt.scale.width),
                    )
                },
                "o_valid": Out(1),
                "o_d": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fmt_a, fmt_b = self._a, self._b
        acc = Signal(32)

        # Decode.
        raw = not needs_decoding(fmt_a, fmt_b)
        a = decode_operands(m, platform, "a", fmt_a.element, self.i_a_elems, raw)
        b = decode_operands(m, platform, "b", fmt_b.element, self.i_b_elems, raw)
        scales = self._scale_pairs(m, platform)
        c = Signal(32)
        m.d.comb += c.eq(Mux(self.i_first, self.i_c, acc))

        # Multiply, and within groups reduce; exponents become keys.
        addends = self._group_addends if self._groups else self._product_addends
        keys, largest, enter_all = addends(m, platform, a, b, scales)
        c_field, c_fraction = c[23:31], c[:23]
        c_nonzero, c_normal = c[:31].any(), c_field.any()
        c_key = Signal(bounds(0, BINARY32_MIN_EXPONENT + 254 + self._bias))
        m.d.comb += c_key.eq(((c_field | ~c_normal) + (BINARY32_MIN_EXPONENT - 1 + self._bias))[: len(c_key)])
        key = maximum(m, "key", [Mux(c_nonzero, c_key, 0)] + keys)

        # Align and add.
        room = self.fraction_bits - (SIGNIFICAND_WIDTH - 1)
        largest += ((1 << SIGNIFICAND_WIDTH) - 1) << max(room, 0)
        heap = BitHeap(bounds(-largest, largest).width)
        cell = AlignMagnitude(SIGNIFICAND_WIDTH, room, len(key))
        distance = (key - c_key)[: len(key)]
        enter(m, platform, heap, "align_c", cell, neg=c[31], mag=Cat(c_fraction, c_normal), distance=distance)
        enter_all(heap, key)
        total = heap.total(m, platform, "sum")

        # Round, unless NaN or Inf decides.
        rounder = RoundBinary32(len(total), len(key), self.fraction_bits + self._bias)
        rounded = place(m, platform, "round", rounder, total=total, key=key).o
        nan, pos_inf, neg_inf = self._specials(a, b, scales)
        c_special = c_field.all()
        nan |= c_special & c_fraction.any()
        pos_inf |= c_special & ~c[31]
        neg_inf |= c_special & c[31]
        special = Mux(nan | (pos_inf & neg_inf), NAN, Cat(Const(INFINITY, 31), neg_inf))
        with m.If(self.en):
            m.d.sync += self.o_valid.eq(self.i_valid & self.i_last)
            with m.If(self.i_valid):
                m.d.sync += acc.eq(Mux(nan | pos_inf | neg_inf, special, rounded))
        m.d.comb += self.o_d.eq(acc)
        return m

    @property
    def _group_size(self):
        return gcd(self._a.block_size, self._b.block_size)

    def _scale_pairs(self, m, platform):
        """The scale product of every group and combination: ``[{combination: outputs}]``."""
        pairs = []
        for group in range(self._k // self._group_size):
            pair = {}
            for c in combinations(self._a.sides, self._b.sides):
                codes = {}
                for name, fmt, side in (("a", self._a, c[:1]), ("b", self._b, c[-1:])):
                    block = group * self._group_size // fmt.block_size
                    byte = block * fmt.sides + (fmt.sides == 2 and side == "n")
                    codes[name] = getattr(self, f"i_{name}_scales").word_select(byte, 8)
                pair[c] = place(m, platform, f"scale{group}{c}", self._scale, **codes)
            pairs.append(pair)
        return pairs

    def _group_key(self, m, name, pair):
        """Biased exponent of a group's addends of shift 0."""
        least = self._offset + self._bias
        key = Signal(bounds(0, self._scale.largest_field + least), name=name)
        m.d.comb += key.eq((pair.field + least)[: len(key)])
        return key

    def _group_addends(self, m, platform, a, b, scales):
        """One addend a group and combination: the exact sum times the scales' significands."""
        fmt_a, fmt_b, size = self._a, self._b, self._group_size
        fraction = -fmt_a.element.ulp_exponent - fmt_b.element.ulp_exponent + self._scale.fraction_width
        room = self.fraction_bits - fraction
        shape = sum_shape(fmt_a, fmt_b, size)
        most = size * largest_magnitude(fmt_a.element) * largest_magnitude(fmt_b.element)
        most *= self._scale.largest_significand
        values, keys = [], []
        for group, pair in enumerate(scales):
            lanes = slice(group * size, (group + 1) * size)
            sums = group_sums(m, platform, f"group{group}", fmt_a, fmt_b, a[lanes], b[lanes])
            for c, (total, nonzero) in sums.items():
                name = f"group{group}{c}"
                value = total.as_signed() if shape.signed else total
                if self._scale.has_significand:
                    value = place(m, platform, f"{name}_scaled", Scaled(shape, pair[c].sig.shape(), most), value=total, sig=pair[c].sig).o
                    nonzero = nonzero & pair[c].nonzero
                key = self._group_key(m, f"{name}_key", pair[c])
                values.append((name, c, value, key))
                keys.append(Mux(nonzero, key, 0))

        def enter_all(heap, largest_key):
            for name, c, value, key in values:
                distance = (largest_key - key)[: len(largest_key)]
                if shape.signed:
                    cell, inputs = AlignSigned, {"value": value}
                else:
                    cell, inputs = AlignMagnitude, {"mag": value, "neg": Const(c in ("pn", "np"), 1)}
                cell = cell(len(value), room, len(distance))
                enter(m, platform, heap, f"{name}_align", cell, distance=distance, **inputs)

        return keys, len(values) * (most << max(room, 0)), enter_all

    def _product_addends(self, m, platform, a, b, scales):
        """One addend a lane: significand product times the scales' significands, with its own shift."""
        fmt_a, fmt_b, size = self._a, self._b, self._group_size
        elements = {"a": fmt_a.element, "b": fmt_b.element}
        widths = {f"{name}_sig": significand_width(e) for name, e in elements.items()}
        widths |= {f"{n}_shift": largest_shift(e).bit_length() for n, e in elements.items() if largest_shift(e)}
        cell = LaneProduct(fmt_a.element, fmt_b.element, widths)
        lanes, keys = [], []
        for group, pair in enumerate(scales):
            base = {c: self._group_key(m, f"group{group}{c}_key", pair[c]) for c in pair}
            lane_keys = {c: [] for c in pair}
            for i in range(group * size, (group + 1) * size):
                x, y = a[i], b[i]
                fields = {
                    f"{name}_{field}": getattr(operand, field)
                    for name, operand in (("a", x), ("b", y))
                    for field in ("neg", "nonzero", "sig", "shift")
                    if hasattr(operand, field)
                }
                out = place(m, platform, f"lane{i}", cell, **fields)
                taken = {c: select(c, x.neg, y.neg, fmt_a.sides) if c else Const(1, 1) for c in pair}
                mag = out.mag
                if self._scale.has_significand:
                    sig = Cat(choose(taken, {c: pair[c].sig for c in pair}))
                    mag = Signal(len(out.mag) + len(sig), name=f"lane{i}_scaled")
                    m.d.comb += exact(mag, out.mag * sig)
                for c in pair:
                    lane_keys[c].append(out.key & taken[c].replicate(len(out.key)))
                lanes.append((i, out, mag, taken, base))
            for c in pair:
                most = maximum(m, f"group{group}{c}_shift", lane_keys[c])
                nonzero = most.any() & (pair[c].nonzero if self._scale.has_significand else 1)
                keys.append(Mux(nonzero, base[c] + most - 1, 0)[: len(base[c]) + 1])
        fraction = fraction_width(fmt_a.element) + fraction_width(fmt_b.element) + self._scale.fraction_width
        room = self.fraction_bits - fraction
        most = ((1 << len(lanes[0][2])) - 1) << max(room, 0)

        def enter_all(heap, largest_key):
            reach = len(lanes[0][2]) + room + largest_shift(fmt_a.element) + largest_shift(fmt_b.element)
            width = min(len(largest_key), reach.bit_length())
            gaps = {}
            for i, out, mag, taken, base in lanes:
                group = i // size
                if group not in gaps:
                    gaps[group] = {}
                    for c, key in base.items():
                        gap = (largest_key - key)[: len(largest_key)]
                        gaps[group][c] = saturated(m, f"group{group}{c}_gap", gap, width)
                gap = choose(taken, gaps[group])
                distance = Signal(width, name=f"lane{i}_distance")
                m.d.comb += distance.eq((gap - out.shift)[:width])
                cell = AlignMagnitude(len(mag), room, width)
                enter(m, platform, heap, f"lane{i}_align", cell, neg=out.neg, mag=mag, distance=distance)

        return keys, len(lanes) * most, enter_all

    def _specials(self, a, b, scales):
        """NaN, +Inf and -Inf of a step's operands."""
        nan = Cat(pair.nan for group in scales for pair in group.values()).any()
        pos_inf = neg_inf = Const(0, 1)
        flags = []
        for i, (x, y) in enumerate(zip(a, b)):
            pair = scales[i // self._group_size]
            nonzero = Const(1, 1)
            if self._scale.has_significand:
                taken = {c: select(c, x.neg, y.neg, self._a.sides) if c else Const(1, 1) for c in pair}
                nonzero = choose(taken, {c: pair[c].nonzero for c in pair})
            flag = lane_flags(x, y, nonzero)
            if flag:
                flags.append((*flag, x.neg ^ y.neg))
        if flags:
            nan |= Cat(flag[0] for flag in flags).any()
            pos_inf = Cat(inf & ~neg for _, inf, neg in flags).any()
            neg_inf = Cat(inf & neg for _, inf, neg in flags).any()
        return nan, pos_inf, neg_inf


class Scaled(Shared):
    """A group's sum times the significands of its scales.

    Function  ``o = value * sig``.
    Formats   None; integers.
    Shapes    ``value``: two's complement or a magnitude; ``sig``: unsigned.
    Widths    ``o``: the narrowest that holds the product of the largest value and significand.
    Timing    Combinational.
    Errors    None.
    Source    NUMERICS, section 4. Golden: ``golden.arith.mac_step``.
    """

    part = "scaling"

    def __init__(self, shape, sig_shape, largest):
        self._signed = shape.signed
        self._shape = bounds(-largest if shape.signed else 0, largest)
        kind = "signed" if shape.signed else "magnitude"
        self.module_name = f"scaled_{kind}_{shape.width}x{sig_shape.width}"
        super().__init__({"value": In(shape), "sig": In(sig_shape), "o": Out(self._shape)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq((self.value * self.sig)[: self._shape.width])
        return m


def choose(taken, values):
    """The value of the combination that is taken; combinations exclude each other."""
    if len(values) == 1:
        return next(iter(values.values()))
    result = 0
    for c, value in values.items():
        result = result | (value & taken[c].replicate(len(value)))
    return result

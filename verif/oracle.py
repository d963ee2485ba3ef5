"""NUMERICS written down in exact fractions, one number at a time: slow, and shares no code with
golden.

Only the fields of the format dataclasses are read; codes are decoded here once more.
"""

from bisect import bisect_left
from fractions import Fraction
from functools import lru_cache
from math import inf, isnan, nan

HALF = Fraction(1, 2)


def power(exponent):
    return Fraction(2) ** exponent


def floor_log2(x):
    """The largest e with 2^e <= x, for a positive Fraction."""
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if power(e) <= x else e - 1


# --- codes ---


def is_float(element):
    return hasattr(element, "exponent_width")


@lru_cache(None)
def parts(fmt, code):
    """(significand, exponent) of a finite code, as Fraction and int, or the float nan, inf or
    -inf.
    """
    if not is_float(fmt):
        if hasattr(fmt, "zero_point"):
            special = {(1 << fmt.width) - 2: HALF, (1 << fmt.width) - 1: -HALF}
            return special.get(code, Fraction(code - fmt.zero_point)), 0
        value = code - (1 << fmt.width) if code >> (fmt.width - 1) else code
        return Fraction(value, 1 << fmt.fraction_width), 0
    m, w = fmt.mantissa_width, fmt.exponent_width
    mantissa, field = code % (1 << m), (code >> m) % (1 << w)
    sign = -1 if fmt.signed and code >> (m + w) else 1
    ones = (1 << w) - 1
    if fmt.specials == "nan" and field == ones and mantissa == (1 << m) - 1:
        return nan
    if fmt.specials == "ieee" and field == ones:
        return nan if mantissa else sign * inf
    if field == 0 and fmt.subnormals:
        return sign * Fraction(mantissa, 1 << m), 1 - fmt.bias
    return sign * (1 + Fraction(mantissa, 1 << m)), field - fmt.bias


def value(fmt, code):
    """The value of a code: a Fraction, or the float nan, inf or -inf."""
    p = parts(fmt, code)
    return p if isinstance(p, float) else p[0] * power(p[1])


def scale_parts(scale, code):
    """:func:`parts` of a scale code; bits above its own are ignored, Inf is NaN."""
    p = parts(scale, code % (1 << (scale.exponent_width + scale.mantissa_width)))
    return nan if isinstance(p, float) else p


@lru_cache(None)
def grid(fmt):
    """Finite values in ascending order, each once (+0 before -0), and their codes."""
    codes = range(
        1 << (fmt.width if not is_float(fmt) else fmt.width - (not fmt.signed and fmt.width == 8))
    )
    if is_float(fmt) and not fmt.signed:
        codes = range(1 << (fmt.exponent_width + fmt.mantissa_width))
    if hasattr(fmt, "fraction_width"):
        codes = [c for c in codes if c != 1 << (fmt.width - 1)]
    table = {}
    for code in codes:
        v = value(fmt, code)
        if not isinstance(v, float):
            table.setdefault(v, code)
    values = sorted(table)
    return values, [table[v] for v in values]


def nearest(fmt, x, away, negative=False):
    """The code nearest to the Fraction ``x``, saturating; ``negative`` tells -0 from +0."""
    values, codes = grid(fmt)
    i = bisect_left(values, x)
    if i == len(values):
        i -= 1
    elif i > 0 and values[i] != x:
        low, high = x - values[i - 1], values[i] - x
        if low < high:
            i -= 1
        elif low == high and not _tie_goes_up(fmt, values[i - 1], values[i], codes[i], away):
            i -= 1
    code = codes[i]
    if values[i] == 0 and negative and is_float(fmt) and fmt.signed:
        code |= 1 << (fmt.width - 1)
    return code


def _tie_goes_up(fmt, low, high, high_code, away):
    if away or hasattr(fmt, "zero_point"):
        return high > -low
    if is_float(fmt):
        if fmt.mantissa_width == 0 and not fmt.subnormals:
            return True  # powers of two all have an odd significand
        return high_code % 2 == 0
    return int(high * (1 << fmt.fraction_width)) % 2 == 0


def binary32_bits(x, negative=False):
    """Binary32 bits of a Fraction, nearest even; ``negative`` is the sign of a zero."""
    if x == 0:
        return 0x80000000 if negative else 0
    sign, x = (0x80000000, -x) if x < 0 else (0, x)
    e = max(floor_log2(x), -126)
    units = x / power(e - 23)
    n = units.numerator // units.denominator
    rest = units - n
    if rest > HALF or (rest == HALF and n % 2):
        n += 1
    if n == 1 << 24:
        n, e = n >> 1, e + 1
    if e > 127:
        return sign | 0x7F800000
    return sign | (n if n < 1 << 23 else ((e + 127) << 23) + n - (1 << 23))


def binary32(bits):
    """The value of binary32 bits: a Fraction, or the float nan, inf or -inf."""
    sign = -1 if bits >> 31 else 1
    field, fraction = (bits >> 23) & 255, bits & 0x7FFFFF
    if field == 255:
        return nan if fraction else sign * inf
    if field == 0:
        return sign * fraction * power(-149)
    return sign * (fraction + (1 << 23)) * power(field - 150)


# --- dot products ---


def is_grouped(fa, fb):
    return all(not is_float(f.element) or f.element.width <= 6 for f in (fa, fb))


def mac_step(fa, fb, a, a_scales, b, b_scales, c, fraction_bits=None):
    """One fused aligned sum of codes, as bits; scales are lists of codes or of pairs, or None."""
    k = len(a)
    sides_a, sides_b = fa.sides, fb.sides
    scales_a = _per_element(fa, a, a_scales)
    scales_b = _per_element(fb, b, b_scales)
    result_nan = _any_nan(fa, a_scales) or _any_nan(fb, b_scales)
    infinities = set()
    products = []  # side of a and of b, element product and exponent, scale product and exponent
    for x, y, (sx, ex, side_x), (sy, ey, side_y) in zip(a, b, scales_a, scales_b):
        px, py = parts(fa.element, x), parts(fb.element, y)
        vx, vy = value(fa.element, x), value(fb.element, y)
        if isinstance(px, float) or isinstance(py, float):
            zero = vx == 0 or vy == 0 or sx == 0 or sy == 0
            if isnan(vx) or isnan(vy) or zero:
                result_nan = True
            else:
                infinities.add((vx > 0) == (vy > 0))
            products.append((side_x, side_y, Fraction(0), 0, Fraction(0), 0))
        else:
            products.append((side_x, side_y, px[0] * py[0], px[1] + py[1], sx * sy, ex + ey))

    addends = []  # exact value, exponent, counts for e_max
    if is_grouped(fa, fb):
        size = min([f.block_size for f in (fa, fb) if f.block_size and f.scale], default=k)
        for start in range(0, k, size):
            group = products[start : start + size]
            for sa in range(sides_a):
                for sb in range(sides_b):
                    chosen = [p for p in group if (p[0], p[1]) == (sa, sb) and p[2] * p[4] != 0]
                    if chosen:
                        total = sum(p[2] * power(p[3]) for p in chosen)
                        scale, exponent = chosen[0][4], chosen[0][5]
                        addends.append((total * scale * power(exponent), exponent))
        bits = 35
    else:
        for _, _, s, e, scale, scale_exponent in products:
            if s * scale != 0:
                addends.append((s * scale * power(e + scale_exponent), e + scale_exponent))
        bits = 25
    bits = bits if fraction_bits is None else fraction_bits

    start_value = binary32(c)
    if isinstance(start_value, float):
        if isnan(start_value):
            result_nan = True
        else:
            infinities.add(start_value > 0)
    elif start_value != 0:
        addends.append((start_value, max(floor_log2(abs(start_value)), -126)))
    if result_nan or len(infinities) == 2:
        return 0x7FC00000
    if infinities:
        return 0x7F800000 if infinities == {True} else 0xFF800000
    if not addends:
        return 0
    unit = power(max(e for _, e in addends) - bits)
    total = sum(int(v / unit) for v, _ in addends)  # int() truncates toward zero
    return binary32_bits(total * unit)


def _per_element(fmt, codes, scales):
    """(scale significand, exponent, side) that each element meets; the significand of a NaN is
    0.
    """
    result = []
    for i, code in enumerate(codes):
        v = value(fmt.element, code)
        side = 1 if fmt.sides == 2 and v < 0 else 0
        if scales is None:
            result.append((Fraction(1), 0, side))
            continue
        entry = scales[i // (fmt.block_size or len(codes))]
        p = scale_parts(fmt.scale, entry[side] if fmt.sides == 2 else entry)
        result.append((Fraction(0), 0, side) if isinstance(p, float) else (*p, side))
    return result


def _any_nan(fmt, scales):
    if scales is None:
        return False
    flat = [s for entry in scales for s in (entry if fmt.sides == 2 else [entry])]
    return any(isinstance(scale_parts(fmt.scale, s), float) for s in flat)


def dot(fa, fb, a, b):
    """Exact sums per combination of sides, as Fractions, a's sign first; specials count as 0."""
    sums = [Fraction(0)] * (fa.sides * fb.sides)
    for x, y in zip(a, b):
        vx, vy = value(fa.element, x), value(fb.element, y)
        if not isinstance(vx, float) and not isinstance(vy, float):
            side = (vx < 0 if fa.sides == 2 else 0) * fb.sides + (vy < 0 if fb.sides == 2 else 0)
            sums[side] += vx * vy
    return sums

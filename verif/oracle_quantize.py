"""Quantization as NUMERICS section 3 has it, in exact fractions, one block at a time.

Like :mod:`verif.oracle` it shares no code with golden.
"""

from dataclasses import replace
from fractions import Fraction
from math import copysign, isinf, isnan

from verif.oracle import (
    HALF,
    binary32,
    binary32_bits,
    floor_log2,
    grid,
    is_float,
    nearest,
    power,
    value,
)


def largest(fmt):
    return grid(fmt)[0][-1]


def element_mantissa(element):
    return element.mantissa_width if is_float(element) else element.width - 2


def power_of_two_scale(amax, element, rule):
    """The exponent of the scale, before any clamping."""
    top = largest(element)
    emax, m = floor_log2(top), element_mantissa(element)
    if rule == "floor":
        return floor_log2(amax) - emax
    if rule == "ceil":
        e = floor_log2(amax)
        return e + (power(e) != amax) - emax
    if rule == "rceil":
        ratio = amax / top
        e = floor_log2(ratio)
        return e + (power(e) != ratio)
    if rule == "even":
        unit = power(floor_log2(amax) - m)
        rounded = (amax / unit + HALF).__floor__() * unit
        return floor_log2(rounded) - emax
    assert rule == "oas"
    s = floor_log2(top / amax)
    bound = power(emax) * (2 - power(-(m + 1))) / 2
    if amax * power(s) <= bound:
        s += 1
    return -s


def is_denormal_int(element):
    return hasattr(element, "zero_point")


def scale_code(maxima, fmt, t=None):
    """Scale code and value from the largest magnitudes that share it, positive and negative ones.

    A binary32 scale's code is its bits. ``t``: the tensor scale, or None.
    """
    top = max(maxima)
    if top == 0:
        return 0, Fraction(0)
    top = top if t is None else top / t
    element = fmt.element
    if fmt.scale_rule != "amax":
        exact = power(power_of_two_scale(top, element, fmt.scale_rule))
    elif not is_denormal_int(element):
        exact = top / largest(element)
    elif element.asymmetric:
        exact = sum(maxima) / ((1 << element.width) - 3)
    else:
        exact = max(maxima[0] / largest(element), maxima[1] / -grid(element)[0][0])
    if fmt.scale.width == 32:
        bits = min(binary32_bits(exact), 0x7F7FFFFF)
        return bits, binary32(bits)
    code = nearest(fmt.scale, exact, fmt.rounding == "nearest_away")
    return code, value(fmt.scale, code)


def quantize_block(xs, fmt, t=None, f=1):
    """Scale codes (one per side), element codes and zero point of a block of Python floats.

    ``f``: the macro factor. The zero point is None but for asymmetric dINT.
    """
    if any(isnan(x) or isinf(x) for x in xs):
        mark = (1 << (fmt.scale.exponent_width + fmt.scale.mantissa_width)) - 1
        return [mark] * fmt.sides, [0] * len(xs), None
    exact = [Fraction(x) * f for x in xs]
    maxima = [max(max(exact), Fraction(0)), max(-min(exact), Fraction(0))]
    if fmt.sides == 1:
        chosen = [scale_code(maxima, fmt, t)]
    else:
        chosen = [scale_code([m], fmt, t) for m in maxima]
    element, zero_point = fmt.element, None
    if is_denormal_int(element) and element.asymmetric:
        s = chosen[0][1]
        zero_point = 0 if s == 0 else min(max(round(maxima[1] / s), 0), (1 << element.width) - 3)
        element = replace(element, zero_point=zero_point)
    codes = []
    for x, original in zip(exact, xs):
        negative = copysign(1, original) < 0
        s = chosen[-1 if negative else 0][1]
        if s == 0 or max(maxima) == 0:
            codes.append(0)
            continue
        if t is not None:
            s *= t
        signed = negative and fmt.sides == 1
        codes.append(nearest(element, x / s, fmt.rounding == "nearest_away", signed))
    return [c for c, _ in chosen], codes, zero_point


def macro_code(xs, fmt, dynamic):
    """Code of the macro factor of the blocks ``xs`` (lists of floats), non-finite blocks aside."""
    finite = [b for b in xs if not any(isnan(x) or isinf(x) for x in b)]
    width = fmt.macro.factor.mantissa_width
    if not dynamic:
        amax = max((abs(Fraction(x)) for b in finite for x in b), default=Fraction(0))
        bits = binary32_bits(largest(fmt.element) / amax) if amax else 0
        return (bits >> (23 - width)) % (1 << width)
    errors = []
    for j in range(16):
        f = 1 + Fraction(j, 16)
        error = 0
        for block in finite:
            (scale,), codes, _ = quantize_block(block, fmt, f=f)
            s = value(fmt.scale, scale)
            for x, c in zip(block, codes):
                error += (Fraction(x) - value(fmt.element, c) * s / f) ** 2
        errors.append(error)
    return errors.index(min(errors)) << (width - 4)


def quantize_tensor(blocks, fmt):
    """Tensor scale (a Fraction or None), and :func:`quantize_block` of each block."""
    t = None
    if fmt.tensor_scale:
        finite = [b for b in blocks if not any(isnan(x) or isinf(x) for x in b)]
        amax = max((abs(Fraction(x)) for b in finite for x in b), default=Fraction(0))
        t = binary32(binary32_bits(amax / (largest(fmt.element) * largest(fmt.scale))))
        t = t or Fraction(1)
    return t, [quantize_block(b, fmt, t) for b in blocks]


def cast_plain(x, element):
    """Code of a Python float in a float element without a scale, as IEEE 754 converts."""
    everything = (1 << (element.width - 1)) - 1
    if isnan(x) or (isinf(x) and element.specials == "nan"):
        return everything
    sign = (1 << (element.width - 1)) if copysign(1, x) < 0 else 0
    ones = ((1 << element.exponent_width) - 1) << element.mantissa_width
    if isinf(x):
        return sign | ones
    x = abs(Fraction(x))
    e = max(floor_log2(x) if x else -(10**6), 1 - element.bias)
    units = x / power(e - element.mantissa_width)
    n = round(units)  # Fractions round half to even
    code = n + ((e - 1 + element.bias) << element.mantissa_width)
    if element.specials == "nan":
        return everything if code >= everything else sign | code
    return sign | min(code, ones)

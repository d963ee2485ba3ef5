"""golden.quantize against the fraction oracle: every rule, element and threshold, odd blocks."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from golden import dequantize, quantize
from golden.formats import E8M0, ELEMENTS, FORMATS, FP32, SCALE_RULES, UE4M3, UE5M2, get_format
from golden.scaling import sticky_sum
from verif import oracle, oracle_quantize

STORED = [f for f in FORMATS.values() if f.scale is not None and f.macro is None]
SHARED = [e for e in ELEMENTS.values() if e.width <= 8 and not e.name.startswith("dint4")]
CUSTOM = [
    replace(
        get_format("mxfp4"),
        name=f"{element.name}-{rule}-{scale.name}-{rounding}-{sides}",
        element=element,
        scale=scale,
        block_size=8,
        scale_rule=rule,
        rounding=rounding,
        sides=sides,
    )
    for element in SHARED
    for rule in SCALE_RULES
    for scale in (E8M0, UE4M3, UE5M2, FP32)
    for rounding in ("nearest_even", "nearest_away")
    for sides in (1, 2)
]


def check(x, fmt, label=""):
    """Compare the codes of float32 blocks (B, n) with the oracle's; how many blocks that was."""
    q = quantize(x, fmt)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        wide = x.astype(float)
    t, blocks = oracle_quantize.quantize_tensor(wide.tolist(), fmt)
    if t is not None:
        assert Fraction(float(q.tensor_scale)) == t, label
    scales = q.scales.view(np.uint32) if q.scales.dtype == np.float32 else q.scales
    scales = scales.reshape(len(x), -1).tolist()
    for i, (want_scales, want, zero_point) in enumerate(blocks):
        got = q.codes[i, : x.shape[1]].tolist()
        if q.zero_points is not None:
            assert q.zero_points[i, 0] == zero_point, f"{label or fmt.name} block {i}"
        assert (scales[i], got) == (want_scales, want), (
            f"{label or fmt.name} block {i}: {x[i].tolist()} -> {scales[i]} {got}, "
            f"not {want_scales} {want}"
        )
        assert not q.codes[i, x.shape[1] :].any() or "dint" in fmt.name
    return len(blocks)


def random_blocks(rng, n, size, specials=True):
    """Blocks of every magnitude: whole, sparse, one-sided, subnormal, equal, not finite."""
    x = rng.standard_normal((n, size)).astype(np.float32)
    exponents = rng.integers(-149, 122, (n, 1))
    x = np.ldexp(x, np.where(rng.random((n, 1)) < 0.5, rng.integers(-10, 10, (n, 1)), exponents))
    x = x.astype(np.float32)
    kind = rng.integers(0, 10, n)
    x[kind == 0] = np.abs(x[kind == 0])
    x[kind == 1] *= (rng.random((np.sum(kind == 1), size)) < 0.2).astype(np.float32)
    x[kind == 2] = x[kind == 2][:, :1]
    short = rng.integers(0, 1 << 32, (np.sum(kind == 3), size), dtype=np.uint32) & 0xFFFF0000
    short = short.astype(np.uint32).view(np.float32)
    x[kind == 3] = np.where(np.isfinite(short), short, 1)
    x[kind == 4] = np.round(x[kind == 4] * 8) / 8
    x[:2] = [[0.0] * size, [-0.0] * size]
    x[2] = np.float32(1e-45)
    x[3] = np.finfo(np.float32).max
    if specials:
        x[4, 0], x[5, -1], x[6, 0] = np.nan, -np.inf, np.inf
    return x


@pytest.mark.parametrize("fmt", STORED, ids=lambda f: f.name)
def test_random(fmt):
    rng = np.random.default_rng(10)
    size = fmt.block_size or 24
    x = random_blocks(rng, 250, size, specials=fmt.scale.width <= 8)
    assert check(x, fmt) == 250
    if fmt.tensor_scale:  # such wild tensors leave small blocks with scales of zero
        tame = rng.standard_normal((200, size)).astype(np.float32)
        check(tame, fmt)
        check(np.ldexp(tame, rng.integers(-12, 1, (200, 1))).astype(np.float32), fmt)


@pytest.mark.parametrize("element", SHARED, ids=lambda e: e.name)
def test_every_rule(element):
    rng = np.random.default_rng(11)
    formats = [f for f in CUSTOM if f.element is element]
    assert len(formats) == 6 * 4 * 2 * 2
    for fmt in formats:
        x = random_blocks(rng, 24, 8, specials=fmt.scale.width <= 8)
        check(x, fmt)


def neighbours(values):
    """Positive float32 values and those one ulp to either side."""
    bits = np.asarray(values, np.float32).view(np.int32)
    return np.concatenate([bits - 1, bits, bits + 1]).view(np.float32)


@pytest.mark.parametrize("fmt", STORED, ids=lambda f: f.name)
def test_element_thresholds(fmt):
    """All midpoints between elements, times odd scales, one ulp down, at, and up, both signs."""
    values = np.unique(np.abs(fmt.element.values[np.isfinite(fmt.element.values)]))
    values = values[values <= fmt.element.largest]
    midpoints = (values[1:] + values[:-1]) / 2
    size = fmt.block_size or 24
    scales = (
        [1.0, 2.0**-120, 2.0**100] if fmt.scale.name == "e8m0" else [1.25, 2.0**-9, 7 / 3 * 2.0**-5]
    )
    for scale in scales:
        top = fmt.element.largest * scale
        x = neighbours(midpoints * np.float64(scale))
        x = np.concatenate([x, -x])
        x = np.resize(x, (-(-len(x) // (size - 2)), size - 2))
        x = np.concatenate([np.full((len(x), 1), top), np.full((len(x), 1), -top), x], axis=1)
        check(x.astype(np.float32), fmt)


@pytest.mark.parametrize("element", SHARED, ids=lambda e: e.name)
@pytest.mark.parametrize("sides", [1, 2])
def test_scale_thresholds(element, sides):
    """Block maxima one ulp around every point where some rule changes its scale."""
    tops = {
        1.0,
        2.0,
        oracle_quantize.largest(element),
        2 - 2.0 ** -(oracle_quantize.element_mantissa(element) + 1),
    }
    grid = [float(v * oracle_quantize.largest(element)) for v in oracle.grid(UE4M3)[0][5:40]]
    points = [float(t) for t in tops] + [(a + b) / 2 for a, b in pairwise(grid)]
    x = neighbours(points)[:, None] * np.float32([[1, -0.5, 0.25, -1]])
    x = np.concatenate([x, x * np.float32(2.0**-130), x * np.float32(2.0**100)]).astype(np.float32)
    for fmt in CUSTOM:
        if fmt.element is element and fmt.sides == sides and fmt.rounding == "nearest_even":
            check(x, fmt)


@pytest.mark.parametrize("fmt", STORED, ids=lambda f: f.name)
def test_all_bfloat16(fmt):
    """Blocks of four adjacent bfloat16 values, every 7th of them all, NaN and Inf included."""
    bits = np.arange(1 << 16, dtype=np.uint32) << 16
    x = bits.view(np.float32).reshape(-1, 4)[::7]
    if fmt.scale.width > 8:
        x = x[np.isfinite(x).all(axis=1)]
    check(x, replace(fmt, block_size=4))


@pytest.mark.parametrize("name", FORMATS)
def test_layouts(name):
    """Any axis, ragged last blocks, views: the same as contiguous rows."""
    fmt = get_format(name)
    rng = np.random.default_rng(12)
    x = rng.standard_normal((3, 37, 5)).astype(np.float32)
    q = quantize(x, fmt, axis=1)
    length = 37 if fmt.block_size is None else -(-37 // fmt.block_size) * fmt.block_size
    assert q.codes.shape == (3, length, 5) and q.shape == (3, 37, 5) and q.axis == 1
    rows = quantize(np.ascontiguousarray(np.moveaxis(x, 1, -1)), fmt)
    assert np.array_equal(np.moveaxis(q.codes, 1, -1), rows.codes)
    assert np.array_equal(dequantize(q), np.moveaxis(dequantize(rows), -1, 1))
    if fmt.scale is not None:
        blocks = length // (fmt.block_size or 37)
        assert q.scales.shape == (3, blocks, 5) + ((2,) if fmt.sides == 2 else ())
        assert np.array_equal(np.moveaxis(q.scales, 1, 2), rows.scales)
    strided = quantize(np.repeat(x, 2, axis=1)[:, ::2], fmt, axis=-2)
    assert np.array_equal(strided.codes, q.codes)


@pytest.mark.parametrize("fmt", STORED, ids=lambda f: f.name)
def test_dequantize(fmt):
    """Values are element times scale(s), rounded once to binary32."""
    rng = np.random.default_rng(13)
    size = fmt.block_size or 24
    q = quantize(random_blocks(rng, 60, size, specials=fmt.scale.width <= 8), fmt)
    got = dequantize(q)
    t = Fraction(1) if q.tensor_scale is None else Fraction(float(q.tensor_scale))
    for i in range(60):
        entry = np.atleast_1d(q.scales[i].reshape(-1))
        for j in range(size):
            element = fmt.element
            if q.zero_points is not None:
                element = replace(element, zero_point=int(q.zero_points[i, 0]))
            v = oracle.value(element, int(q.codes[i, j]))
            s = entry[-1 if v < 0 else 0]
            s = Fraction(float(s)) if fmt.scale is FP32 else oracle.value(fmt.scale, int(s))
            if isinstance(s, float):
                assert np.isnan(got[i, j])
            else:
                want = np.uint32(oracle.binary32_bits(v * s * t)).view(np.float32)
                assert got[i, j] == want, f"{fmt.name} {q.codes[i, j]} {entry} {got[i, j]} {want}"


def test_sticky_sum():
    """40 bits of a sum of binary32 numbers far apart, the last one set if any was lost."""
    rng = np.random.default_rng(15)
    a, b = np.ldexp(rng.random((2, 3000)).astype(np.float32), rng.integers(-60, 60, (2, 3000)))
    a[:4], b[:4] = [1, 2.0**-30, 1, 1], [2.0**-39, 2.0**30, 0, 2.0**-30 - 2.0**-54]
    got = sticky_sum(a.astype(np.float64), b.astype(np.float64))
    for x, y, s in zip(a.tolist(), b.tolist(), got.tolist()):
        exact = Fraction(x) + Fraction(y)
        unit = oracle.power(oracle.floor_log2(exact) - 39)
        kept = exact // unit
        assert Fraction(s) == (kept | (kept * unit != exact)) * unit


def test_blocks_larger_than_a_chunk():
    """Pieces of a block that does not fit the cache share one scale."""
    x = np.random.default_rng(14).standard_normal((2, 200_001)).astype(np.float32)
    x[1, 150_000] = -40
    q = quantize(x, "int8")
    s = np.abs(x).max(axis=1) / np.float32(127)
    assert np.array_equal(q.scales[:, 0], s)
    want = np.rint(x.astype(np.float64) / s[:, None].astype(np.float64)).astype(np.int8)
    assert np.array_equal(q.codes.view(np.int8), want)

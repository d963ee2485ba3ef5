"""Element formats and casts against ml_dtypes, and the plain formats against the oracle."""

import ml_dtypes
import numpy as np
import pytest

from golden import dequantize, from_codes, quantize
from golden.cast import cast
from golden.formats import ELEMENTS, get_format
from verif import oracle, oracle_quantize

TWINS = {
    "e2m1": ml_dtypes.float4_e2m1fn,
    "e2m3": ml_dtypes.float6_e2m3fn,
    "e3m2": ml_dtypes.float6_e3m2fn,
    "e4m3": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "bf16": ml_dtypes.bfloat16,
    "fp16": np.float16,
}
ALL_BF16 = (np.arange(1 << 16, dtype=np.uint32) << 16).view(np.float32)


def codes_of(array, width):
    return array.view(np.uint8 if width <= 8 else np.uint16)


@pytest.mark.parametrize("name", TWINS)
def test_values(name):
    """Every code decodes to ml_dtypes' value."""
    element = ELEMENTS[name]
    codes = np.arange(1 << element.width).astype(np.uint8 if element.width <= 8 else np.uint16)
    with np.errstate(invalid="ignore"):
        want = codes.view(TWINS[name]).astype(np.float64)
    assert np.array_equal(element.values, want, equal_nan=True)
    assert np.array_equal(np.signbit(element.values[want == 0]), np.signbit(want[want == 0]))


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturating_cast(name, dtype):
    """All bfloat16 values that the element can hold round as ml_dtypes rounds them."""
    element = ELEMENTS[name]
    if dtype is np.float32 and name == "bf16":
        return  # its own binary32 sums would overflow; the quantizer takes binary64 there
    x = ALL_BF16[np.abs(ALL_BF16) <= element.largest]
    got = cast(x.astype(dtype), element, away=False)
    assert np.array_equal(got, codes_of(x.astype(TWINS[name]), element.width))
    assert len(x) > 30_000


@pytest.mark.parametrize("name", ["bf16", "fp16", "fp8_e4m3", "fp8_e5m2"])
def test_plain(name):
    """Plain formats convert as ml_dtypes does, overflow included; NaN is the code of all ones."""
    fmt = get_format(name)
    rng = np.random.default_rng(20)
    x = rng.integers(0, 1 << 32, 100_000, dtype=np.uint32).view(np.float32)
    edge = fmt.element.values[np.isfinite(fmt.element.values)].astype(np.float32)
    x = np.concatenate([x, ALL_BF16, edge, np.nextafter(edge, 0), np.nextafter(edge, np.inf)])
    got = quantize(x, fmt).codes
    with np.errstate(over="ignore", invalid="ignore"):
        want = codes_of(x.astype(TWINS[fmt.element.name]), fmt.element.width)
    isnan = np.isnan(fmt.element.values[want])
    assert np.array_equal(got[~isnan], want[~isnan])
    assert np.array_equal(got[isnan], np.full(isnan.sum(), fmt.element.nan_code))
    for i in rng.integers(0, len(x), 2000):
        assert int(got[i]) == oracle_quantize.cast_plain(float(x[i]), fmt.element)
    decoded = dequantize(from_codes(got, fmt))
    assert np.array_equal(decoded, fmt.element.values[got].astype(np.float32), equal_nan=True)


@pytest.mark.parametrize(
    "name", [n for n in ELEMENTS if not n.startswith("dint4") and ELEMENTS[n].width <= 8]
)
@pytest.mark.parametrize("away", [False, True])
def test_thresholds(name, away):
    """Midpoints between neighbours, one ulp to each side, in both widths, against the oracle."""
    element = ELEMENTS[name]
    values = np.array([float(v) for v in oracle.grid(element)[0]])
    points = np.concatenate(
        [(values[1:] + values[:-1]) / 2, values, [2 * values[0], 2 * values[-1]]]
    )
    points = points.astype(np.float32)
    x = np.concatenate([np.nextafter(points, -np.inf), points, np.nextafter(points, np.inf)])
    want = [oracle.nearest(element, oracle.Fraction(float(v)), away, np.signbit(v)) for v in x]
    for dtype in (np.float32, np.float64):
        got = cast(x.astype(dtype), element, away).astype(int) & ((1 << element.width) - 1)
        assert got.tolist() == want

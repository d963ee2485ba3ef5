"""The accumulation modes besides fp32: exact, int32, and the matrix units in the field."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from golden import dequantize, from_codes, get_format, matmul, quantize, rescale
from golden.exact import Window, full_window
from golden.presets import PRESETS
from golden.product import exact_matmul
from verif import oracle

VECTORS = Path(__file__).parent / "vectors"


def values(q):
    """Exact values (rows, K) of one-sided or two-sided operands, without a tensor scale."""
    return dequantize(replace(q, tensor_scale=None)).astype(float)


PAIRS = ["mxfp4:mxfp4", "nvfp4:amxfp4", "mxfp8_e4m3:mxfp4", "mxint8:mxint8", "fp16:fp8_e5m2"]


@pytest.mark.parametrize("pair", PAIRS)
def test_exact(pair):
    """One rounding of the exact sum, whatever the magnitudes."""
    fa, fb = pair.split(":")
    rng = np.random.default_rng(40)
    a, b = (np.ldexp(rng.standard_normal((6, 96)), rng.integers(-14, 14, (6, 96))) for _ in "ab")
    qa, qb = (quantize(x.astype(np.float32), f) for x, f in ((a, fa), (b, fb)))
    c = rng.standard_normal((6, 6)).astype(np.float32)
    got = matmul(qa, qb, "exact", c=c).view(np.uint32)
    va, vb = values(qa), values(qb)
    for i in range(6):
        for j in range(6):
            total = sum(Fraction(x) * Fraction(y) for x, y in zip(va[i], vb[j]))
            assert got[i, j] == oracle.binary32_bits(total + Fraction(float(c[i, j])))


def test_exact_full_range():
    """The default window holds the largest and the smallest products at once."""
    codes = np.zeros((4, 64), np.uint8)
    codes[:, [0, 32]] = [[7, 1], [15, 1], [7, 1], [7, 1]]
    scales = np.uint8([[254, 0], [254, 0], [254, 255], [0, 0]])
    qa = from_codes(codes, "mxfp4", scales)
    qb = from_codes(codes[:1], "mxfp4", np.uint8([[254, 0]]))
    got = matmul(qa, qb, "exact")[:, 0]
    assert got[0] == np.inf and got[1] == -np.inf and np.isnan(got[2])
    assert got[3] == 36.0
    window = full_window(qa, qb)
    assert window.low == -256 and window.width == 256 + 6 + 5 + 256 + 3


def test_exact_rounds_on_all_bits():
    """A tie but for a bit 66 places below goes up, on its own to even."""
    one = quantize(np.ones((1, 3), np.float32), "bf16")
    for tiny, want in ((0, 2.0**30), (2.0**-60, 2.0**30 + 2**7), (-(2.0**-60), 2.0**30)):
        q = quantize(np.float32([[2**30, 2**6, tiny]]), "bf16")
        assert matmul(q, one, "exact")[0, 0] == want


def test_exact_window():
    """An addend or a sum outside the window sets a sticky flag, and the result is NaN."""
    ones = np.full((1, 32), 2, np.uint8)
    qa = from_codes(np.repeat(ones, 3, 0), "mxfp4", np.uint8([[127], [120], [140]]))
    qb = from_codes(ones, "mxfp4", np.uint8([[127]]))
    got, overflow = (x[:, 0] for x in exact_matmul(qa, qb, window=Window(-2, 10, 4)))
    assert overflow.tolist() == [False, False, True]
    assert got.tolist()[:2] == [32.0, 0.25] and np.isnan(got[2])
    long = from_codes(np.full((1, 96), 2, np.uint8), "mxfp4", np.uint8([[131, 131, 131]]))
    b = from_codes(np.full((1, 96), 2, np.uint8), "mxfp4", np.uint8([[127, 127, 127]]))
    assert matmul(long, b, "exact", window=Window(0, 10, 4))[0, 0] == 1536.0
    assert np.isnan(matmul(long, b, "exact", window=Window(0, 10, 1))[0, 0])
    assert np.isnan(matmul(long, b, "exact", window=Window(10, 20, 4))[0, 0])
    start = np.float32([[1025]])
    for window, flag in ((Window(0, 10, 4), True), (Window(0, 11, 4), False)):
        assert exact_matmul(long, b, c=start, window=window)[1].tolist() == [[flag]]
    none = from_codes(ones, "mxfp4", np.uint8([[255]]))
    got, overflow = exact_matmul(none, qb, window=Window(0, 10, 1))
    assert np.isnan(got[0, 0]) and not overflow[0, 0]


@pytest.mark.parametrize("pair", ["int8:int8", "int8:int4", "int8:dint4", "int8:dint4_asym"])
@pytest.mark.parametrize("group", [None, 16])
def test_int32(pair, group):
    """Integer sums per group, then binary32 scales in order."""
    rng = np.random.default_rng(41)
    fa, fb = (replace(get_format(n), block_size=group) for n in pair.split(":"))
    a = rng.standard_normal((5, 70)).astype(np.float32)
    b = rng.standard_normal((4, 70)).astype(np.float32)
    qa, qb = quantize(a, fa), quantize(b, fb)
    d = matmul(qa, qb, "int32")
    assert d.dtype == np.int32 and d.shape == ((5, 4) if group is None else (5, 4, 5))
    assert np.allclose(rescale(d, qa, qb), values(qa) @ values(qb).T, atol=1e-4)
    c = rng.integers(-9, 9, d.shape).astype(np.int32)
    assert np.array_equal(matmul(qa, qb, "int32", c=c), d + c)


def test_int32_wraps():
    a = from_codes(np.full((1, 4), 127, np.uint8), "int8", np.ones((1, 1), np.float32))
    c = np.array([[2**31 - 1]], np.int32)
    assert matmul(a, a, "int32", c=c)[0, 0] == 2**31 - 1 + 4 * 127 * 127 - 2**32
    low = from_codes(np.uint8([[128]]), "int8", np.ones((1, 1), np.float32))
    assert matmul(low, low, "int32")[0, 0] == 128 * 128


def test_int32_wraps_a_long_sum():
    k = 140_000
    low = from_codes(np.full((1, k), 128, np.uint8), "int8", np.ones((1, 1), np.float32))
    assert matmul(low, low, "int32")[0, 0] == k * 128 * 128 - 2**32


def test_scales_of_whole_tensors():
    x = np.random.default_rng(42).standard_normal((6, 33)).astype(np.float32)
    q = quantize(x, "int8", axis=None)
    assert q.scales.shape == () and q.scales == np.abs(x).max() / np.float32(127)
    got = rescale(matmul(q, q, "int32"), q, q)
    assert np.allclose(got, values(q) @ values(q).T, rtol=1e-5)


@pytest.mark.parametrize("pair", ["e4m3_e4m3", "e5m2_e5m2", "e4m3_e5m2"])
def test_hopper_fp8_silicon(pair):
    """What an H200's wgmma m64n8k32 returned, NaN and Inf included."""
    vectors = np.load(VECTORS / "h200_wgmma_fp8.npz")
    a, b, c, d = (vectors[f"{pair}_{x}"] for x in "abcd")
    fa, fb = (f"fp8_{e}" for e in pair.split("_"))
    for i in range(len(a)):
        qa, qb = from_codes(a[i], fa), from_codes(b[i], fb)
        got = matmul(qa, qb, "hopper_fp8", c=c[i].view(np.float32)).view(np.uint32)
        assert np.array_equal(got, d[i])
    assert len(a) and (d == 0x7FFFFFFF).any()
    assert (d == 0x7F800000).any() or pair == "e4m3_e4m3"  # which has no Inf


# Terms 2^23, -2^23, -0.5, -0.25, -0.125 as the products of two codes each (NUMERICS section 4).
DIRECTED = [
    ("ampere_fp16", -0.5),
    ("ampere_bf16", -0.5),
    ("hopper_fp16", -0.75),
    ("hopper_bf16", -0.75),
    ("hopper_fp8", 0.0),
]


@pytest.mark.parametrize("preset, want", DIRECTED)
def test_directed(preset, want):
    name = preset.split("_")[1]
    fmt = "fp8_e5m2" if name == "fp8" else name
    a = np.float32([[2**12, -(2**12), 0.5, 0.25, 0.125]])
    b = np.float32([[2**11, 2**11, -1, -1, -1]])
    got = matmul(quantize(a, fmt), quantize(b, fmt), preset)
    assert got[0, 0] == want and not np.signbit(got[0, 0]) == (want == 0)


def test_directed_nvfp4():
    """The same terms as groups, with one more bit in sight: -0.875."""
    codes = np.zeros((2, 16 * 5), np.uint8)
    codes[:, ::16] = 2
    codes[0, [16, 32, 48, 64]] = 10
    exponents = np.array([[12, 12, 0, -1, -2], [11, 11, -1, -1, -1]])
    fmt = replace(get_format("mxfp4"), block_size=16)
    qa, qb = (
        from_codes(codes[i : i + 1], fmt, np.uint8(127 + exponents[i : i + 1])) for i in (0, 1)
    )
    assert matmul(qa, qb, "blackwell_nvfp4")[0, 0] == -0.875


@pytest.mark.parametrize(
    "preset, bits, zero",
    [("ampere_bf16", 24, -132), ("hopper_bf16", 25, -133), ("blackwell_mxfp4_k64", 35, -139)],
)
def test_zeros_take_part(preset, bits, zero):
    """2^-149 less what lies just below, or just inside, the last bit that zeros leave in sight."""
    length = PRESETS[preset].length
    for below, want in ((zero - bits - 1, 2.0**-149), (zero - bits, 0.0)):
        if preset.endswith("bf16"):
            a, b = np.zeros((2, 1, length), np.float32)
            a[0, :2], b[0, :2] = [2.0**-74, 2.0**-80], [2.0**-75, -(2.0 ** (below + 80))]
            qa, qb = quantize(a, "bf16"), quantize(b, "bf16")
        else:
            codes = np.zeros((2, 1, length), np.uint8)
            codes[:, 0, [0, 32]] = 2
            codes[1, 0, 32] = 10
            qa = from_codes(codes[0], "mxfp4", np.uint8([[127 - 74, 127 - 80]]))
            qb = from_codes(codes[1], "mxfp4", np.uint8([[127 - 75, 127 + below + 80]]))
        assert matmul(qa, qb, preset)[0, 0] == want


@pytest.mark.parametrize("name", [n for n in PRESETS if n != "hopper_fp8"])
def test_mmasim_vectors(name):
    """What the package mmasim computes, in vectors that verif/peers_mmasim.py wrote."""
    vectors = np.load(VECTORS / "mmasim.npz")
    count = 0
    for key in sorted({k.rsplit("/", 1)[0] for k in vectors.files if k.startswith(name + "/")}):
        _, fa, fb = key.split("/")
        load = {p: vectors[f"{key}/{p}"] for p in ("a", "b", "c", "d")}
        scales = [
            vectors[f"{key}/{p}"] if f"{key}/{p}" in vectors.files else None for p in ("sa", "sb")
        ]
        for i in range(len(load["a"])):
            qa, qb = (
                from_codes(load[p][i], f, None if s is None else s[i])
                for p, f, s in (("a", fa, scales[0]), ("b", fb, scales[1]))
            )
            got = matmul(qa, qb, name, c=load["c"][i].view(np.float32)).view(np.uint32)
            assert np.array_equal(got, load["d"][i]), f"{key} {i}"
            count += got.size
    assert count >= 500

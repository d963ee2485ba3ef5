"""golden.arith against the fraction oracle: corners, and random aimed at where rounding hurts."""

from dataclasses import replace

import numpy as np
import pytest

from golden.arith import dot, mac_step
from golden.formats import FORMATS, INT4, UE4M3, UE5M2, FloatFormat, IntFormat, get_format
from verif import oracle

PAIRS = [
    *(f"{n}:{n}" for n, f in FORMATS.items() if f.scale is None or f.has_block_scale),
    "amxfp4:mxfp4",
    "mxfp4:amxfp4",
    "amxfp4:nvfp4",
    "amxfp4:amxfp4_e8m0",
    "nvfp4:mxfp4",
    "mxfp6_e3m2:amxfp4",
    "mxint8:mxfp4",
    "mxfp8_e4m3:mxfp4",
    "mxfp8_e5m2:amxfp4",
    "mxfp8_e4m3:mxfp8_e5m2",
    "mxfp8_e5m2:mxint8",
    "fp8_e5m2:mxfp6_e2m3",
]
ACCUMULATORS = [0, 1 << 31, 1, 0x007FFFFF, 0x00800000, 0x3F800000, 0xBF800001, 0x4B7FFFFF]
ACCUMULATORS += [0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001]


def pair(name):
    return tuple(get_format(n) for n in name.split(":"))


def step_size(fa, fb):
    return max(32, fa.block_size or 1, fb.block_size or 1)


def random_codes(rng, fmt, shape, kind):
    width = fmt.element.width
    codes = rng.integers(0, 1 << width, shape)
    if kind == "sparse":
        codes[rng.random(shape) < 0.8] = 0
    elif kind == "large":
        top = (1 << (width - 1)) - 1 - (4 if fmt.element.has_inf else fmt.element.has_nan)
        codes = top | (rng.integers(0, 2, shape) << (width - 1))
    elif kind == "finite" and fmt.element.has_nan:
        codes = np.where(np.isfinite(fmt.element.values[codes]), codes, 1)
    return codes.astype(np.uint8 if width <= 8 else np.uint16)


def random_scales(rng, fmt, n, k, kind):
    if not fmt.has_block_scale:
        return None
    shape = (n, k // fmt.block_size) + ((2,) if fmt.sides == 2 else ())
    if kind == "any":
        return rng.integers(0, 256, shape).astype(np.uint8)
    if fmt.scale.name == "e8m0":
        low, high = {"large": (185, 192), "tiny": (50, 66)}.get(kind, (120, 136))
    else:
        low, high = {"large": (100, 124), "tiny": (0, 12)}.get(kind, (0, 100))
        high = min(high, fmt.scale.nan_code - 3)
    return rng.integers(low, high, shape).astype(np.uint8)


def cases(fa, fb, seed, n=60):
    """Batches of operands and accumulators, named after what they try."""
    rng = np.random.default_rng(seed)
    k = step_size(fa, fb)
    for kind in ("finite", "any", "sparse", "large", "tiny", "cancel"):
        elements = {"any": "any", "large": "large"}.get(
            kind, "sparse" if kind == "sparse" else "finite"
        )
        a, b = (random_codes(rng, f, (n, k), elements) for f in (fa, fb))
        scales = "large" if kind == "large" else "tiny" if kind == "tiny" else "near"
        sa, sb = (random_scales(rng, f, n, k, "any" if kind == "any" else scales) for f in (fa, fb))
        c = rng.integers(0, 1 << 32, n, dtype=np.uint32)
        near = (rng.integers(100, 150, n) << 23 | rng.integers(0, 1 << 23, n)).astype(np.uint32)
        c = np.where(rng.random(n) < 0.7, near | (c & np.uint32(1 << 31)), c).astype(np.uint32)
        if kind == "tiny":
            c &= np.uint32(0x80FFFFFF)
        if kind == "large":
            c |= np.uint32(0x7F000000)
            c &= np.uint32(0xFF7FFFFF)
        if kind == "cancel":
            cancel(rng, fa, fb, a, b, k)
        c[: len(ACCUMULATORS)] = ACCUMULATORS
        yield kind, a, sa, b, sb, c


def cancel(rng, fa, fb, a, b, k):
    """Make the second half the first with the other sign, but for one element here and there."""
    half = k // 2
    a[:, half:] = a[:, :half]
    if isinstance(fa.element, IntFormat):
        a[:, half:] = -a[:, :half]
        a &= (1 << fa.element.width) - 1
    else:
        a[:, half:] ^= 1 << (fa.element.width - 1)
    b[:, half:] = b[:, :half]
    odd = rng.random(len(a)) < 0.5
    a[odd, -1] = a[odd, 0]


@pytest.mark.parametrize("name", PAIRS)
def test_mac_step(name):
    assert check_pair(*pair(name)) > 400


def check_pair(fa, fb):
    """Compare steps of a pair with the oracle's, bit for bit; how many that was."""
    name, checked = f"{fa.name}:{fb.name}", 0
    for kind, a, sa, b, sb, c in cases(fa, fb, seed=1):
        for bits in (None, 24 if oracle.is_grouped(fa, fb) else 13):
            got = mac_step(fa, fb, a, sa, b, sb, c, bits)
            for i in range(0, len(a), 1 if bits is None else 7):
                lists = [None if x is None else x[i].tolist() for x in (a, sa, b, sb)]
                want = oracle.mac_step(fa, fb, *lists, int(c[i]), bits)
                assert int(got[i]) == want, (
                    f"{name} {kind} case {i}: c={int(c[i]):08x} a={lists[0]} scales {lists[1]} "
                    f"b={lists[2]} scales {lists[3]}: {int(got[i]):08x}, not {want:08x}"
                )
                checked += 1
    return checked


@pytest.mark.parametrize("name", PAIRS)
def test_dot(name):
    fa, fb = pair(name)
    unit = oracle.power(fa.element.ulp_exponent + fb.element.ulp_exponent)
    for kind, a, _, b, _, _ in cases(fa, fb, seed=2, n=20):
        got = dot(fa, fb, a, b)
        flagged = got.nan | got.pos_inf | got.neg_inf
        for i in range(len(a)):
            want = [s / unit for s in oracle.dot(fa, fb, a[i].tolist(), b[i].tolist())]
            want = [0] * len(want) if flagged[i] else want
            assert got.sums[i].tolist() == want, f"{name} {kind} case {i}"


CUSTOM = {
    "two-sided e4m3": ("mxfp8_e4m3", {"scale": UE5M2, "sides": 2}, "mxfp4"),
    "two-sided e3m2, blocks of 8": (
        "mxfp6_e3m2",
        {"scale": UE4M3, "sides": 2, "block_size": 8},
        "amxfp4",
    ),
    "two-sided int8, blocks of 64": ("mxint8", {"sides": 2, "block_size": 64}, "nvfp4"),
    "blocks of 256": ("mxint8", {"block_size": 256}, "mxfp6_e3m2"),
    "int4 with ue4m3": ("mxfp4", {"element": INT4, "scale": UE4M3}, "mxint8"),
    "narrow floats with Inf": (
        "mxfp4",
        {"element": FloatFormat("e3m2ieee", 6, 3, 2, 3, "ieee")},
        "mxfp4",
    ),
    "e4m3 with ue4m3": ("mxfp8_e4m3", {"scale": UE4M3, "block_size": 16}, "mxfp8_e5m2"),
}


@pytest.mark.parametrize("name", CUSTOM)
def test_custom_formats(name):
    """Fields combined as no catalogue entry combines them."""
    base, fields, other = CUSTOM[name]
    assert check_pair(replace(get_format(base), **fields), get_format(other)) > 400


def test_dot_specials():
    f = get_format("fp8_e5m2")
    one, zero, inf, nan = 0x3C, 0x80, 0x7C, 0x7F
    a = np.uint8([[inf, one], [inf, inf | 0x80], [inf, one], [zero, one], [nan, inf]])
    b = np.uint8([[one | 0x80, one], [one, one], [zero, one], [one, inf], [one, one]])
    got = dot(f, f, a, b)
    assert got.nan.tolist() == [False, False, True, False, True]
    assert got.pos_inf.tolist() == [False, True, False, True, False]
    assert got.neg_inf.tolist() == [True, True, False, False, False]
    assert not got.sums.any(), "sums beside a flag are 0"


def test_all_pairs_of_codes():
    """Every pair of e2m1 codes, each alone in a step: the product itself."""
    f = get_format("mxfp4")
    a, b = (np.zeros((256, 32), np.uint8) for _ in "ab")
    a[:, 5], b[:, 5] = np.divmod(np.arange(256), 16)
    one = np.full((256, 1), 127, np.uint8)
    got = mac_step(f, f, a, one, b, one, np.zeros(256, np.uint32)).view(np.float32)
    want = f.element.values[a[:, 5]] * f.element.values[b[:, 5]] + 0.0
    assert np.array_equal(got, want) and not np.signbit(got[want == 0]).any()


def test_cancelled_group_keeps_its_exponent():
    """A group that sums to zero still hides what lies 35 bits below it."""
    f = get_format("mxfp4")
    a = np.zeros((1, 64), np.uint8)
    a[0, :2], a[0, 32] = [2, 10], 2
    b = np.full((1, 64), 2, np.uint8)
    scales = np.uint8([[127 + 36, 127]])
    ones = np.uint8([[127, 127]])
    assert mac_step(f, f, a, scales, b, ones, np.zeros(1, np.uint32)).tolist() == [0]
    a[0, 1] = 0
    assert mac_step(f, f, a[:, ::-1] * 0, scales, b, ones, np.uint32([1])).tolist() == [1]


@pytest.mark.parametrize("step", [32, 64])
def test_steps_chain(step):
    """matmul is mac_step after mac_step."""
    from golden import matmul, quantize

    rng = np.random.default_rng(3)
    fa, fb = pair("amxfp4:nvfp4")
    qa = quantize(rng.standard_normal((5, 128)).astype(np.float32), fa)
    qb = quantize(rng.standard_normal((3, 128)).astype(np.float32), fb)
    c = rng.standard_normal((5, 3)).astype(np.float32)
    got = matmul(qa, qb, k=step, c=c)
    acc = c.view(np.uint32)
    for s in range(0, 128, step):
        acc = mac_step(
            fa,
            fb,
            qa.codes[:, None, s : s + step],
            qa.scales[:, None, s // 32 : (s + step) // 32],
            qb.codes[None, :, s : s + step],
            qb.scales[None, :, s // 16 : (s + step) // 16],
            acc,
        )
    assert np.array_equal(got.view(np.uint32), acc)

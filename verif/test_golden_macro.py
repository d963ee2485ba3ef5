"""MBS against the fraction oracle: factors, codes, values, and the product of macro blocks."""

from dataclasses import replace

import numpy as np
import pytest

from golden import dequantize, get_format, matmul, quantize
from golden.arith import mac_step
from golden.formats import E2M3, INT4
from verif import oracle, oracle_quantize

MBS = get_format("mxfp4_mbs")
STATIC, DYNAMIC = (replace(MBS, macro=replace(MBS.macro, method=m)) for m in ("static", "dynamic"))


def tensor(seed, lines, length):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((lines, length)) * np.exp(rng.standard_normal((lines, length)))
    x = np.ldexp(x, rng.integers(-20, 20, (lines, 1))).astype(np.float32)
    x[0, :32] = 0
    x[1] = np.round(x[1] * 4) / 4  # few values: errors that tie
    x[2] = 0.5
    return x


def check(x, fmt, dynamic, role="activations"):
    """Compare factors, scales and codes with the oracle's; how many macro blocks that was."""
    q = quantize(x, fmt, role=role)
    size, block = fmt.macro.size, fmt.block_size
    count = 0
    for i, row in enumerate(x.astype(float)):
        padded = np.pad(row, (0, -len(row) % block)).reshape(-1, block).tolist()
        for m in range(0, len(padded), size // block):
            blocks = padded[m : m + size // block]
            code = oracle_quantize.macro_code(blocks, fmt, dynamic)
            assert q.macro_scales[i, m * block // size] == code, f"line {i} block {m}"
            f = oracle.value(fmt.macro.factor, code)
            for j, values in enumerate(blocks):
                (scale,), codes, _ = oracle_quantize.quantize_block(values, fmt, f=f)
                start = (m + j) * block
                assert q.scales[i, m + j] == scale
                assert q.codes[i, start : start + block].tolist() == codes
            count += 1
    return count


@pytest.mark.parametrize("length", [256, 200])
def test_static(length):
    x = tensor(30, 12, length)
    x[3, 5], x[4, 40] = np.nan, np.inf
    x[5] = 1e-44
    x[6] = 3e38
    assert check(x, STATIC, dynamic=False) == 24


@pytest.mark.parametrize("fmt", [DYNAMIC, replace(DYNAMIC, element=E2M3, scale_rule="floor"),
                                 replace(DYNAMIC, element=INT4, rounding="nearest_away")],
                         ids=["e2m1", "e2m3", "int4"])  # fmt: skip
def test_dynamic(fmt):
    x = tensor(31, 6, 160)
    x[4, 40] = np.inf
    assert check(x, fmt, dynamic=True) == 12


def test_dynamic_ties():
    """Factors whose errors binary64 cannot tell apart: fractions decide."""
    pairs = np.float32([[12, 52], [24, 53], [26, 50], [53, 48], [25, 52]])
    x = np.repeat(pairs, 64, axis=1)
    assert check(x, DYNAMIC, dynamic=True) == 5
    assert (quantize(x, DYNAMIC).macro_scales == 4 << 4).all()


def test_hybrid_is_dynamic_for_weights():
    x = tensor(32, 8, 256)
    for role, method in (("weights", DYNAMIC), ("activations", STATIC)):
        got, want = quantize(x, MBS, role=role), quantize(x, method)
        assert np.array_equal(got.macro_scales, want.macro_scales)
        assert np.array_equal(got.codes, want.codes)
    assert not np.array_equal(quantize(x, MBS, role="weights").codes, quantize(x, MBS).codes)


def test_dequantize_and_product():
    """Each macro block's sum times both binary32 reciprocals, added in binary32."""
    a, b = tensor(33, 5, 300), tensor(34, 4, 300)
    qa, qb = quantize(a, MBS), quantize(b, MBS, role="weights")
    got = matmul(qa, qb, k=64)
    one = np.float32(1)
    ra, rb = (one / (1 + q.macro_scales.astype(np.float32) / 256) for q in (qa, qb))
    for i in range(5):
        for j in range(4):
            total = np.float32(0)
            for m in range(3):
                partial = np.zeros((), np.uint32)
                for step in range(m * 128, min(m * 128 + 128, 320), 64):
                    codes = [q.codes[r, step : step + 64] for q, r in ((qa, i), (qb, j))]
                    scales = [
                        q.scales[r, step // 32 : step // 32 + 2] for q, r in ((qa, i), (qb, j))
                    ]
                    partial = mac_step(MBS, MBS, codes[0], scales[0], codes[1], scales[1], partial)
                total += partial.view(np.float32) * (ra[i, m] * rb[j, m])
            assert got[i, j] == total
    plain = dequantize(replace(qa, format=get_format("mxfp4_oas"), macro_scales=None))
    want = plain.astype(np.float64) * np.repeat(ra, 128, axis=1)[:, :300]
    assert np.array_equal(dequantize(qa), want.astype(np.float32))


def test_pair_with_another_format():
    a, b = tensor(35, 3, 256), tensor(36, 3, 256)
    qa, qb = quantize(a, MBS), quantize(b, "nvfp4")
    got = matmul(qa, qb)
    exact = dequantize(qa).astype(float) @ dequantize(replace(qb, tensor_scale=np.float32(1))).T
    assert np.allclose(got, exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())

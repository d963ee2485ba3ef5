"""Metrics, Hadamard rotation, AQAS and SLAC."""

import re
from dataclasses import replace

import numpy as np
import pytest

from golden import dequantize, get_format, list_formats, matmul, quantize, rescale
from golden.calibration import aqas, slac_statistics, slac_windows
from golden.metrics import asymmetry, clipping_rate, mse, sqnr, underflow_rate
from golden.rotation import rotate


def data(seed=70, shape=(24, 128)):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("name", [n for n in list_formats() if get_format(n).scale is not None])
def test_clipping_rate(name):
    """Beyond the block's largest value is what saturates with an error of more than half a step."""
    fmt = get_format(name)
    x = data(71)
    q = quantize(x, fmt)
    rate = clipping_rate(x, q)
    if fmt.scale_rule == "amax" and fmt.scale.width == 32:
        assert rate < 0.03  # only what rounding the scale and the zero point left outside
    elif fmt.scale_rule == "floor" and fmt.element.name == "e2m1":
        assert 0.005 < rate < 0.08
        y = np.abs(dequantize(q))
        step = y.max(axis=1, keepdims=True)
        assert np.all((np.abs(x) <= step) | (y == step) | (y < step))
    assert 0 <= rate < 0.1


def test_clipping_by_hand():
    x = np.float32([[7.5, -7.5, 6, 0] + [0] * 28])
    assert clipping_rate(x, quantize(x, "mxfp4")) == 2 / 32
    assert clipping_rate(x, quantize(x, replace(get_format("mxfp4"), scale_rule="ceil"))) == 0
    assert clipping_rate(x, quantize(x, "amxfp4_e8m0")) == 2 / 32


def test_errors_of_a_format():
    x = data()
    y = dequantize(quantize(x, "mxfp4"))
    assert np.isclose(sqnr(x, y), 10 * np.log10(np.mean(x.astype(float) ** 2) / mse(x, y)))
    assert sqnr(x, x) == np.inf and mse(x, x) == 0 and underflow_rate(x, x) == 0
    assert 0.05 < underflow_rate(x, y) < 0.2
    assert underflow_rate(np.zeros(3, np.float32), np.zeros(3, np.float32)) == 0


def test_dint_rescues_small_weights():
    """The half steps are there so that small weights do not round to zero."""
    x = data(72)
    rates = [underflow_rate(x, dequantize(quantize(x, n))) for n in ("int4", "dint4")]
    assert rates[1] < 0.6 * rates[0]


def test_asymmetry():
    x = np.float32([[1, -4], [0, 0], [2, 2], [-3, 3]])
    assert asymmetry(x, 2)[:, 0].tolist() == [0.75, 0, 1, 0]
    assert np.array_equal(asymmetry(x.T, 2, axis=0), asymmetry(x, 2))
    assert asymmetry(x, 3).shape == (4, 1)


@pytest.mark.parametrize("n, block", [(128, None), (96, None), (96, 8), (96, 1)])
@pytest.mark.parametrize("seed", [None, 5])
def test_rotation(n, block, seed):
    """Orthonormal: norms and products stay; without signs it is its own inverse."""
    a, b = data(73, (6, n)), data(74, (5, n))
    ra, rb = (rotate(x, block=block, seed=seed) for x in (a, b))
    assert np.allclose(ra @ rb.T, a @ b.T, atol=1e-4)
    assert np.allclose(np.sum(ra**2, axis=1), np.sum(a**2, axis=1), rtol=1e-5)
    if seed is None:
        assert np.allclose(rotate(ra, block=block), a, atol=1e-5)
    assert np.array_equal(rotate(a.T, axis=0, block=block, seed=seed), ra.T)


def test_rotation_helps_int4_with_outliers():
    a, b = data(75), data(76)
    a[:, 7] *= 40
    int4 = replace(get_format("int4"), block_size=32)

    def product(x, y):
        qx, qy = quantize(x, int4), quantize(y, int4)
        return rescale(matmul(qx, qy, "int32"), qx, qy)

    want = a.astype(float) @ b.T
    assert sqnr(want, product(rotate(a), rotate(b))) > sqnr(want, product(a, b)) + 2


def test_aqas():
    """Never worse than no scaling, and what it reports is what it gives."""
    w, x = data(77, (32, 128)), data(78, (64, 128))
    x[:, [3, 90]] *= 30
    for fw, fx in (("mxfp4", "mxfp4"), ("int4", "int8"), ("dint4", "int8")):
        found = aqas(w, x, fw, fx)
        assert found.error <= found.plain_error and found.alpha is not None
        got = dequantize(quantize(x / found.scale, fx)).astype(float)
        got = got @ dequantize(quantize(w * found.scale, fw)).T.astype(float)
        assert np.isclose(np.sum((x.astype(float) @ w.T.astype(float) - got) ** 2), found.error)


def test_slac():
    tokens = np.arange(1000)
    windows = slac_windows(tokens, 16, 50, seed=1)
    assert windows.shape == (50, 16) and np.all(np.diff(windows, axis=1) == 1)
    activations = data(79, (4, 16, 8))
    found = slac_statistics(activations, 16)
    assert np.array_equal(found.amax, np.abs(activations).max(axis=(0, 1)))
    assert np.allclose(found.mean, np.abs(activations).mean(axis=(0, 1)))


BAD = {
    "shapes": (
        lambda: mse(np.ones(2), np.ones(3)),
        "Arrays must have one shape, not (2,) and (3,)",
    ),
    "plain": (
        lambda: clipping_rate(np.ones(2), quantize(np.ones(2, np.float32), "bf16")),
        "Format must have scales, not bf16",
    ),
    "group": (
        lambda: asymmetry(np.ones(2), 0),
        "Group must be at least 1 of some elements, not 0 of (2,)",
    ),
    "block": (
        lambda: rotate(np.ones(12, np.float32), block=8),
        "Block must be a power of two that divides 12, not 8",
    ),
    "operands": (
        lambda: aqas(np.ones((2, 3)), np.ones((2, 4)), "mxfp4", "mxfp4"),
        "Operands must be (rows, K) with one K, not (2, 3) and (2, 4)",
    ),
    "window": (lambda: slac_windows(np.ones(4), 5, 1), "Length must be from 1 to 4 tokens, not 5"),
    "length": (
        lambda: slac_statistics(np.ones((1, 8, 2)), 16),
        "Activations must be (sequences, 16, K), the task's length, not (1, 8, 2)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_message(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()

"""Dense storage, and exchange with ml_dtypes."""

import re

import ml_dtypes
import numpy as np
import pytest

from golden import dequantize, from_codes, get_format, list_formats, quantize
from golden.interop import from_ml_dtypes, to_ml_dtypes
from golden.packing import pack, unpack


@pytest.mark.parametrize("width", [*range(1, 9), 16])
def test_round_trip(width):
    """Bit i of element j is bit j * width + i of the stream, for every width and ragged count."""
    rng = np.random.default_rng(60)
    for count in (1, 2, 3, 7, 8, 32, 33):
        codes = rng.integers(0, 1 << width, (3, count))
        data = pack(codes, width)
        assert data.shape == (3, -(-count * width // 8))
        for row, stored in zip(codes.tolist(), data):
            stream = sum(c << (i * width) for i, c in enumerate(row))
            assert int.from_bytes(stored.tobytes(), "little") == stream
        assert np.array_equal(unpack(data, width, count), codes)


def test_nibbles():
    """Even index in the low nibble, as GGUF, safetensors and the FP4 kernels have it."""
    assert pack(np.arange(16), 4).tolist() == [0x10 * (i + 1) + i for i in range(0, 16, 2)]


BAD = {
    "kind": (lambda: pack(np.ones(3), 4), TypeError, "Codes must be integers, not float64"),
    "range": (lambda: pack(np.array([16]), 4), ValueError, "Codes must be from 0 to 15, not 16"),
    "scalar": (
        lambda: pack(np.array(1), 4),
        ValueError,
        "Codes must have at least one dimension, not 0",
    ),
    "width": (
        lambda: pack(np.array([1]), 0),
        ValueError,
        "Width must be 1 to 8 or 16, not 0",
    ),
    "data": (lambda: unpack(np.array([1]), 4, 2), TypeError, "Data must be uint8, not int64"),
    "count": (
        lambda: unpack(np.uint8([1]), 4, 3),
        ValueError,
        "Data must have 2 bytes along the last axis, not (1,)",
    ),
    "type": (
        lambda: from_ml_dtypes(np.uint8([1]), "fp8_e4m3"),
        TypeError,
        "Elements must be float8_e4m3fn, not uint8",
    ),
    "dint": (
        lambda: to_ml_dtypes(quantize(np.float32([1]), "dint4")),
        TypeError,
        "Format must be one that ml_dtypes has, not dint4",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_message(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("name", [n for n in list_formats() if not n.startswith("dint4")])
def test_ml_dtypes(name):
    """Both ways without a change, and ml_dtypes' values are ours."""
    fmt = get_format(name)
    x = np.random.default_rng(61).standard_normal((4, 64)).astype(np.float32)
    q = quantize(x, fmt)
    elements, scales = to_ml_dtypes(q)
    back = from_ml_dtypes(elements, fmt, scales, tensor_scale=q.tensor_scale)
    assert np.array_equal(back.codes, q.codes)
    if q.macro_scales is None:
        assert np.array_equal(dequantize(back), dequantize(q))
    values = elements.astype(np.float64)
    if name == "mxint8":
        values /= 64
    assert np.array_equal(values, fmt.element.values[q.codes])
    if scales is not None and fmt.scale.width <= 8:
        assert np.array_equal(scales.astype(float), fmt.scale.values[q.scales])


@pytest.mark.parametrize("name", list_formats())
@pytest.mark.parametrize("axis", [0, 1])
def test_from_codes(name, axis):
    """What quantize made, taken apart and put together."""
    x = np.random.default_rng(62).standard_normal((64, 64)).astype(np.float32)
    q = quantize(x, name, axis=axis)
    back = from_codes(q.codes, name, q.scales, axis, q.tensor_scale, q.macro_scales, q.zero_points)
    assert np.array_equal(dequantize(back), dequantize(q))


def test_negative_integers():
    elements = np.array([-8, -1, 7], ml_dtypes.int4)
    q = from_ml_dtypes(elements, "int4", np.float32([1]))
    assert q.codes.tolist() == [8, 15, 7] and dequantize(q).tolist() == [-8, -1, 7]
    assert to_ml_dtypes(q)[0].dtype == ml_dtypes.int4


def test_bfloat16_input():
    x = np.array([1.5, -3, 0.1], ml_dtypes.bfloat16)
    assert np.array_equal(quantize(x, "mxfp4").codes, quantize(x.astype(np.float32), "mxfp4").codes)
    assert np.array_equal(quantize(x, "bf16").codes, x.view(np.uint16))
    assert from_codes(x.view(np.uint16), "bf16").codes.dtype == np.uint16

"""Bad input to golden: each message whole, in the house's wording."""

import re
from dataclasses import replace

import numpy as np
import pytest

from golden import dequantize, from_codes, get_format, list_formats, matmul, quantize
from golden.arith import mac_step
from golden.exact import Window
from golden.product import MODES

X = np.ones((2, 32), np.float32)
CODES = np.ones((2, 32), np.uint8)
SCALES = np.full((2, 1), 127, np.uint8)
ONES = np.ones((2, 1), np.float32)
NAMES = ", ".join(list_formats())
NAN = np.where(np.eye(2, 32) > 0, np.float32(np.nan), X)

CASES = {
    "unknown format": (
        lambda: quantize(X, "mxfp5"),
        ValueError,
        f"Format must be one of {NAMES}, not 'mxfp5'",
    ),
    "no format": (
        lambda: quantize(X, 4),
        TypeError,
        "Format must be a BlockFormat or a name, not 4",
    ),
    "complex": (
        lambda: quantize(X * 1j, "mxfp4"),
        TypeError,
        "x must be real numbers, not complex64",
    ),
    "bool": (lambda: quantize(X > 0, "mxfp4"), TypeError, "x must be real numbers, not bool"),
    "float64": (
        lambda: quantize(X.astype(np.float64) / 3, "mxfp4"),
        ValueError,
        "x must be exact in float32, or inexact be true, not rounded float64",
    ),
    "int64": (
        lambda: quantize(np.array([2**24 + 1]), "mxfp4"),
        ValueError,
        "x must be exact in float32, or inexact be true, not rounded int64",
    ),
    "scalar": (
        lambda: quantize(np.float32(1), "mxfp4"),
        ValueError,
        "x must have at least one element along every axis, not shape ()",
    ),
    "empty": (
        lambda: quantize(X[:0], "mxfp4"),
        ValueError,
        "x must have at least one element along every axis, not shape (0, 32)",
    ),
    "axis range": (
        lambda: quantize(X, "mxfp4", axis=2),
        ValueError,
        "Axis must be from -2 to 1 for 2 dimensions, not 2",
    ),
    "axis kind": (
        lambda: quantize(X, "mxfp4", axis=1.0),
        TypeError,
        "Axis must be an int, not 1.0",
    ),
    "axis none": (
        lambda: quantize(X, "mxfp4", axis=None),
        ValueError,
        "Axis must be given for mxfp4, which has blocks of 32, not None",
    ),
    "nan": (
        lambda: quantize(NAN, "int8"),
        ValueError,
        "x must be finite for int8, whose scale marks no NaN block",
    ),
    "code range": (
        lambda: from_codes(CODES * 16, "mxfp4", SCALES),
        ValueError,
        "Codes must be from 0 to 15, not 16",
    ),
    "code kind": (
        lambda: from_codes(X, "mxfp4", SCALES),
        TypeError,
        "Codes must be integers, not float32",
    ),
    "code shape": (
        lambda: from_codes(CODES[:, :31], "mxfp4", SCALES),
        ValueError,
        "Codes must be whole blocks of 32 along axis 1, not 31",
    ),
    "no scales": (
        lambda: from_codes(CODES, "mxfp4"),
        ValueError,
        "Scales must be given for mxfp4, not None",
    ),
    "needless scales": (
        lambda: from_codes(CODES, "fp8_e4m3", SCALES),
        ValueError,
        "Scales must be None for fp8_e4m3, which has no scale",
    ),
    "scale shape": (
        lambda: from_codes(CODES, "amxfp4", SCALES),
        ValueError,
        "Scales of amxfp4 must have shape (2, 1, 2), not (2, 1)",
    ),
    "scale sign": (
        lambda: from_codes(CODES[:, :16], "nvfp4", SCALES + 1),
        ValueError,
        "Scales must be from 0 to 127, not 128",
    ),
    "scale kind": (
        lambda: from_codes(CODES, "int8", SCALES),
        TypeError,
        "Scales of int8 must be float32, not uint8",
    ),
    "tensor scale": (
        lambda: from_codes(CODES, "mxfp4", SCALES, tensor_scale=2.0),
        ValueError,
        "Tensor scale must be None for mxfp4, not 2.0",
    ),
    "macro scales": (
        lambda: from_codes(CODES, "mxfp4", SCALES, macro_scales=SCALES),
        ValueError,
        "Macro scales must be None for mxfp4, which has none",
    ),
    "macro scale shape": (
        lambda: from_codes(CODES, "mxfp4_mbs", SCALES, macro_scales=SCALES[:1]),
        ValueError,
        "Macro scales must have shape (2, 1), not (1, 1)",
    ),
    "zero points": (
        lambda: from_codes(CODES, "dint4", ONES, zero_points=SCALES),
        ValueError,
        "Zero points must be None for dint4, which has none",
    ),
    "zero point range": (
        lambda: from_codes(CODES, "dint4_asym", ONES, zero_points=SCALES * 0 + 14),
        ValueError,
        "Zero points must be from 0 to 13, not 14",
    ),
    "role": (
        lambda: quantize(X, "mxfp4", role="weight"),
        ValueError,
        "Role must be activations or weights, not 'weight'",
    ),
    "rule": (
        lambda: quantize(X, replace(get_format("mxfp4"), scale_rule="max")),
        ValueError,
        "scale_rule must be one of floor, ceil, rceil, even, oas, amax, not 'max'",
    ),
    "accumulator": (
        lambda: matmul(quantize(X, "mxfp4"), quantize(X, "mxfp4"), "fp16"),
        ValueError,
        f"Accumulator must be one of {', '.join(MODES)}, not 'fp16'",
    ),
    "accumulator of int8": (
        lambda: matmul(quantize(X, "int8"), quantize(X, "int8")),
        ValueError,
        "Accumulator must be int32 for int8, not 'fp32'",
    ),
    "fraction bits elsewhere": (
        lambda: matmul(quantize(X, "mxfp4"), quantize(X, "mxfp4"), "exact", fraction_bits=24),
        ValueError,
        "Fraction bits must be None for accumulator exact, not 24",
    ),
    "window": (
        lambda: matmul(quantize(X, "mxfp4"), quantize(X, "mxfp4"), window=Window(0, 1, 1)),
        ValueError,
        "Window must be None for accumulator fp32, not Window(low=0, high=1, length=1)",
    ),
    "empty window": (
        lambda: Window(3, 3, 1),
        ValueError,
        "Window must have high above low, not 3 and 3",
    ),
    "window length": (
        lambda: Window(0, 3, 0),
        ValueError,
        "Window length must be at least 1, not 0",
    ),
    "int32 of floats": (
        lambda: matmul(quantize(X, "mxfp4"), quantize(X, "mxfp4"), "int32"),
        ValueError,
        "Elements for int32 must be integers, not e2m1",
    ),
    "int32 of mxint8": (
        lambda: matmul(quantize(X, "mxint8"), quantize(X, "mxint8"), "int32"),
        ValueError,
        "Scales for int32 must be binary32 or none, not e8m0",
    ),
    "int32 of groups": (
        lambda: matmul(
            *(quantize(X, replace(get_format("int8"), block_size=b)) for b in (8, 12)), "int32"
        ),
        ValueError,
        "Groups must divide each other, not 8 and 12",
    ),
    "int32 start": (
        lambda: matmul(quantize(X, "int8"), quantize(X, "int8"), "int32", c=X[:, :2]),
        TypeError,
        "c must be int32, not float32",
    ),
    "preset elements": (
        lambda: matmul(quantize(X, "bf16"), quantize(X, "bf16"), "hopper_fp16"),
        ValueError,
        "Elements for hopper_fp16 must be one of fp16, not bf16",
    ),
    "preset scales": (
        lambda: matmul(quantize(X, "nvfp4"), quantize(X, "nvfp4"), "blackwell_mxfp4_k64"),
        ValueError,
        "Scales for blackwell_mxfp4_k64 must be one-sided e8m0, not those of nvfp4",
    ),
    "macro step": (
        lambda: matmul(quantize(X, "mxfp4_mbs"), quantize(X, "mxfp4_mbs"), k=256),
        ValueError,
        "K must divide one macro block of both, not 256 and [128]",
    ),
    "macro mode": (
        lambda: matmul(quantize(X, "mxfp4_mbs"), quantize(X, "mxfp4_mbs"), "exact"),
        ValueError,
        "Accumulator must be fp32 for formats with macro blocks, not 'exact'",
    ),
    "fraction bits": (
        lambda: mac_step(
            *[get_format("mxfp4")] * 2, CODES, SCALES, CODES, SCALES, np.zeros(2, np.uint32), 60
        ),
        ValueError,
        "Fraction bits must be at most 49, not 60",
    ),
    "dequantize": (
        lambda: dequantize(X),
        TypeError,
        "Operand must be a Quantized, not ndarray",
    ),
    "matmul kind": (
        lambda: matmul(X, X),
        TypeError,
        "Operand must be a Quantized, not ndarray",
    ),
    "matmul shape": (
        lambda: matmul(quantize(X, "mxfp4"), quantize(X[:, :16], "mxfp4")),
        ValueError,
        "Operands must have the same K, not 32 and 16",
    ),
    "matmul axis": (
        lambda: matmul(quantize(X, "mxfp4", axis=0), quantize(X, "mxfp4")),
        ValueError,
        "Operand must be (rows, K) with blocks along K, not (2, 32) along 0",
    ),
    "step": (
        lambda: matmul(quantize(X, "mxfp4"), quantize(X, "nvfp4"), k=16),
        ValueError,
        "K must be a multiple of mxfp4's and nvfp4's blocks, not 16",
    ),
    "c kind": (
        lambda: matmul(quantize(X, "mxfp4"), quantize(X, "mxfp4"), c=np.zeros((2, 2))),
        TypeError,
        "c must be float32, not float64",
    ),
    "c shape": (
        lambda: matmul(quantize(X, "mxfp4"), quantize(X, "mxfp4"), c=X),
        ValueError,
        "c must have shape (2, 2), not (2, 32)",
    ),
    "blocks": (
        lambda: matmul(
            quantize(X, replace(get_format("mxfp4"), block_size=24)), quantize(X, "nvfp4"), k=48
        ),
        ValueError,
        "Block sizes must divide each other, not 24 and 16",
    ),
    "mac scales": (
        lambda: mac_step(*[get_format("mxfp4")] * 2, CODES, None, CODES, SCALES, np.uint32(0)),
        ValueError,
        "Scales must be given for mxfp4, not None",
    ),
    "mac scale shape": (
        lambda: mac_step(
            *[get_format("mxfp4")] * 2, CODES, SCALES[:1], CODES, SCALES, np.uint32(0)
        ),
        ValueError,
        "Scales must have shape (2, 1), not (1, 1)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    call, kind, message = CASES[name]
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()


def test_exact_conversions():
    """What binary32 holds exactly is taken as it is, whatever its type."""
    want = quantize(np.float32([1, 2, -3, 2**24]), "mxfp8_e4m3").codes
    for dtype in (np.float64, np.float16, np.int8, np.int64, np.uint32):
        x = np.array([1, 2, 3, 4]).astype(dtype)
        assert np.array_equal(
            quantize(x, "mxfp4").codes, quantize(np.float32([1, 2, 3, 4]), "mxfp4").codes
        )
    assert np.array_equal(quantize(np.array([1, 2, -3, 2**24]), "mxfp8_e4m3").codes, want)
    third = np.array([1 / 3])
    assert quantize(third, "bf16", inexact=True).codes == quantize(np.float32(third), "bf16").codes
    assert np.array_equal(quantize([1.0, 2.0, -3.0, 2.0**24], "mxfp8_e4m3").codes, want)


def test_results_are_new():
    """Nothing that goes in is changed or shared."""
    x = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32)
    c = np.ones((4, 4), np.float32)
    before, start = x.copy(), c.copy()
    q = quantize(x, "nvfp4")
    d = matmul(q, q, c=c)
    dequantize(q)
    assert np.array_equal(x, before) and np.array_equal(c, start) and not np.shares_memory(c, d)

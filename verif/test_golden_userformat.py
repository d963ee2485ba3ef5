"""Formats from TOML files: the worked examples, and every message."""

import re
from pathlib import Path

import numpy as np
import pytest

from golden import dequantize, get_format, matmul, quantize
from golden.formats import ELEMENTS, FORMATS, ROUNDINGS, SCALE_RULES
from golden.userformat import KEYS, SCALES, parse_format
from verif.test_golden_mac import check_pair
from verif.test_golden_quantize import check, random_blocks

EXAMPLES = sorted((Path(__file__).parent.parent / "docs" / "formats").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples(path):
    """Each quantizes as the oracle does, and a name may stand for it everywhere."""
    assert len(EXAMPLES) == 3
    fmt = get_format(str(path))
    assert fmt.name == path.stem
    rng = np.random.default_rng(50)
    assert check(random_blocks(rng, 150, fmt.block_size), fmt) == 150
    x = rng.standard_normal((4, 3 * fmt.block_size)).astype(np.float32)
    q = quantize(x, str(path))
    step = 128
    d = matmul(q, quantize(x, "mxfp4"), k=step)
    want = dequantize(q).astype(float) @ dequantize(quantize(x, "mxfp4")).T
    assert np.allclose(d, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
@pytest.mark.parametrize("other", ["amxfp4", "mxfp8_e4m3"])
def test_mac_step(path, other):
    assert check_pair(get_format(str(path)), get_format(other)) > 400


def test_example_values():
    assert get_format(str(EXAMPLES[1])).element.values[:16].tolist() == [
        *(0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75),
        *(2, 2.5, 3, 3.5, 4, 5, 6, 7),
    ]
    assert get_format(str(EXAMPLES[0])).bits_per_element == 4.5
    assert get_format(str(EXAMPLES[2])).bits_per_element == 4.125


E = {"element": "e2m1", "scale": "e8m0"}
MESSAGES = {
    "key": (
        E | {"blocksize": 16},
        f"key must be one of {', '.join(KEYS)}, not 'blocksize'",
    ),
    "no element": ({"scale": "e8m0"}, "element must be given, a name or a table"),
    "name": (
        E | {"name": "My-FP4"},
        "name must be lower-case letters, digits and underscores, not 'My-FP4'",
    ),
    "name taken": (E | {"name": "mxfp4"}, "name must be none of the catalogue's, not 'mxfp4'"),
    "element name": (
        E | {"element": "e2m2"},
        f"element must be one of {', '.join(ELEMENTS)}, not 'e2m2'",
    ),
    "element kind": (E | {"element": 4}, "element must be a name or a table, not 4"),
    "element key": (
        E | {"element": {"exponent_width": 2, "mantissa": 1}},
        "element key must be one of exponent_width, mantissa_width, bias, specials, not 'mantissa'",
    ),
    "element missing": (
        E | {"element": {"exponent_width": 2}},
        "element.mantissa_width must be given, an integer from 1 to 6",
    ),
    "element range": (
        E | {"element": {"exponent_width": 6, "mantissa_width": 1}},
        "element.exponent_width must be an integer from 1 to 5, not 6",
    ),
    "element width": (
        E | {"element": {"exponent_width": 5, "mantissa_width": 4}},
        "element must have at most 8 bits, not 10",
    ),
    "element specials": (
        E | {"element": {"exponent_width": 1, "mantissa_width": 4, "specials": "ieee"}},
        "element.specials must be none or nan for one exponent bit, not 'ieee'",
    ),
    "integer width": (
        E | {"element": {"width": 16}},
        "element.width must be an integer from 2 to 8, not 16",
    ),
    "integer kind": (
        E | {"element": {"width": True}},
        "element.width must be an integer from 2 to 8, not True",
    ),
    "scale": (
        E | {"scale": "e4m3"},
        f"scale must be one of {', '.join(SCALES)}, not 'e4m3'",
    ),
    "block small": (E | {"block_size": 4}, "block_size must be an integer from 8 to 256, not 4"),
    "block large": (
        E | {"block_size": 512},
        "block_size must be an integer from 8 to 256, not 512",
    ),
    "rule": (
        E | {"scale_rule": "max"},
        f"scale_rule must be one of {', '.join(SCALE_RULES)}, not 'max'",
    ),
    "rounding": (
        E | {"rounding": "up"},
        f"rounding must be one of {', '.join(ROUNDINGS)}, not 'up'",
    ),
    "sides": (E | {"sides": 3}, "sides must be an integer from 1 to 2, not 3"),
    "tensor scale": (
        E | {"tensor_scale": 1},
        "tensor_scale must be true or false, not 1",
    ),
    "tensor scale of e8m0": (
        E | {"tensor_scale": True},
        "tensor_scale must be false for e8m0 scales, not true",
    ),
    "macro": (E | {"macro": 128}, "macro must be a table, not 128"),
    "macro key": (
        E | {"macro": {"length": 128}},
        "macro key must be one of size, method, not 'length'",
    ),
    "macro method": (
        E | {"macro": {"method": "best"}},
        "macro.method must be one of static, dynamic, hybrid, not 'best'",
    ),
    "macro size": (
        E | {"macro": {"size": 100}},
        "macro.size must be a multiple of 32, not 100",
    ),
    "macro scale": (
        E | {"macro": {}, "scale": "ue4m3"},
        "macro must have one-sided e8m0 scales of a block size below it",
    ),
    "integer without a scale": (
        {"element": "int8"},
        "scale must be given for int8 elements, not None",
    ),
    "wide element": (
        {"element": "bf16", "scale": "e8m0"},
        "element must have at most 8 bits under a scale, not bf16",
    ),
    "dint sides": (
        {"element": "dint4", "scale": "fp32", "sides": 2},
        "sides must be 1 for dINT elements, not 2",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    table, message = MESSAGES[name]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_format(table)


def test_files(tmp_path):
    """Messages about a file name it; the catalogue's names stay what they are."""
    path = tmp_path / "bad.toml"
    with pytest.raises(
        ValueError, match=re.escape(f"{path} must be a readable file, not one with: No such")
    ):
        get_format(str(path))
    path.write_text("element = ")
    with pytest.raises(ValueError, match=re.escape(f"{path} must be TOML, not text with: ")):
        get_format(str(path))
    path.write_text('element = "e9"')
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: element must be one of "):
        get_format(str(path))
    assert get_format("mxfp4") is FORMATS["mxfp4"]

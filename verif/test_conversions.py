"""Dequantizers and requantizing tiles: golden against exact fractions, RTL against golden."""

import os
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gen import verilog
from gen.catalogue import DEQUANTIZERS, REQUANTIZERS, SUPPORTED, tier
from gen.configure import configure
from gen.errors import UsageError
from gen.sim import run
from golden import dequantize, from_codes, get_format, list_formats
from golden.dequantizer import dequantize_blocks
from verif import layers
from verif.bench_dequantizer import DequantizerStimuli
from verif.test_rtl import lint

SEED = int(os.environ.get("SEED") or 1)
ENTRIES = {entry.name: entry for entry in (*DEQUANTIZERS, *REQUANTIZERS)}
ON_VERILATOR = ("dequantizer_mxfp8_e5m2_bf16", "dequantizer_nvfp4_bf16")
ON_ICARUS = (
    "dequantizer_amxfp4_fp32",
    "dequantizer_int8_fp32_k8",
    "dequantizer_fp16_bf16_k4",
    "requantize_amxfp4_mxfp4_2x3x32_fp32_bf16_p2_to_int8",
)
CODES = [name for name in list_formats() if name != "dint4_asym"]


@pytest.mark.parametrize("name", ON_VERILATOR)
def test_verilator(name):
    report = check(name, "verilator", 2000)
    blocks = next(part["checked"] for part in report.parts if part["name"] == "random")
    assert blocks == 2000


@pytest.mark.parametrize("name", ON_ICARUS)
def test_icarus(name):
    check(name, "icarus", 60)


def check(name, simulator, count):
    report = run(ENTRIES[name].configuration, simulator, SEED, count)
    assert report.mismatch is None
    names = " ".join(part["name"] for part in report.parts)
    assert all(part in names for part in ("random", "stalls", "after reset 8"))
    assert all(part["checked"] > 0 for part in report.parts)
    return report


@pytest.mark.parametrize(("pair", "fmt"), layers.CASES[1:])
def test_quantizer_tile_quantizer(pair, fmt):
    """What the simulated quantizers give drives the tile; its quantizer gives golden's codes."""
    assert layers.check(pair, fmt, "icarus", SEED, steps=1, m=1) > 16


@pytest.mark.parametrize(
    "entry",
    [*tier(SUPPORTED, DEQUANTIZERS), *tier(SUPPORTED, REQUANTIZERS)],
    ids=lambda entry: entry.name,
)
def test_lint(entry, tmp_path):
    path, _ = verilog.write(entry.configuration, tmp_path)
    assert lint(path) == ""


def test_catalogue():
    """Every format without zero points is dequantized to both results."""
    made = [entry.configuration for entry in DEQUANTIZERS]
    assert {(c.fmt.name, c.out) for c in made} >= {(f, o) for f in CODES for o in ("fp32", "bf16")}


@pytest.mark.parametrize("name", CODES)
def test_golden_against_fractions(name, rng):
    """golden.dequantize_blocks is the exact product, rounded once; NaN is 0x7FC00000."""
    stimuli = DequantizerStimuli(configure("dequantizer", fmt=name), rng).random(24)
    fmt, group = get_format(name), stimuli.configuration.group
    blocks = 1 if stimuli.scales is None else stimuli.scales.shape[1] // fmt.sides
    got = stimuli.expected.view(np.float32)
    for i, row in enumerate(stimuli.codes):
        for k, value in enumerate(fmt.element.values[row].tolist()):
            factors = factors_of(stimuli, i, k * blocks // group, value < 0)
            if not np.isfinite([value, *factors]).all():
                inf = np.isinf(value) and np.isfinite(factors).all() and 0 not in factors
                assert np.isinf(got[i, k]) if inf else stimuli.expected[i, k] == 0x7FC00000
                continue
            exact = Fraction(value)
            for factor in factors:
                exact *= Fraction(factor)
            assert nearest(exact, float(got[i, k]))


def factors_of(stimuli, i, block, negative):
    """What an element of one block is multiplied by, as floats."""
    fmt = stimuli.configuration.fmt
    factors = []
    if stimuli.scales is not None:
        own = stimuli.scales[i].reshape(-1, fmt.sides)[block] & (
            (1 << fmt.scale.exponent_width + fmt.scale.mantissa_width) - 1
        )
        values = fmt.scale.values[own]
        finite = bool(np.isfinite(values).all())
        factors.append(float(values[-1 if negative else 0]) if finite else float("nan"))
    if stimuli.outside is not None:
        value = float(stimuli.outside[i : i + 1].view(np.float32)[0])
        factors.append(value if np.isfinite(value) else float("nan"))
    if stimuli.macro is not None:
        factors.append(float(np.float32(1) / np.float32(1 + stimuli.macro[i] / 256)))
    return factors


def nearest(exact, got):
    """Whether binary32 has no value nearer to a fraction than ``got``, ties to even."""
    if np.isinf(got):
        return abs(exact) >= Fraction(2) ** 128 - Fraction(2) ** 103
    x = np.float32(got)
    error = abs(exact - Fraction(got))
    for other in (np.nextafter(x, np.float32(np.inf)), np.nextafter(x, np.float32(-np.inf))):
        apart = Fraction(2) ** 128 if np.isinf(other) else abs(Fraction(float(other)))
        there = abs(exact - (apart if other > 0 else -apart))
        if there < error or (there == error and x.view(np.uint32) & 1):
            return False
    return True


def test_every_nan_is_canonical():
    codes = np.array([0xFF, 0x7F], np.uint8)
    assert (dequantize(from_codes(codes, "fp8_e4m3")).view(np.uint32) == 0x7FC00000).all()
    block = np.array([[0xFF, 0x7D, 0x7C, 0xFC] * 8], np.uint8)
    for scale, want in ((127, [0x7FC00000, 0x7FC00000, 0x7F800000, 0xFF800000]), (255, None)):
        scales = np.array([[scale]], np.uint8)
        got = dequantize_blocks(block, get_format("mxfp8_e5m2"), scales).view(np.uint32)
        assert got[0, :4].tolist() == (want or [0x7FC00000] * 4)


def test_scales_that_are_not_finite():
    fmt, scales = get_format("nvfp4"), np.full((2, 1), 0x38, np.uint8)
    codes = np.zeros((2, 16), np.uint8)
    t = np.array([np.inf, np.nan], np.float32)
    assert np.isnan(dequantize_blocks(codes, fmt, scales, t)).all()
    q = replace(from_codes(codes[:1], fmt, scales[:1]), tensor_scale=np.float32(np.inf))
    assert np.isnan(dequantize(q)).all()


REFUSED = {
    "Format of a dequantizer must have no zero points, which dint4_asym has": {"fmt": "dint4_asym"},
    "OUT must be fp32 or bf16, not 'fp16'": {"fmt": "mxfp4", "out": "fp16"},
    "K must be left out for mxfp4, whose block decides, not 64": {"fmt": "mxfp4", "k": 64},
    "LANES must be left out for unit dequantizer, not 4": {"fmt": "mxfp4", "lanes": 4},
    "NEXT must be left out for unit dequantizer, not 'mxfp4'": {
        "fmt": "mxfp4",
        "following": "mxfp4",
    },
    "NEXT must have groups of at most 64 elements, the longest row, not the 128 of mxfp4_mbs": {
        "unit": "requantize",
        "following": "mxfp4_mbs",
    },
    "N must be a multiple of the 32 elements of mxfp4's block, not 48": {
        "unit": "requantize",
        "fmt": "mxfp4",
        "n": "48",
    },
    "Format of a quantizer must have a scale, which bf16 has not": {
        "unit": "requantize",
        "following": "bf16",
    },
    "Accumulator of unit requantize must give binary32, not int32": {
        "unit": "requantize",
        "fmt": "int8",
    },
    "M must be from 1 to 64, not 65": {"unit": "requantize", "fmt": "mxfp4", "m": "65"},
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(UsageError) as error:
        configure(**{"unit": "dequantizer", **REFUSED[message]})
    assert str(error.value) == message

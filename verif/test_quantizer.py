"""Quantizers: golden against the exact oracle, RTL against golden on both simulators."""

import math
import os
from fractions import Fraction

import numpy as np
import pytest

from gen import verilog
from gen.catalogue import QUANTIZERS, SUPPORTED, tier
from gen.configure import configure
from gen.errors import UsageError
from gen.sim import run
from golden import get_format
from golden.quantizer import quantize_blocks
from verif import oracle_quantize, quantizer_page
from verif.bench_groups import to_float32
from verif.bench_quantizer import QuantizerStimuli
from verif.test_rtl import lint

SEED = int(os.environ.get("SEED") or 1)
ENTRIES = tier(SUPPORTED, QUANTIZERS)
ON_ICARUS = ("quantizer_mxfp4_bf16", "quantizer_nvfp4_fp32", "quantizer_mxfp4_mbs_bf16_l8")
BLOCKS = {"verilator": 4000, "icarus": 60}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_verilator(entry):
    check(entry.configuration, "verilator")
    assert lint(verilog.FOLDER / f"{entry.name}.v") == ""


@pytest.mark.parametrize("name", ON_ICARUS)
def test_icarus(name):
    (entry,) = [entry for entry in ENTRIES if entry.name == name]
    check(entry.configuration, "icarus")


def check(configuration, simulator):
    report = run(configuration, simulator, SEED, BLOCKS[simulator])
    assert report.mismatch is None
    names = " ".join(part["name"] for part in report.parts)
    for part in ("every bfloat16", "thresholds", "random", "stalls", "after reset 8"):
        assert part in names
    assert all(part["checked"] > 0 for part in report.parts)
    blocks = next(part["checked"] for part in report.parts if part["name"] == "random")
    assert blocks == BLOCKS[simulator] * configuration.group // configuration.lanes


def test_catalogue():
    """Every entry is there once; all rules, inputs and formats with a scale are among them."""
    made = [entry.configuration for entry in QUANTIZERS]
    assert len({c.name for c in made}) == len(made)
    assert {c.fmt.scale_rule for c in made} == {"floor", "ceil", "rceil", "even", "oas", "amax"}
    assert {c.source for c in made} == {"fp32", "bf16", "fp16"}


@pytest.mark.parametrize("fmt", ["nvfp4", "int8", "int4", "dint4", "amxfp4"])
def test_golden_with_scales_from_outside(fmt, rng):
    """golden.quantize_blocks against exact fractions."""
    configuration = configure("quantizer", fmt=fmt, source="bf16")
    stimuli = QuantizerStimuli(configuration, rng).random(40)
    x, chosen = to_float32(stimuli.codes, "bf16"), get_format(fmt)
    codes, scales, _, special = stimuli.expected
    for i, row in enumerate(x.tolist()):
        outside = None if stimuli.outside is None else Fraction(float(stimuli.outside[i]))
        if chosen.has_block_scale:
            expected = oracle_quantize.quantize_block(row, chosen, outside)
            assert (scales[i].tolist(), codes[i].tolist()) == expected[:2]
        elif special[i]:
            assert not all(map(math.isfinite, row)) and not codes[i].any()
        else:
            away = chosen.rounding == "nearest_away"
            nearest = [
                oracle_quantize.nearest(chosen.element, Fraction(v) / outside, away) for v in row
            ]
            assert codes[i].tolist() == nearest


def test_a_scale_of_zero_gives_zeros():
    codes, *_ = quantize_blocks(np.float32([[1, -2]]), get_format("int8"), scales=np.float32([0]))
    assert codes.tolist() == [[0, 0]]


REFUSED = {
    "LANES must divide the 32 elements of mxfp4, not be 5": {"fmt": "mxfp4", "lanes": 5},
    "LANES must be from 1 to 16, not 17": {"fmt": "nvfp4", "lanes": 17},
    "RULE must be one of floor, ceil, rceil, even, oas, amax, not 'round'": {
        "fmt": "mxfp4",
        "rule": "round",
    },
    "RULE must be amax for amxfp4_floor, whose scale is ue5m2, not 'floor'": {
        "fmt": "amxfp4",
        "rule": "floor",
    },
    "IN must be fp32 or bf16 or fp16, not 'int8'": {"fmt": "mxfp4", "source": "int8"},
    "Format of a quantizer must have a scale, which bf16 has not": {"fmt": "bf16"},
    "Format of a quantizer must have no zero points, which dint4_asym has": {"fmt": "dint4_asym"},
    "K must be left out for mxfp4, whose block decides, not 64": {"fmt": "mxfp4", "k": 64},
    "M must be left out for unit quantizer, not 4": {"fmt": "mxfp4", "m": 4},
    "PIPELINE must be left out for LANES=4, not 1": {"fmt": "mxfp4", "lanes": 4, "pipeline": 1},
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(UsageError) as error:
        configure("quantizer", **REFUSED[message])
    assert str(error.value) == message


@pytest.mark.parametrize("fmt", ["nvfp4", "amxfp4", "int4"])
def test_page_was_measured_on_this_verilog(fmt):
    """docs/quantizer.md; ``python -m verif.quantizer_page`` measures again."""
    assert quantizer_page.fingerprint(fmt) in quantizer_page.PAGE.read_text().splitlines()

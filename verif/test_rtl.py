"""Every configuration's Verilog against golden, bit for bit, on both simulators."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gen import tools, verilog
from gen.config import Configuration
from gen.sim import run
from verif.bench_codes import Elements, every_pair
from verif.pairs import ALIKE, CONFIGURATIONS, FORMATS, MIXED, ON_ICARUS, ids

DOT_PRODUCTS = 10_000
DOT_PRODUCTS_ON_ICARUS = 40


def lint(path: Path) -> str:
    """Verilator's warnings, all but those that lint.vlt waives with a reason."""
    binary, environment = tools.verilator()
    # -fno-dfg: no optimizing, a third of the time.
    options = ["--lint-only", "-Wall", "--quiet", "-fno-dfg"]
    command = [binary, *options, Path(__file__).parent / "lint.vlt", path]
    environment = {**os.environ, **environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or done.stderr, done.stdout
    return done.stderr


@pytest.mark.parametrize(("unit", "pair", "k"), CONFIGURATIONS, ids=ids(CONFIGURATIONS))
def test_verilator(unit, pair, k, seed):
    configuration = Configuration.parse(pair, unit, k)
    report = run(configuration, "verilator", seed, DOT_PRODUCTS)
    parts = {part["name"]: part for part in report.parts}
    assert report.mismatch is None
    assert parts["random"]["checked"] == DOT_PRODUCTS
    assert all(part["checked"] > 0 for part in report.parts)
    assert "every pair of element codes" in parts
    assert lint(verilog.FOLDER / f"{configuration.name}.v") == ""


@pytest.mark.parametrize(("unit", "pair"), ALIKE)
def test_alike(unit, pair):
    """One text but for names and the comment on top."""
    texts = []
    for each in (pair, ALIKE[unit, pair]):
        configuration = Configuration.parse(each, unit)
        text, _ = verilog.emit(configuration)
        text = re.sub(r"^//.*$", "", text, flags=re.MULTILINE)
        texts.append(text.replace(configuration.name.removeprefix(unit), "").split())
    assert texts[0] == texts[1]


@pytest.mark.parametrize(("unit", "pair", "k"), ON_ICARUS, ids=ids(ON_ICARUS))
def test_icarus(unit, pair, k, seed):
    report = run(Configuration.parse(pair, unit, k), "icarus", seed, DOT_PRODUCTS_ON_ICARUS)
    assert report.mismatch is None
    assert all(part["checked"] > 0 for part in report.parts)


FRACTIONS = {"mxfp4": 24, "amxfp4": 8, "mxfp8_e4m3:mxint8": 36, "nvfp4": 13}


@pytest.mark.parametrize("pair", FRACTIONS)
def test_fraction(pair, seed):
    """Accumulators of another F than the pair's own."""
    configuration = Configuration.parse(pair, fraction=FRACTIONS[pair])
    assert configuration.name.endswith(f"_f{FRACTIONS[pair]}")
    report = run(configuration, "icarus", seed, DOT_PRODUCTS_ON_ICARUS)
    assert report.mismatch is None
    assert all(part["checked"] > 0 for part in report.parts)


def test_one_side_and_two_of_as_many_scales(tmp_path, seed):
    """A scale in 16 elements against two in 32: decoders that may not be taken for another."""
    path = tmp_path / "e2m1_b16.toml"
    path.write_text('element = "e2m1"\nscale = "e8m0"\nblock_size = 16')
    configuration = Configuration.parse(f"{path}:amxfp4_e8m0")
    assert run(configuration, "icarus", seed, DOT_PRODUCTS_ON_ICARUS).mismatch is None


def test_own_element_of_wide_exponents(tmp_path, seed):
    """Products added two lanes at a time, and one that is left over, behind an accumulator."""
    path = tmp_path / "e4m1.toml"
    element = "[element]\nexponent_width = 4\nmantissa_width = 1\nbias = 7"
    path.write_text(f'scale = "e8m0"\nblock_size = 9\n{element}')
    configuration = Configuration.parse(str(path), k=9)
    _, description = verilog.emit(configuration)
    assert any(name.startswith("pair_") for name in description["datapath"])
    assert run(configuration, "icarus", seed, DOT_PRODUCTS_ON_ICARUS).mismatch is None


@pytest.mark.parametrize("pair", FORMATS + MIXED)
def test_every_pair_of_codes_is_among_the_stimuli(pair, rng):
    configuration = Configuration.parse(pair)
    a, b, k = configuration.a, configuration.b, configuration.k
    codes_a, codes_b = every_pair(Elements(a, k, rng), Elements(b, k, rng), ordered=True)
    width = b.element.width
    seen = np.unique(codes_a.astype(np.int64) << width | codes_b)
    assert len(seen) == 1 << (a.element.width + width)

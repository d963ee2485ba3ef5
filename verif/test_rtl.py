"""Every configuration's Verilog against golden, bit for bit, on both simulators."""

import os

import numpy as np
import pytest

from gen.config import Configuration
from gen.sim import run
from verif.bench_codes import Elements, every_pair
from verif.pairs import CONFIGURATIONS, FORMATS, IDS, MIXED

SEED = int(os.environ.get("SEED") or 1)
DOT_PRODUCTS = 10_000
DOT_PRODUCTS_ON_ICARUS = 40


@pytest.mark.parametrize(("unit", "pair", "k"), CONFIGURATIONS, ids=IDS)
def test_verilator(unit, pair, k):
    report = run(Configuration.parse(pair, unit, k), "verilator", SEED, DOT_PRODUCTS)
    parts = {part["name"]: part for part in report.parts}
    assert report.mismatch is None
    assert parts["random"]["checked"] == DOT_PRODUCTS
    assert all(part["checked"] > 0 for part in report.parts)
    assert "every pair of element codes" in parts


@pytest.mark.parametrize(("unit", "pair", "k"), CONFIGURATIONS, ids=IDS)
def test_icarus(unit, pair, k):
    report = run(Configuration.parse(pair, unit, k), "icarus", SEED, DOT_PRODUCTS_ON_ICARUS)
    assert report.mismatch is None
    assert all(part["checked"] > 0 for part in report.parts)


@pytest.mark.parametrize("pair", FORMATS + MIXED)
def test_every_pair_of_codes_is_among_the_stimuli(pair):
    configuration = Configuration.parse(pair)
    a, b, k = configuration.a, configuration.b, configuration.k
    rng = np.random.default_rng(SEED)
    codes_a, codes_b = every_pair(Elements(a, k, rng), Elements(b, k, rng), ordered=True)
    width = b.element.width
    seen = np.unique(codes_a.astype(np.int64) << width | codes_b)
    assert len(seen) == 1 << (a.element.width + width)

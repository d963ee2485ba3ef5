"""Tiles and matrix units in the field: the RTL against golden, silicon and mmasim, bit for bit."""

import os
from pathlib import Path

import numpy as np
import pytest

from gen import sim
from gen.catalogue import CATALOGUE, SUPPORTED, tier
from gen.config import Configuration
from gen.errors import UsageError
from gen.sim import run
from gen.units import cell
from golden import matmul, quantize, rescale
from hdl.lane import Form
from verif import every_pair, silicon, sizes
from verif.bench_matrices import MatrixStimuli

SEED = int(os.environ.get("SEED") or 1)
TILES = tier(SUPPORTED)
ON_VERILATOR = [TILES[i] for i in (0, 1, 2, 5, 8, 9)]  # which take the time of Icarus' all
ON_ICARUS = TILES[2:]  # the first, of many cells, take it minutes
DOT_PRODUCTS = {"verilator": 10_000, "icarus": 100}


def check(entry, simulator):
    report = run(entry.configuration, simulator, SEED, DOT_PRODUCTS[simulator])
    assert report.mismatch is None
    assert report.checked >= DOT_PRODUCTS[simulator]
    assert all(part["checked"] > 0 for part in report.parts)
    names = " ".join(part["name"] for part in report.parts)
    for part in ("random", "short products", "stalls", "after reset 8"):
        assert part in names


@pytest.mark.parametrize("entry", ON_VERILATOR, ids=lambda entry: entry.name)
def test_verilator(entry):
    check(entry, "verilator")


@pytest.mark.parametrize("entry", ON_ICARUS, ids=lambda entry: entry.name)
def test_icarus(entry):
    check(entry, "icarus")


def test_verilator_compiles_the_cells_of_a_large_tile_once(monkeypatch):
    """As it does for 16 x 16, on a tile that takes a second."""
    monkeypatch.setattr(sim, "MOST_INLINED", 1)
    configuration = Configuration.parse("int4", "tile", 4, m=2, n=2)
    report = run(configuration, "verilator", SEED, 1000)
    assert report.mismatch is None and report.checked > 1000
    folder = sim.FOLDER / f"{configuration.name}-verilator"
    assert (folder / "Vcell_int4_k4_int32" / "libcell_int4_k4_int32.a").exists()


@pytest.mark.parametrize(
    ("shape", "pipeline", "has_lines"),
    [
        ((5, 6, 32), 0, False),
        ((6, 6, 32), 1, True),
        ((23, 24, 32), 2, False),
        ((24, 24, 32), 2, True),
        ((6, 64, 64), 0, True),
        ((6, 8, 1024), 0, False),
    ],
)
def test_one_sided_lines_where_many_cells_read_them(shape, pipeline, has_lines):
    """And where the rows of cells can still take them; no such tile is refused for its width."""
    m, n, k = shape
    c = Configuration.parse("mxfp4", "tile", k, m=m, n=n, pipeline=pipeline)
    lines = Form.SINGLE_LINES, Form.SINGLE_MULTIPLES
    assert cell(c).forms == (lines if has_lines else (Form.FIELDS, Form.FIELDS))


@pytest.mark.parametrize(
    ("fmt", "options"),
    [
        ("mxfp4_mbs", {"k": 64}),
        ("fp8_e5m2:fp8_e4m3", {"k": 4, "acc": "exact", "window": "-20:20:16", "pipeline": 4}),
    ],
)
def test_macs_that_hold_more_than_their_result(fmt, options):
    report = run(Configuration.parse(fmt, "mac", **options), "icarus", SEED, 20)
    assert report.mismatch is None and report.checked > 100


@pytest.mark.parametrize(("fmt", "acc"), [("mxfp4_mbs", "fp32"), ("nvfp4", "exact")])
def test_tensors_through_macs(fmt, acc, tmp_path: Path):
    rng = np.random.default_rng(SEED)
    path = tmp_path / "tensors.npz"
    a, b = (rng.standard_normal((rows, 100)).astype(np.float32) for rows in (2, 3))
    np.savez(path, a=a, b=b)
    configuration = Configuration.parse(fmt, "mac", acc=acc)
    assert run(configuration, "icarus", SEED, data=path).checked == 2 * 3 * 4


def test_overflow_is_driven_both_ways():
    """What the testbench sends to an accumulator ``exact`` sets the flag, and often does not."""
    entry = next(e for e in TILES if e.acc == "exact" and e.fmt == "fp8_e4m3")
    stimuli = MatrixStimuli(entry.configuration, np.random.default_rng(SEED))
    results = [product.results for product in stimuli.random(400).products]
    flags, bits = (np.concatenate([r[x].ravel() for r in results]) for x in ("overflow", "d"))
    nans = (bits & 0x7FFFFFFF) > 0x7F800000
    assert 0.05 < flags.mean() < 0.95 and (flags <= nans).all() and (nans & ~flags).any()


def test_catalogue():
    """Every entry is sound and there once; tiles of every depth, some of them not square."""
    names = [entry.name for entry in CATALOGUE]
    assert len(set(names)) == len(names)
    made = [entry.configuration for entry in TILES]
    assert {c.pipeline for c in made} == set(range(5))
    assert len({(c.m, c.n, c.k) for c in made if c.m != c.n}) >= 3


FILES = {path.name: path for path in silicon.FILES}
CASES = [
    ("h200_wgmma_fp8.npz", "hopper_fp8", 384 * 3),
    ("mmasim.npz", "blackwell_nvfp4", 576),
    ("mmasim.npz", "blackwell_mxfp4_k64", 576),
]


@pytest.mark.parametrize(("file", "preset", "outputs"), CASES, ids=[case[1] for case in CASES])
def test_silicon(file, preset, outputs):
    """What an H200 and mmasim gave, through the Verilog."""
    found = [case for case in silicon.cases(FILES[file]) if case.preset == preset]
    assert sum(case.check("icarus") for case in found) == outputs


def test_silicon_can_fail():
    """One bit of one result of silicon turned over is seen."""
    case = next(silicon.cases(FILES["h200_wgmma_fp8.npz"]))
    for part, x in case.arrays.items():
        case.arrays[part] = x[:1].copy()
    case.arrays["d"][0, 3, 5] ^= np.uint32(1 << 10)
    with pytest.raises(AssertionError, match="1 of 128 results differ"):
        case.check("icarus")


@pytest.mark.parametrize("fmt", ["mxfp4", "dint4"])
def test_tensors(fmt, tmp_path: Path, capsys):
    """A whole matrix product in tiles, none of whose sides they divide."""
    rng = np.random.default_rng(SEED)
    a, b = (rng.standard_normal((rows, 70)).astype(np.float32) for rows in (5, 3))
    path = tmp_path / "tensors.npz"
    np.savez(path, a=a, b=b)
    configuration = Configuration.parse(fmt, "tile", m=2, n=2)
    report = run(configuration, "icarus", SEED, data=path)
    assert report.checked == 6 * 4 * 3  # rows, columns and steps, padded
    qa, qb = quantize(a, configuration.a), quantize(b, configuration.b)
    product = rescale(matmul(qa, qb, configuration.acc, 32), qa, qb)
    reference = a.astype(np.float64) @ b.T.astype(np.float64)
    relative = np.linalg.norm(product - reference) / np.linalg.norm(reference)
    out = capsys.readouterr().out
    assert f"SQNR against the float64 product: {-20 * np.log10(relative):.2f} dB\n" in out
    assert "5 x 3 of 5 x 3, K 70 in 3 steps of 32, in 3 x 2 tiles of 2 x 2" in out


REFUSED = {
    "M must be from 1 to 64, not 65": {"fmt": "mxfp4", "m": 65},
    "PIPELINE must be from 0 to 4, not 5": {"fmt": "mxfp4", "pipeline": 5},
    "FRACTION must be from 8 to 36, not 37": {"fmt": "mxfp4", "fraction": "37"},
    "FRACTION must be left out for accumulator int32, not '24'": {"fmt": "int8", "fraction": "24"},
    "Elements for hopper_fp8 must be one of e4m3, e5m2, not e2m1": {
        "fmt": "mxfp4",
        "acc": "hopper_fp8",
    },
    "K must be a multiple of the 32 elements of mxfp4's block, not 48": {
        "fmt": "nvfp4:mxfp4",
        "k": 48,
    },
    "Formats for int32 must be integers without block scales, not mxfp4": {
        "fmt": "mxfp4",
        "acc": "int32",
    },
    "Formats of a tile must have no zero points, which dint4_asym has": {"fmt": "int8:dint4_asym"},
    "Partner of int8 must have binary32 scales as well, which mxfp4 has not": {"fmt": "mxfp4:int8"},
    "WINDOW must be LOW:HIGH:LENGTH, three whole numbers, not '1:x:2'": {
        "fmt": "mxfp4",
        "acc": "exact",
        "window": "1:x:2",
    },
    "WINDOW must need at most 160 bits, not the 205 of -100:100:16": {
        "fmt": "mxfp4",
        "acc": "exact",
        "window": "-100:100:16",
    },
    "M, N and K must be such that a unit and a row of it have at most 65000 bits of inputs, not"
    " 148480": {"fmt": "mxfp4", "m": 64, "n": 64},
    "M, N and K must be such that a unit and a row of it have at most 65000 bits of inputs, not"
    " 71051": {"fmt": "mxfp4", "m": 1, "n": 10, "k": 1024},
    "K must divide the 128 elements of mxfp4_mbs's macro block, not 96": {
        "fmt": "mxfp4_mbs",
        "k": 96,
    },
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(UsageError) as error:
        Configuration.parse(unit="tile", **REFUSED[message])
    assert str(error.value) == message


@pytest.mark.parametrize("pair", ["amxfp4:amxfp4", "mxfp4:amxfp4"])
def test_lint_of_two_sides(pair, tmp_path: Path):
    """Tiles take lines and multiples, which macs do not."""
    assert every_pair.written(pair, tmp_path, is_linted=True)


def test_every_pair_is_a_tile_or_refused():
    """Integers with binary32 scales go together, without zero points; all others go with all."""
    outside = {"int8", "int4", "dint4", "dint4_asym"}
    for pair in every_pair.pairs():
        a, b = pair.split(":")
        try:
            configuration = every_pair.configuration(pair)
        except UsageError as error:
            assert (a in outside) != (b in outside) or "dint4_asym" in (a, b), pair
            assert a in str(error) or b in str(error)
        else:
            assert (a in outside) == (b in outside) and "dint4_asym" not in (a, b), pair
            assert configuration.acc == ("int32" if a in outside else "fp32")


def test_sizes():
    """docs/tile.md shows the sizes of now; 16 x 16 is written in less than 2 MB."""
    assert sizes.shown() == [sizes.measured(side)[0] for side in sizes.SIDES]
    assert float(sizes.shown()[-1].split("|")[3]) < 2000

"""Sweeps named by lists and TOML files; keys of results; labels, plots and SQNR."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from gen import accuracy
from gen.cells import BUILT_IN
from gen.config import Configuration
from gen.errors import UsageError
from gen.liberty import load, read
from gen.sweep import job, quality
from gen.sweep.labels import place
from gen.sweep.plan import Plan, pair_of
from gen.sweep.plots import draw
from gen.sweep.quality import Tensors
from gen.sweep.table import COLUMNS

WHOLE = job.Options(flatten=True)
TOML = """
k = [32]
lib = ["a.lib", "b.lib.gz"]

[[sweep]]
fmt = ["mxfp4", "nvfp4"]
pipeline = [0, 1]

[[sweep]]
fmt = "mxfp4"
k = [32, 64]
"""


def names(plan: Plan) -> list[str]:
    return [configuration.name for configuration in plan.configurations()[0]]


def test_lists():
    plan = Plan.parse({"fmt": "mxfp4,nvfp4", "k": "16, 32", "pipeline": None})
    assert names(plan) == ["mac_mxfp4_k32_fp32", "mac_nvfp4_k16_fp32", "mac_nvfp4_k32_fp32"]
    ((refusal,), grid) = plan.configurations()[1], plan.grids
    assert str(refusal) == (
        "FMT=mxfp4 K=16: K must be a multiple of the 32 elements of mxfp4's block, not 16"
    )
    assert plan.libs == (BUILT_IN,) and plan.command == "make sweep FMT=mxfp4,nvfp4 K=16, 32"
    assert grid == ({"fmt": ("mxfp4", "nvfp4"), "k": ("16", "32")},)


def test_file(tmp_path: Path):
    file = tmp_path / "few.toml"
    file.write_text(TOML)
    plan = Plan.parse({}, file=file)
    assert plan.name == "few" and plan.libs == (Path("a.lib"), Path("b.lib.gz"))
    mac = "mac_mxfp4_k32_fp32"
    assert names(plan) == [
        *(mac, f"{mac}_p1", "mac_nvfp4_k32_fp32", "mac_nvfp4_k32_fp32_p1"),
        "mac_mxfp4_k64_fp32",
    ]
    replaced = Plan.parse({"k": "64", "unit": "dot"}, ["c.lib"], file, "other")
    assert replaced.name == "other" and replaced.libs == (Path("c.lib"),)
    assert names(replaced) == ["dot_mxfp4_k64", "dot_nvfp4_k64"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fmt = ", "PLAN must be a TOML file, which .* is not: .*"),
        ("colour = 1", "Keys of .* must be among lib, sweep, fmt, .*, not 'colour'"),
        ("[[sweep]]\nlib = 1", "Keys of .* must be among fmt, unit, .*, not 'lib'"),
        ("sweep = 3", r"PLAN must have its parts under \[\[sweep\]\], which .* has not"),
        ("fmt = []", r"FMT must be a list of names or whole numbers, not \[\]"),
        ("k = [1.5]", r"K must be a list of names or whole numbers, not \[1.5\]"),
        ("k = true", "K must be a list of names or whole numbers, not True"),
    ],
)
def test_bad_file(text: str, message: str, tmp_path: Path):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=f"^{message}$"):
        Plan.parse({}, file=file)


def test_quantizers(tmp_path: Path):
    """Units of unlike parameters in one plan; what a unit has not is refused for it alone."""
    file = tmp_path / "q.toml"
    file.write_text(
        'fmt = "mxfp4"\n[[sweep]]\nunit = "quantizer"\nin = ["bf16", "fp32"]\n[[sweep]]\n'
    )
    assert names(Plan.parse({}, file=file)) == [
        *("quantizer_mxfp4_bf16", "quantizer_mxfp4_fp32"),
        "mac_mxfp4_k32_fp32",
    ]
    found, (refusal,) = Plan.parse({"unit": "mac,quantizer", "source": "bf16"}).configurations()
    assert [pair_of(each) for each in found] == ["amxfp4"]
    assert str(refusal) == "UNIT=mac IN=bf16: IN must be left out for unit mac, not 'bf16'"


def test_example():
    """The plan that the documentation names holds nothing that cannot be."""
    plan = Plan.parse({}, file=Path(__file__).parents[1] / "docs" / "sweeps" / "formats.toml")
    found, refused = plan.configurations()
    assert len(found) == 15 + 16 and not refused


def test_bad_options(tmp_path: Path):
    for named, message in [
        (({"fmt": "mxfp4,,nvfp4"},), "^FMT must be a list of names .*, not 'mxfp4,,nvfp4'$"),
        (({}, (), tmp_path / "no.toml"), "^PLAN must be a readable TOML file, not .*: No such"),
        (({}, (), None, "../x"), "^NAME must be letters, digits, - and _, not '../x'$"),
    ]:
        with pytest.raises(UsageError, match=message):
            Plan.parse(*named)


def test_key(tmp_path: Path):
    """The key changes with all that a result depends on, and with nothing else."""
    design = job.Design("module top; endmodule\n", "top", {}, [])
    library = load(BUILT_IN)
    other = read(BUILT_IN, BUILT_IN.read_bytes() + b" ")
    one = job.key(design, library, WHOLE)
    assert one == job.key(replace(design), load(BUILT_IN), WHOLE)
    changed = [
        (replace(design, verilog="module top(); endmodule\n"), library, WHOLE),
        (replace(design, parts={"top": "control"}), library, WHOLE),
        (design, other, WHOLE),
        (design, replace(library, path=tmp_path / "other.lib"), WHOLE),
        (design, library, job.Options(flatten=False)),
        (design, library, job.Options(flatten=True, power=True)),
    ]
    keys = {one, *(job.key(*each) for each in changed)}
    assert len(keys) == 7
    assert "//" not in job.design(Configuration.parse("int4", "dot", 1)).verilog


def test_sources():
    """Digests cover what is imported from afar, and not what is not."""
    measuring, writing = job.imported("gen.measure"), job.imported("gen.verilog")
    assert {"gen.flow", "gen.yosys", "gen.liberty_syntax", "gen.errors"} <= measuring
    assert {"gen.config", "gen.units", "hdl.heap", "golden.formats", "hdl"} <= writing
    assert not {"gen.cli", "gen.sweep", "gen.sim"} & (measuring | writing)


def test_labels_cover_nothing():
    figure = Figure((6, 4))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    points = [(x, y, f"a long label {x} {y}") for x in (1.0, 1.2, 1.4) for y in (1.0, 1.02, 1.3)]
    for x, y, _ in points:
        axes.plot(x, y, "o")
    axes.margins(0.4)
    place(axes, points)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    boxes = [Text.get_window_extent(text, renderer) for text in axes.texts]
    assert len(boxes) == len(points)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(figure.bbox.containsx(box.x0) and figure.bbox.containsx(box.x1) for box in boxes)


def test_plots(tmp_path: Path):
    """One of each kind for each setting; those without a second point or a path are left out."""
    first = {"unit": "dot", "m": 1, "n": 1, "k": 8, "pipeline": 0, "macs": 8, "library": "one"}
    rows = [
        dict.fromkeys(COLUMNS)
        | first
        | {"name": name, "fmt": name, "recipe": recipe, "area_ge": area, "ge_per_mac": area / 8}
        | {"sqnr_db": area, "longest_path_ns": 2.0}
        for name, area in (("a", 80.0), ("b", 96.0))
        for recipe in ("area", "delay")
    ]
    rows += [row | {"name": "c", "unit": "mac", "longest_path_ns": None} for row in rows[:1]]
    parts = [{"name": n, "library": "one", "parts_ge": {"products": 60.0}} for n in "abc"]
    summary = {"sweep": "s", "rows": rows, "breakdowns": parts, "tensors": "none"}
    kinds = [f"s_{kind}_dot_k8.png" for kind in ("area", "pareto", "clock", "breakdown")]
    assert draw(summary, tmp_path) == [*kinds, "s_area_mac_k8.png", "s_breakdown_mac_k8.png"]
    for name in kinds:
        assert (tmp_path / name).read_bytes()[:4] == b"\x89PNG"


def test_quality(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, tmp_path: Path):
    """The ratio is that of docs/accuracy.md; without a model, of synthetic tensors, and said so."""
    a, b = (rng.standard_normal((8, 64)).astype(np.float32) for _ in "ab")
    (mxfp4, *_) = accuracy.measure(a, b, a)
    fmt = Configuration.parse("mxfp4").a
    assert Tensors(a, b, "").sqnr(fmt, fmt) == mxfp4["output"]

    def missing():
        raise UsageError("The PyPI package is missing")

    monkeypatch.setattr(quality, "model_tensors", missing)
    assert Tensors.find().words.startswith("synthetic tensors (seed 1)")
    np.savez(tmp_path / "t.npz", a=a, b=b)
    found = Tensors.find(tmp_path / "t.npz")
    assert found.words == "tensors of t.npz" and np.array_equal(found.a, a)
    np.savez(tmp_path / "bad.npz", a=a * np.float32(np.inf), b=b)
    with pytest.raises(
        UsageError, match=r"^Arrays of DATA must be finite, and in .* they are not$"
    ):
        Tensors.find(tmp_path / "bad.npz")

"""docs/claims.md: what the generator prints of what was measured, and verdicts that can turn."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gen import claims, sweep
from gen.cli import main
from gen.configure import configure
from gen.errors import UsageError
from gen.sweep import job
from gen.sweep.plan import Plan, pair_of
from gen.sweep.quality import Tensors, synthetic
from gen.sweep.run import Outcome
from golden import get_format

FOUND = json.loads(claims.RESULTS.read_text(encoding="utf-8"))


def made(**other: float | None) -> dict:
    """Results of the whole plan on two libraries, alike but for areas (or energies) of formats.

    A keyword is UNIT_FORMAT, or fj_FORMAT for an energy, without colons.
    """
    rows = []
    for configuration in Plan.parse({}, file=claims.PLAN).configurations()[0]:
        fmt, unit = pair_of(configuration), configuration.unit
        word = fmt.replace(":", "_")
        row = dict.fromkeys(claims.KEPT) | {"fmt": fmt, "unit": unit, "k": 32}
        row["name"] = configuration.name
        row["area_ge"] = 1000 * (other.get(f"{unit}_{word}") or 1.0)
        row["fj_per_mac"] = other.get(f"fj_{word}", other.get("fj"))
        rows += [row | {"library": lib, "recipe": r} for lib in "ab" for r in ("area", "delay")]
    designs = {row["name"]: "digest" for row in rows}
    return {"mxforge": "0", "tools": {}, "tensors": "none", "designs": designs, "rows": rows}


def test_page():
    """The page is what the generator makes of the results, and these are of the plan's designs."""
    assert claims.page(FOUND) == claims.PAGE.read_text(encoding="utf-8")
    assert claims.text(FOUND) == claims.RESULTS.read_text(encoding="utf-8")
    configurations, refused = Plan.parse({}, file=claims.PLAN).configurations()
    assert set(FOUND["designs"]) <= {c.name for c in configurations} and not refused
    assert {row["name"] for row in FOUND["rows"]} == set(FOUND["designs"])


def test_results_are_of_today():
    """Some designs still have the Verilog that was measured; else type: make claims LIB=..."""
    names = ["tile_mxfp4_4x4x32_fp32", "quantizer_mxfp4_oas_bf16"]
    assert claims.changed(FOUND, names) == []


def test_changes_are_seen():
    """What has other Verilog by now, or is no more in the plan, is left out."""
    name, other = "quantizer_mxfp4_bf16", "quantizer_mxfp4_oas_bf16"
    kept = job.design(configure("quantizer", fmt="mxfp4_oas", source="bf16")).digest
    found = made() | {"designs": {name: "0", "tile_of_old": "1", other: kept}}
    after = claims.current(found)
    assert after["designs"] == {other: kept}
    assert {row["name"] for row in after["rows"]} == {other} and len(after["rows"]) == 4


def test_scaling_rules_share_their_tile():
    """OAS takes the tile of mxfp4: one text but for the name."""
    one, other = (job.design(configure("tile", fmt=f)).verilog for f in ("mxfp4", "mxfp4_oas"))
    assert one.replace("mxfp4", "fmt") == other.replace("mxfp4_oas", "fmt")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test in a folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def once() -> Iterator[None]:
    """Designs are made once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "design", cache(job.design))
        yield


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"tile_amxfp4": 1.04}, "`amxfp4`, area at most 1.05 x: **holds** (1.04 x, 1.04 x)"),
        ({"tile_amxfp4": 2.0}, "`amxfp4`, area at most 1.05 x: **does not hold** (2.00 x, 2.00 x)"),
        ({"tile_nvfp4": 1.25}, "12% of NVFP4's area: **holds** (20%, 20%)"),
        ({"tile_nvfp4": 1.1}, "12% of NVFP4's area: **does not hold** (9%, 9%)"),
        ({"tile_int8_dint4": 0.5}, "1.93 x INT8 x dINT4 in area: **holds** (2.00 x, 2.00 x)"),
        ({"quantizer_mxfp4_oas": 0.9}, "at most 3%: **does not hold** (0.900 x, 0.900 x)"),
        ({"tile_mxfp4_mbs": 1.05}, "6.2% of area: **holds** (1.05 x, 1.05 x)"),
        ({"fj": 100.0, "fj_int8": 260.0}, "in energy: **holds** (2.60 x, 2.60 x)"),
        ({"fj": 100.0, "fj_int8": 250.0}, "in energy: **does not hold** (2.50 x, 2.50 x)"),
    ],
)
def test_verdicts(other: dict[str, float], sentence: str):
    """Verdicts follow the numbers."""
    text = claims.page(made(**other))
    assert sentence in text and ("fJ/MAC |" in text) == ("fj" in other)


def test_merging():
    """What is measured again replaces what was, and nothing else; the file reads as it was."""
    found = made() | {"designs": {"w": "v"}}
    (row, *others) = found["rows"]
    new = row | {"area_ge": 1.0, "beside": 2}
    after = claims.merged(found, found | {"rows": [new], "designs": {"x": "y"}})
    assert after["designs"] == {"w": "v", "x": "y"}
    assert after["rows"] == [row | {"area_ge": 1.0}, *others]
    assert json.loads(claims.text(after)) == after


def test_every_row_is_rated():
    """SQNR is of the tensors of now in every row, also in those measured before."""
    tensors = Tensors(*synthetic(), "these tensors")
    found = claims.rated(made(), tensors)
    assert found["tensors"] == "these tensors" and len(found["rows"]) == len(made()["rows"])
    quality = {row["fmt"]: row["sqnr_db"] for row in found["rows"]}
    assert all(row["sqnr_db"] == quality[row["fmt"]] for row in found["rows"])
    fmt = get_format("mxfp4")
    assert quality["mxfp4"] == round(tensors.sqnr(fmt, fmt), 2)
    assert quality["mxfp4"] < quality["mxfp6_e2m3"] < quality["bf16"]


def test_nothing_measured_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    """When a sweep gives nothing, results stay, and the page is what they make."""
    found = claims.rated(made(), Tensors.find())
    Path("found.json").write_text(claims.text(found), encoding="utf-8")
    for name, value in (("RESULTS", Path("found.json")), ("PAGE", Path("page.md"))):
        monkeypatch.setattr(claims, name, value)
    monkeypatch.setattr(claims, "changed", lambda found: [])
    monkeypatch.setattr(sweep, "run", lambda plan, jobs: Outcome(plan, [], failed=[None]))
    assert claims.run(["a.lib"]) == 2
    kept = json.loads(Path("found.json").read_text(encoding="utf-8"))
    assert kept == found
    assert Path("page.md").read_text(encoding="utf-8") == claims.page(found)


def test_some_formats():
    plan = Plan.parse({}, file=claims.PLAN)
    found, refused = claims.chosen(plan, "mxfp4_oas, int8").configurations()
    assert [c.name for c in found] == ["tile_int8_4x4x32_int32", "quantizer_mxfp4_oas_bf16"]
    assert not refused and claims.chosen(plan, None) == plan
    with pytest.raises(UsageError, match=r"^FMT must be among mxfp4, .*, not 'fp3'$"):
        claims.chosen(plan, "mxfp4,fp3")
    with pytest.raises(UsageError, match=r"^FMT must be among"):
        claims.run(fmt="fp3")


def test_missing():
    """What was not measured is said to be, and leaves the rest as it is."""
    found = made()
    rows = [row for row in found["rows"] if row["fmt"] in ("mxfp4", "mxfp4_mbs")]
    text = claims.page(found | {"rows": rows})
    assert "- Both operands, `amxfp4`, area at most 1.05 x: not measured." in text
    assert "Not measured.\n\n    make sweep UNIT=tile FMT=int8:dint4" in text
    assert "| `mxfp4_mbs` |" in text


def test_bad_library(capsys: pytest.CaptureFixture, tmp_path: Path):
    assert main(["claims", "--lib", str(tmp_path / "no.lib")]) == 2
    assert re.match("mxforge: LIB must be a Liberty file, and .* exist", capsys.readouterr().err)

"""OpenSTA beside our own static timing, and reports without it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gen import opensta
from gen.cells import BUILT_IN
from gen.config import Configuration
from gen.hierarchy import outermost
from gen.liberty import load
from gen.mapping import variants
from gen.measure import synthesize
from gen.verilog import emit
from verif.synth_designs import PARTS, PIPELINE

OSU = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
LIBRARIES = [path for path in (BUILT_IN, OSU) if path.exists()]
needs_opensta = pytest.mark.skipif(opensta.release() is None, reason="needs Debian's opensta")


@needs_opensta
@pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.stem)
def test_same_longest_path(path: Path):
    verilog, description = emit(Configuration.parse("int8", "mac", 2, pipeline=2))
    library, top = load(path), description["top"]
    for mapped in variants(verilog, top, library, adders=["full and half"]):
        found = opensta.longest_path(library, mapped.netlist, top)
        assert found is not None and mapped.path is not None
        assert found["ns"] == pytest.approx(mapped.path.nanoseconds, rel=1e-4, abs=1e-4)
        assert found["wire_load_ns"] is None


@needs_opensta
def test_same_longest_path_through_a_hierarchy():
    library = load(BUILT_IN)
    kept = outermost(PIPELINE, "unit", PARTS.keys() - {"unit"})
    for mapped in variants(PIPELINE, "unit", library, kept=kept):
        found = opensta.longest_path(library, mapped.netlist, "unit")
        assert found is not None and mapped.path is not None
        assert len(mapped.netlist) > 1
        assert found["ns"] == pytest.approx(mapped.path.nanoseconds, rel=1e-4, abs=1e-4)


@needs_opensta
def test_wire_load_is_apart(tmp_path: Path):
    """A library with a wire load model: the ideal path is the same, the other longer."""
    wires = """wire_load ("long") { capacitance : 1; resistance : 0; slope : 1;
      fanout_length (1, 1); fanout_length (9, 9); } default_wire_load : "long";"""
    text, count = re.subn(r"(?=  cell \()", wires + "\n", BUILT_IN.read_text(), count=1)
    assert count == 1
    path = tmp_path / "wires.lib"
    path.write_text(text)
    (recipe, _) = synthesize(PIPELINE, "unit", PARTS, path)["recipes"]
    assert recipe["opensta"]["ns"] == pytest.approx(recipe["longest_path"]["ns"], rel=1e-4)
    assert recipe["opensta"]["wire_load_ns"] > 1.1 * recipe["opensta"]["ns"]


@pytest.mark.parametrize("kind", ["missing", "broken", "silent"])
def test_without_opensta(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if kind != "missing":
        sta = tmp_path / "sta"
        sta.write_text("#!/bin/sh\n" + {"broken": "exit 3\n", "silent": "echo 9.9\n"}[kind])
        sta.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/nowhere")
    opensta.release.cache_clear()
    try:
        result = synthesize(PIPELINE, "unit", PARTS, BUILT_IN)
    finally:
        opensta.release.cache_clear()
    assert result["tools"]["opensta"] == ("9.9" if kind == "silent" else None)
    assert [recipe["opensta"] for recipe in result["recipes"]] == [None, None]
    assert all(recipe["longest_path"]["ns"] > 0 for recipe in result["recipes"])


def test_square_micrometres(tmp_path: Path):
    text = BUILT_IN.read_text()
    name = re.search(r"library \((\S+)\)", text)
    assert name is not None
    path = tmp_path / "sky.lib"
    path.write_text(text.replace(name[0], "library (sky130_fd_sc_hd__tt)"))
    result = synthesize(PIPELINE, "unit", PARTS, path)
    assert result["library"]["area_unit"] == "um2"
    for recipe in result["recipes"]:
        assert recipe["area_um2"] == recipe["area_library"]["total"]
    other = synthesize(PIPELINE, "unit", PARTS, BUILT_IN)
    assert other["library"]["area_unit"] is None
    assert [recipe["area_um2"] for recipe in other["recipes"]] == [None, None]

"""``make synth`` as a whole: one file for each Liberty file, tables, and nothing on bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gen import synth
from gen.cells import BUILT_IN
from gen.config import Configuration
from gen.errors import UsageError
from verif.synth_designs import PARTS, PIPELINE


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """A configuration, and the tiny design above in the place of its Verilog."""
    description = {"top": "unit", "parts": PARTS, "digest": "0"}
    monkeypatch.setattr(synth, "emit", lambda configuration: (PIPELINE, description))
    return Configuration.parse("mxfp4")


def test_run_writes_one_file_for_each_library(
    small: Configuration, tmp_path: Path, capsys: pytest.CaptureFixture
):
    other = tmp_path / "other.lib"
    other.write_text(BUILT_IN.read_text())
    folder = tmp_path / "out"
    results = synth.run(small, [BUILT_IN, other], folder)
    names = [f"{small.name}.mxforge.json", f"{small.name}.other.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert [json.loads((folder / name).read_text()) for name in names] == results
    assert results[0]["name"] == small.name
    printed = capsys.readouterr().out
    for word in (
        "NAND2_X1",
        "longest path",
        "reduction",
        "registers",
        "other.json",
    ):
        assert word in printed


def test_run_writes_nothing_on_an_unusable_library(small: Configuration, tmp_path: Path):
    folder = tmp_path / "out"
    gates = tmp_path / "gates.lib"
    text = BUILT_IN.read_text()
    gates.write_text(text[: text.index("  cell (DFF_X1)")] + "}\n")
    for libs, message in [
        ([BUILT_IN, tmp_path / "missing.lib"], "does not exist$"),
        ([BUILT_IN, gates], "must have a D flip-flop, and has none$"),
        ([BUILT_IN, BUILT_IN], "must have names of their own, not mxforge twice$"),
    ]:
        with pytest.raises(UsageError, match=f"^LIB .*{message}"):
            synth.run(small, libs, folder)
    assert not folder.exists()

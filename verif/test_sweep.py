"""Sweeps that run: files, what is kept, interruptions, a cluster, what fails."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from distributed import LocalCluster

from gen.cells import BUILT_IN
from gen.cli import main
from gen.sweep import job
from gen.sweep.plan import Plan
from gen.sweep.run import measure

ROOT = Path(__file__).parents[1]
FEW = ("--fmt", "int4,dint4", "--unit", "dot", "--k", "1", "--power", "1")
PLAN = Plan.parse({"fmt": "int4,dint4", "unit": "dot", "k": "1"}, power=True)
"""The smallest designs that there are."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every result."""
    found = sorted((folder / "results").glob("*.json"))
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: content for name, (content, _) in files(folder).items()}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a sweep with one refused configuration, and what it printed."""
    printed = StringIO()
    with chdir(tmp_path_factory.mktemp("swept")), redirect_stdout(printed):
        assert main(["sweep", *FEW, "--fmt", "int4,dint4,mxfp4"]) == 1
        return Path("build/sweep").resolve(), printed.getvalue()


def test_tables(swept: tuple[Path, str]):
    """CSV, JSON, Markdown and what is printed say what the results do."""
    folder, printed = swept
    refusal = "K must be a multiple of the 32 elements of mxfp4's block, not 1"
    assert f"refused: FMT=mxfp4 UNIT=dot K=1: {refusal}\n" in printed
    assert "2 measured, 0 kept from before." in printed
    results = [json.loads(content) for content in contents(folder).values()]
    assert {result["name"] for result in results} == {"dot_int4_k1", "dot_int8_dint4_k1"}

    rows = list(csv.DictReader((folder / "sweep.csv").open()))
    assert [row["fmt"] for row in rows] == ["int4", "int4", "int8:dint4", "int8:dint4"]
    summary = json.loads((folder / "sweep.json").read_text())
    assert [{k: "" if v is None else str(v) for k, v in r.items()} for r in summary["rows"]] == rows
    result = next(r for r in results if r["name"] == "dot_int4_k1")
    found = [(row["recipe"], float(row["area_ge"])) for row in rows[:2]]
    assert found == [(r["recipe"], r["area_ge"]["total"]) for r in result["recipes"]]
    energies = [r["power"]["femtojoules_per_mac"] for r in result["recipes"]]
    assert [float(row["fj_per_mac"]) for row in rows[:2]] == energies and min(energies) > 0
    page = (folder / "sweep.md").read_text()
    areas = [f"{float(row['area_ge']):,.0f}" for row in rows[2:]]
    (line,) = (line for line in page.splitlines() if line.startswith("| `dot_int8_dint4_k1`"))
    assert [line.split(" | ")[at] for at in (1, 4)] == areas
    assert refusal in page
    plots = re.findall(r"!\[.*\]\((.*)\)", page)
    assert len(plots) == 4 and all((folder / plot).exists() for plot in plots)


def test_again(swept: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture):
    """A second sweep measures nothing, a third only what is missing or damaged."""
    folder = tmp_path / "build" / "sweep"
    shutil.copytree(swept[0], folder)
    first = files(folder)
    assert main(["sweep", *FEW]) == 0
    assert "0 measured, 2 kept from before." in capsys.readouterr().out
    assert files(folder) == first
    gone = next(iter(first))
    (folder / "results" / gone).write_text("{")
    outcome = measure(PLAN, folder, jobs=1)
    assert outcome.measured == 1 and len(outcome.results) == 2
    second = files(folder)
    assert contents(folder) == {name: content for name, (content, _) in first.items()}
    assert [name for name in first if first[name][1] != second[name][1]] == [gone]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_interruption(kind: signal.Signals, tmp_path: Path):
    """Whatever ends a sweep, its processes end too, and what was finished is not done again."""
    command = [sys.executable, "-m", "gen", "sweep", *FEW, "--jobs", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Whoever runs the tests in the background may have SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    folder = Path("build/sweep")
    deadline = time.monotonic() + 120
    while not files(folder) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(kind)
    printed = process.communicate(timeout=60)[0]  # Ends only when no process holds the output.
    assert process.returncode == (-kind if kind == signal.SIGKILL else 130), printed
    first = files(folder)
    assert len(first) == 1 and all(json.loads(content) for content, _ in first.values())
    if kind != signal.SIGKILL:
        assert "interrupted; 1 new results are kept" in printed
        assert not list(tmp_path.glob("mxforge-*"))
    if kind == signal.SIGINT:
        outcome = measure(PLAN, folder)
        assert outcome.measured == 1 and first.items() <= files(folder).items()


def test_cluster(swept: tuple[Path, str], tmp_path: Path):
    """Two Dask workers give the files that this machine does, byte for byte."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        address = cluster.scheduler_address
        outcome = measure(PLAN, tmp_path, scheduler=address)
        assert outcome.measured == 2 and outcome.status == 0
        again = measure(PLAN, tmp_path, scheduler=address)
    assert again.measured == 0 and again.results == outcome.results
    assert contents(tmp_path) == contents(swept[0])


def test_failures(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """What cannot be measured is told in one line, and the others go on."""
    text = BUILT_IN.read_text()
    poor = tmp_path / "poor.lib"
    start = text.index("  cell (NAND2_X1)")
    poor.write_text(
        text[: text.index("  cell (")]
        + text[start : text.index("  cell (", start + 9)]
        + text[text.index("  cell (DFF_X1)") :]
    )
    plan = Plan.parse({"fmt": "int4", "unit": "dot", "k": "1"}, [BUILT_IN, poor])
    outcome = measure(plan, tmp_path)
    assert outcome.status == 1 and len(outcome.results) == 1
    (failure,) = outcome.failed
    assert failure.named == "dot_int4_k1 on poor" and "poor.lib cannot be used" in failure.reason
    assert f"failed: {failure}\n" in capsys.readouterr().out
    monkeypatch.setattr(job, "method_digest", lambda: "of other sources")
    (failure,) = measure(PLAN.parse({"fmt": "int4", "unit": "dot", "k": "1"}), tmp_path).failed
    assert failure.reason == "a worker has other sources or tools than this machine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--lib missing.lib", "LIB must be a Liberty file, and missing.lib does not exist."),
        ("--jobs 0", "JOBS must be a whole number from 1 up, not '0'."),
        ("--data no.npz", "DATA must be an .npz file of NumPy, not no.npz: No such file"),
        (
            "--scheduler tcp://127.0.0.1:1",
            "SCHEDULER must be a Dask scheduler, not tcp://127.0.0.1:1: ",
        ),
        ("--fmt nope", ""),
    ],
)
def test_bad_options(options: str, message: str, capsys: pytest.CaptureFixture):
    assert main(["sweep", *FEW, *options.split()]) == 2
    assert capsys.readouterr().err.startswith(f"mxforge: {message}" if message else "")
    assert not list(Path("build/sweep").glob("sweep*"))

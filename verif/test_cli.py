"""The command line: what it runs, and one sentence and status 2 for all that it refuses."""

import os
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import gen.cli
import gen.sim
import gen.synth
import gen.tensors
import gen.verilog
from gen.bench_area import ROWS
from gen.config import Configuration
from gen.errors import UsageError
from gen.limits import ACCUMULATORS
from golden import list_formats

ROOT = Path(__file__).parents[1]
FORMATS = ", ".join(list_formats())


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Each test in a folder of its own, so that what is left in build/ is seen."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def calls(monkeypatch):
    """What the verbs would run, instead of running it."""
    seen = []
    for module, name in ((gen.sim, "run"), (gen.synth, "run"), (gen.verilog, "write")):
        monkeypatch.setattr(module, name, lambda *given, **named: seen.append((given, named)) or [])
    return seen


REFUSED = {
    "verilog --fmt nope": f"Format must be one of {FORMATS}, not 'nope'.",
    "verilog --fmt mxfp4:nope": f"Format must be one of {FORMATS}, not 'nope'.",
    "verilog --fmt mxfp4:mxfp4:mxfp4": "Format pair must be A or A:B, not 'mxfp4:mxfp4:mxfp4'.",
    "verilog --unit abacus": (
        "Unit must be one of mac, dot, tile, quantizer, dequantizer, requantize, not 'abacus'."
    ),
    "verilog --acc fp99": f"Accumulator must be one of {', '.join(ACCUMULATORS)}, not 'fp99'.",
    "verilog --fmt mxfp4 --k 33": (
        "K must be a multiple of the 32 elements of mxfp4's block, not 33."
    ),
    "verilog --m 4": "M must be left out for unit mac, not '4'.",
    "verilog --pipeline 99": "PIPELINE must be from 0 to 4, not 99.",
    "verilog --k many": "K must be an integer, not 'many'.",
    "verilog --k 0": "K must be from 1 to 1024, not 0.",
    "sim --fmt nope": f"Format must be one of {FORMATS}, not 'nope'.",
    "sim --sim abacus": "SIM must be verilator or icarus, not 'abacus'.",
    "sim --seed -1": "SEED must be a whole number from 0 up, not '-1'.",
    "sim --count 0": "COUNT must be a whole number from 1 up, not '0'.",
    "sim --waves maybe": "WAVES must be 1 or 0, not 'maybe'.",
    "synth --fmt nope": f"Format must be one of {FORMATS}, not 'nope'.",
    "tensors --rows none": "ROWS must be a whole number from 1 up, not 'none'.",
    "fly": "Verb must be one of verilog, sim, synth, sweep, claims, tensors, bench, not 'fly'.",
    "bench speed": (
        "'speed' is not one of 'golden', 'area'; 'mxforge bench --help' says what there is."
    ),
    "bench golden --row x": "ROW and LIB must be left out for bench golden.",
    "bench area --row x": f"ROW must be one of {', '.join(row.name for row in ROWS)}, not 'x'.",
    "verilog --fnt x": "No such option '--fnt'; 'mxforge verilog --help' says what there is.",
    "verilog x": (
        "Got unexpected extra argument (x); 'mxforge verilog --help' says what there is."
    ),
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line, capsys, tmp_path):
    assert gen.cli.main(line.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"mxforge: {REFUSED[line]}\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["sim", "synth"])
def test_file_that_cannot_be_read(verb, capsys, tmp_path):
    option = {"sim": "--data", "synth": "--lib"}[verb]
    for name, content in (("missing", None), ("empty", b""), ("noise", bytes(range(256)) * 20)):
        if content is not None:
            Path(name).write_bytes(content)
        assert gen.cli.main([verb, "--fmt", "mxfp4", option, name]) == 2
        out, err = capsys.readouterr()
        assert err.startswith("mxforge: ") and name in err and err.count("\n") == 1
        assert "Traceback" not in out + err
    assert not (tmp_path / "build").exists()


def test_verilog_writes_both_files(capsys, tmp_path):
    assert gen.cli.main(["verilog", "--fmt", "mxfp4", "--unit", "dot"]) == 0
    out, err = capsys.readouterr()
    names = ["build/verilog/dot_mxfp4_k32.v", "build/verilog/dot_mxfp4_k32.json"]
    assert out.split() == names and not err
    assert sorted(map(str, tmp_path.rglob("*.*"))) == sorted(str(tmp_path / name) for name in names)


RTL = {"netlist": None, "lib": None, "models": None}


def test_empty_options_are_the_defaults(calls):
    empty = ["--fmt", "", "--unit", " ", "--m", "", "--n", "", "--k", "", "--acc", ""]
    for verb in ("verilog", "sim", "synth"):
        assert gen.cli.main([verb, *empty, "--pipeline", ""]) == 0
    options = ["--sim", "", "--seed", "", "--count", "", "--data", "", "--waves", ""]
    assert gen.cli.main(["sim", *options]) == 0
    assert gen.cli.main(["synth", "--lib", ""]) == 0
    default = Configuration.parse()
    assert calls == [
        ((default,), {}),
        ((default, "verilator", None, None, None, False), RTL),
        ((default, []), {"flatten": None, "power": False, "data": None}),
        ((default, "verilator", None, None, None, False), RTL),
        ((default, []), {"flatten": None, "power": False, "data": None}),
    ]


def test_options_arrive(calls):
    line = "sim --fmt amxfp4:mxfp4 --unit mac --k 64 --acc fp32 --pipeline 1 --sim icarus --seed 5"
    assert gen.cli.main([*line.split(), "--count", "9", "--data", "my x.npz", "--waves", "1"]) == 0
    libraries = ["--lib", "a.lib", "--lib", "b.lib.gz"]
    power = ["--power", "1", "--data", "x.npz"]
    assert gen.cli.main(["synth", "--fmt", "nvfp4", *libraries, "--flatten", "0", *power]) == 0
    pair = Configuration.parse("amxfp4:mxfp4", "mac", 64, "fp32", pipeline=1)
    assert calls == [
        ((pair, "icarus", 5, 9, Path("my x.npz"), True), RTL),
        (
            (Configuration.parse("nvfp4"), [Path("a.lib"), Path("b.lib.gz")]),
            {"flatten": False, "power": True, "data": Path("x.npz")},
        ),
    ]


def test_tensors_prints_what_it_wrote(monkeypatch, capsys):
    monkeypatch.setattr(gen.tensors, "write", lambda **chosen: [str(chosen)])
    assert gen.cli.main(["tensors", "--rows", "5", "--b", "x", "--out", "o.npz", "--norm", ""]) == 0
    expected = {"rows": 5, "b_name": "x", "out": Path("o.npz")}
    line = capsys.readouterr().out
    assert eval(line, {"PosixPath": Path}) == expected


def test_sentence_is_one_line_and_ends_once(monkeypatch, capsys):
    def refuse(*_):
        raise UsageError("Two\n  lines.")

    monkeypatch.setattr(gen.verilog, "write", refuse)
    assert gen.cli.main(["verilog"]) == 2
    assert capsys.readouterr().err == "mxforge: Two lines.\n"


def test_folder_that_cannot_be_written(capsys, tmp_path):
    Path("build").write_text("in the way")
    assert gen.cli.main(["verilog", "--fmt", "mxfp4", "--unit", "dot"]) == 2
    assert capsys.readouterr().err == "mxforge: build/verilog cannot be used: Not a directory.\n"


def test_defects_keep_their_traceback(monkeypatch):
    """Only bad input is a sentence; a mistake of ours is not hidden."""

    def fail(*_):
        raise ValueError("a defect")

    monkeypatch.setattr(gen.verilog, "write", fail)
    with pytest.raises(ValueError, match="a defect"):
        gen.cli.main(["verilog"])


@pytest.mark.parametrize("verb", ["verilog", "sim", "synth", "sweep", "claims", "tensors"])
def test_help_teaches(verb, capsys):
    assert gen.cli.main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"mxforge {verb} --" in text
    if verb != "tensors":
        assert all(name in text.split() for name in list_formats())


def test_no_verb_shows_help(capsys):
    assert gen.cli.main([]) == 2
    assert "Examples:" in capsys.readouterr().err


def run(*line, **more):
    command = [sys.executable, "-m", "gen", *line]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def test_module_exits_with_the_status():
    process = run("verilog", "--fmt", "nope")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and not out and err.startswith("mxforge: Format must be one of ")


def test_help_is_quick():
    """Nothing that takes time is imported for it."""
    heavy = "{'numpy', 'amaranth', 'golden', 'gguf'} & set(sys.modules)"
    code = f"import sys, gen.cli; s = gen.cli.main(['--help']); sys.exit(s or len({heavy}))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_closed_pipe_is_quiet():
    line = f"'{sys.executable}' -m gen --help | true"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, shell=True, env=environment, capture_output=True, text=True)
    assert done.stderr == ""


def test_interrupted(tmp_path):
    """Ctrl-C in the middle of writing: status 130, nothing said, nothing half-written."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def stop(event, given):\n"
        "    if event == 'os.rename':\n"
        "        print('ready', flush=True); import time; time.sleep(60)\n"
        "sys.addaudithook(stop)\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "gen", "verilog", "--fmt", "mxfp4", "--unit", "dot"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job, which this may be run from, ignores the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and not err.strip()
    assert not list((tmp_path / "build/verilog").iterdir())


def test_console_script_is_the_command_line():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (script,) = entry_points(group="console_scripts", name="mxforge")
    assert script.value == project["scripts"]["mxforge"] and script.load() is gen.cli.main

"""The Makefile and its set-up: variables become options; what is missing is told in a sentence."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("clean_environment")


def make(*words, recorder):
    """The arguments that ``make WORDS`` hands to ``python -m gen``, and its exit status."""
    command = ["make", "-s", *words, f"RUN={recorder}"]
    for target in (".venv/ready", ".venv/tensors", "icarus", "osu018"):
        command += ["-o", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.splitlines(), done.returncode


@pytest.fixture
def recorder(tmp_path):
    path = tmp_path / "record"
    path.write_text('#!/bin/sh\nfor word do echo "$word"; done\n')
    path.chmod(0o755)
    return path


LINES = {
    "verilog": "verilog",
    "verilog FMT=amxfp4:mxfp4 UNIT=dot K=64 ACC=fp32": (
        "verilog --fmt amxfp4:mxfp4 --unit dot --k 64 --acc fp32"
    ),
    "verilog FMT= UNIT= M= N= K= ACC= PIPELINE=": "verilog",
    "synth UNIT=tile M=4 N=8 PIPELINE=2": "synth --unit tile --m 4 --n 8 --pipeline 2",
    "sim FMT=nvfp4 SIM=icarus SEED=3 COUNT=20000 DATA=build/tensors.npz WAVES=1": (
        "sim --fmt nvfp4 --sim icarus --seed 3 --count 20000 --data build/tensors.npz --waves 1"
    ),
    "sim SIM= SEED= COUNT= DATA= WAVES=": "sim",
    "sweep FMT=mxfp4,nvfp4 K=16,32 PLAN=a.toml": (
        "sweep --fmt mxfp4,nvfp4 --k 16,32 --plan a.toml"
    ),
    "sweep JOBS=3 DATA=t.npz SCHEDULER=tcp://a:1": (
        "sweep --data t.npz --jobs 3 --scheduler tcp://a:1"
    ),
    "sim NETLIST=delay LIB=a.lib MODELS=a.v": "sim --netlist delay --lib a.lib --models a.v",
    "synth LIB=a.lib POWER=1 DATA=t.npz": "synth --lib a.lib --power 1 --data t.npz",
    "synth TARGET=ecp5": "synth --target ecp5",
    "verilog UNIT=requantize OUT=bf16 NEXT=nvfp4": (
        "verilog --unit requantize --out bf16 --next nvfp4"
    ),
    "synth FMT=mxfp4 K=32 FRACTION=24": "synth --fmt mxfp4 --k 32 --fraction 24",
    "tensors DATA=build/t.npz": "tensors --out build/t.npz",
    "bench": "bench golden",
    "bench WHAT=area": "bench area",
    "bench WHAT=area ROW=dot_e2m1_k16 LIB=a.lib": "bench area --row dot_e2m1_k16 --lib a.lib",
}


@pytest.mark.parametrize("line", LINES)
def test_variables_become_options(line, recorder):
    assert make(*line.split(), recorder=recorder) == (LINES[line].split(), 0)


@pytest.mark.parametrize(
    ("line", "installs"),
    [("bench", False), ("bench WHAT=area", True), ("bench WHAT=area LIB=a.lib", False)],
)
def test_bench_installs_cells_only_where_it_needs_them(line, installs):
    command = ["make", "-n", "-o", ".venv/ready", *line.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ("setup.sh osu018" in done.stdout) == installs


def test_several_libraries(recorder):
    found, _ = make("synth", "LIB=a.lib ../b.lib.gz", recorder=recorder)
    assert found == ["synth", "--lib", "a.lib", "--lib", "../b.lib.gz"]


@pytest.mark.parametrize("value", ["it's", "a;echo b", "$$(id)", 'two "words"', "*"])
def test_values_are_not_shell(value, recorder):
    found, status = make("verilog", f"FMT={value}", recorder=recorder)
    assert (found, status) == (["verilog", "--fmt", value.replace("$$", "$")], 0)


def test_status_of_bad_input_is_2(recorder):
    recorder.write_text("#!/bin/sh\nexit 2\n")
    assert make("verilog", "FMT=nope", recorder=recorder)[1] == 2


def test_help_names_every_target():
    text = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    assert {f"make {name}" for name in phony} - {"make help", "make icarus", "make osu018"} == set(
        re.findall(r"^  (make \w+)", text, re.MULTILINE)
    )


@pytest.fixture
def bare(tmp_path):
    """A folder for PATH with what set-up cannot do without; the user is an ordinary one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "chmod", "rm", "mkdir", "touch"):
        (folder / name).symlink_to(shutil.which(name))
    stub(folder, "id", "echo 1000")
    return folder


def stub(folder, name, script):
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def set_up(step, bare, **environment):
    """Run a step of the set-up where only `bare` is on PATH; status and standard error."""
    done = subprocess.run(
        [shutil.which("sh"), ROOT / "gen/setup.sh", step],
        cwd=bare.parent,
        env={"PATH": str(bare), **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


MISSING_ICARUS = (
    "mxforge: Icarus Verilog is missing; type 'sudo apt-get install iverilog'"
    " (or your system's like of it) and try again.\n"
)


def test_icarus_there(bare):
    for name in ("iverilog", "vvp"):
        stub(bare, name, "")
    assert set_up("icarus", bare) == (0, "")


def test_icarus_without_apt(bare):
    assert set_up("icarus", bare) == (2, MISSING_ICARUS)


def test_icarus_without_rights(bare):
    stub(bare, "apt-get", "echo called >> calls")
    stub(bare, "sudo", "exit 1")
    assert set_up("icarus", bare) == (2, MISSING_ICARUS)
    assert not (bare.parent / "calls").exists()


INSTALL = """
echo "$*" >> calls
case "$1 $3" in "install iverilog") test -e updated || exit 100; cp_stub iverilog; cp_stub vvp;;
update*) touch updated;; esac
"""


@pytest.mark.parametrize("user", ["root", "sudo"])
def test_icarus_installed(user, bare):
    """With apt's lists out of date at first, as on a new machine."""
    copy = f'cp_stub() {{ cat > "{bare}/$1" < /dev/null; chmod +x "{bare}/$1"; }}'
    stub(bare, "apt-get", copy + INSTALL)
    if user == "root":
        stub(bare, "id", "echo 0")
    else:
        stub(bare, "sudo", 'test "$1" = -n && shift; "$@"')
    status, err = set_up("icarus", bare)
    assert (status, err) == (0, "mxforge: Installing iverilog with apt-get, once.\n")
    calls = (bare.parent / "calls").read_text().splitlines()
    assert calls == ["install -y iverilog", "update", "install -y iverilog"]


def test_icarus_cannot_be_installed(bare):
    stub(bare, "id", "echo 0")
    stub(bare, "apt-get", "exit 100")
    status, err = set_up("icarus", bare)
    assert (status, err.splitlines()[-1] + "\n") == (2, MISSING_ICARUS)


def test_no_python(bare):
    assert set_up("venv", bare) == (
        2,
        "mxforge: python3 is missing; install Python 3.11 or later,"
        " or name one: make PYTHON=python3.12 ...\n",
    )


def test_old_python(bare):
    stub(bare, "python3", 'case "$2" in *print*) echo 3.9;; *) exit 1;; esac')
    assert set_up("venv", bare) == (
        2,
        "mxforge: Python must be 3.11 or later, not 3.9;"
        " name a newer one: make PYTHON=python3.12 ...\n",
    )
    assert not (bare.parent / ".venv").exists()


def test_python_without_venv(bare):
    stub(bare, "py", 'case "$2" in *print*) echo 3.11;; *ensurepip*) exit 1;; esac')
    assert set_up("venv", bare, PYTHON="py") == (
        2,
        "mxforge: Python's venv module is missing;"
        " type 'sudo apt-get install python3.11-venv' and try again.\n",
    )
    assert not (bare.parent / ".venv").exists()


PYTHON = """
case "$2" in
*print*) echo 3.11;;
venv) mkdir -p .venv/bin; cat "BARE/inner" > .venv/bin/python; chmod +x .venv/bin/python;;
esac
"""


@pytest.mark.parametrize("before", ["none", "unfinished", "broken", "whole"])
def test_environment_heals(before, bare):
    """Made anew when there is none, its making was cut off, or its Python does not run."""
    inner = '#!/bin/sh\necho "$*" >> calls\n'
    (bare / "inner").write_text(inner)
    stub(bare, "python3", PYTHON.replace("BARE", str(bare)))
    venv = bare.parent / ".venv"
    if before != "none":
        (venv / "bin").mkdir(parents=True)
        (venv / "old").touch()
        (venv / "bin/python").write_text("#!/bin/sh\nexit 1\n" if before == "broken" else inner)
        (venv / "bin/python").chmod(0o755)
    if before == "unfinished":
        (venv / "unfinished").touch()
    status, err = set_up("venv", bare)
    assert (status, err) == (
        0,
        "mxforge: Installing the packages of requirements.lock into .venv,"
        " once (a minute or two).\n",
    )
    assert (venv / "ready").exists() and not (venv / "unfinished").exists()
    assert (venv / "old").exists() == (before == "whole")
    calls = (bare.parent / "calls").read_text()
    assert calls.count(" -r requirements.lock\n") == 1


def test_no_network(bare):
    (bare / "inner").write_text(
        '#!/bin/sh\ncase "$3" in install) echo "no route" >&2; exit 1;; esac\n'
    )
    stub(bare, "python3", PYTHON.replace("BARE", str(bare)))
    status, err = set_up("venv", bare)
    assert status == 2 and err.splitlines()[1:] == [
        "no route",
        "mxforge: Packages could not be installed into .venv; see above,"
        " and try again with a network.",
    ]
    assert not (bare.parent / ".venv/ready").exists()
    assert (bare.parent / ".venv/unfinished").exists()


def test_lock_names_exact_versions_and_no_place():
    for name in ("requirements.lock", "tensors.lock"):
        lines = (ROOT / name).read_text().splitlines()
        pins = [line for line in lines if not line.startswith("#")]
        assert pins and all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)


def test_lock_is_what_runs():
    """The tests run on the versions of the lock."""
    from importlib.metadata import version

    assert sys.version_info >= (3, 11)
    for pin in (ROOT / "requirements.lock").read_text().splitlines():
        if not pin.startswith("#"):
            name, _, expected = pin.partition("==")
            assert version(name) == expected, name


def test_continuous_integration_runs_make_test():
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "make test"

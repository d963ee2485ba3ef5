"""Build Verilog with a simulator and run a cocotb testbench on it."""

import fcntl
import hashlib
import json
import os
import pickle
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cocotb_tools import runner
from cocotb_tools.check_results import get_results

from . import tools
from .errors import ToolError
from .job import JOB, REPORT, Job, Report

SIMULATORS = ("verilator", "icarus")
TIMESCALE = ("1ns", "1ps")
RUNTIME = ("verilated.o", "verilated_vpi.o", "verilated_threads.o")
# What make passes on to the commands it runs, and what the runner would read from the user.
FOREIGN = (
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    "MAKEOVERRIDES",
    "WAVES",
    "GUI",
    "PYTEST_CURRENT_TEST",
)


class BuildError(ToolError):
    """The simulator refused the Verilog, or the simulation died; the message says where the log is,
    and a note has its end."""


class _Limited(runner.Runner):
    """A runner whose commands end after ``limit`` seconds: a design may loop in no time at all."""

    limit: float | None = None

    def _execute_cmds(self, cmds, cwd, stdout=None):
        for command in cmds:
            options = {"cwd": cwd, "env": self.env, "stdout": stdout, "timeout": self.limit}
            try:
                done = subprocess.run(command, stderr=subprocess.STDOUT, **options)
            except subprocess.TimeoutExpired:
                raise RuntimeError(f"no end after {self.limit} s") from None
            if done.returncode:
                raise RuntimeError(f"{command[0]} ended with status {done.returncode}")


class _Icarus(_Limited, runner.Icarus):
    pass


class _Verilator(_Limited, runner.Verilator):
    """Verilator with only the top's ports public, and its runtime compiled once for all designs."""

    def _build_command(self):
        verilate, make = super()._build_command()
        at = verilate.index("--public-flat-rw")
        verilate[at : at + 1] = ["--public-depth", "1"]
        present = [name for name in RUNTIME if (self.build_dir / name).exists()]
        return [verilate, make + [option for name in present for option in ("-o", name)]]


class Simulation:
    """One Verilog top in one simulator, built into a folder of its own.

    ``verilog``: the file, its top named as the file is. ``folder``: where all simulations live,
    each in one named after the top and ``label``. ``long``: whether the runs will be, so that
    compiling well pays. ``blocks``: modules that Verilator compiles once each, instead of once for
    every instance. ``limit``: seconds after which a command counts as failed, None for never.
    Raises UsageError when the simulator is missing.
    """

    limit: float | None = None

    def __init__(
        self,
        verilog: Path,
        simulator: str,
        folder: Path,
        waves: bool = False,
        long: bool = False,
        label: str = "",
        blocks: Sequence[str] = (),
    ):
        self._verilog, self._simulator, self._waves = verilog, simulator, waves
        self._blocks = blocks if simulator == "verilator" else ()
        self._top = verilog.stem
        self.folder = (folder / f"{self._top}{label}-{simulator}{'-waves' * waves}").resolve()
        self._environment: dict[str, str] = {}
        if simulator == "icarus":
            self._tool = tools.icarus()
            self._arguments: list[str] = []
        else:
            self._tool, self._environment = tools.verilator()
            self._arguments = ["-Wno-fatal", "-Wno-lint", "-Wno-style"]
            # Compiling mostly takes longer than simulating: do it quickly rather than well, in one
            # file (every piece would read the same headers again).
            self._arguments += ["--output-split", "0"]
            self._arguments += ["--hierarchical"] if blocks else []
            makeflags = self._environment.get("MAKEFLAGS", "")
            options = f"OPT_FAST=-O{int(long)} OPT_GLOBAL=-O1"
            self._environment |= {"MAKEFLAGS": f"{makeflags} {options}".strip()}
        self._runtime = folder.resolve() / f"verilator-runtime-{self._key(False)[:12]}"

    @property
    def wave(self) -> Path:
        """The waveform that a run with waves leaves."""
        return self.folder / ("dump.vcd" if self._simulator == "verilator" else f"{self._top}.fst")

    def build(self) -> None:
        """Compile the Verilog, unless this very text was compiled before. Raises BuildError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        stamp, key = self.folder / "stamp", self._key(True)
        if stamp.exists() and stamp.read_text() == key:
            return
        stamp.unlink(missing_ok=True)
        with self._surroundings():
            self._share_runtime(self._runtime, self.folder)
            tool = self._runner()
            try:
                tool.build(
                    sources=[*self._control_files(), self._verilog],
                    hdl_toplevel=self._top,
                    build_dir=self.folder,
                    build_args=self._arguments,
                    timescale=TIMESCALE,
                    waves=self._waves,
                    always=True,
                    log_file=self.folder / "build.log",
                )
            except RuntimeError as error:
                raise self._error("compile", error, "build.log") from None
            self._share_runtime(self.folder, self._runtime)
        stamp.write_text(key)

    def _control_files(self) -> list[Path]:
        """What tells Verilator of blocks."""
        if not self._blocks:
            return []
        path = self.folder / "blocks.vlt"
        lines = [f'hier_block -module "{name}"' for name in self._blocks]
        path.write_text("\n".join(["`verilator_config", *lines, ""]))
        return [path]

    def run(self, module: str, job: Job) -> Report:
        """Run a testbench module on the built design and return its report.

        Raises BuildError when it neither passed nor reported a mismatch, or checked nothing.
        """
        with self._surroundings(), tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            paths = {JOB: Path(scratch) / "job", REPORT: Path(scratch) / "report.json"}
            results = Path(scratch) / "results.xml"
            paths[JOB].write_bytes(pickle.dumps(job))
            tool = self._runner()
            try:
                tool.test(
                    module,
                    self._top,
                    hdl_toplevel_lang="verilog",
                    build_dir=self.folder,
                    extra_env={name: str(path) for name, path in paths.items()},
                    waves=self._waves,
                    results_xml=str(results),
                    seed=job.seed & 0xFFFFFFFF,
                    timescale=TIMESCALE,
                    log_file=self.folder / "sim.log",
                )
                tests, failed = get_results(results)
            except (RuntimeError, SystemExit) as error:
                raise self._error("simulate", error, "sim.log") from None
            report = Report()
            if paths[REPORT].exists():
                report = Report(**json.loads(paths[REPORT].read_text()))
        if report.mismatch is None and (failed or not tests or not report.checked):
            why = f"{failed} of {tests} tests failed, {report.checked} dot products checked"
            raise self._error("simulate", why, "sim.log")
        return report

    def _runner(self) -> _Limited:
        tool = _Verilator() if self._simulator == "verilator" else _Icarus()
        tool.limit = self.limit
        return tool

    def _key(self, with_text: bool) -> str:
        """What decides the compiled design: the tool, its options, the text without comments."""
        status = os.stat(self._tool)
        parts = [str(self._tool), str(status.st_mtime), str(status.st_size), str(self._waves)]
        parts += [*self._arguments, *map(str, sorted(self._environment.items()))]
        if with_text:
            parts.append(re.sub(r"^\s*//.*\n", "", self._verilog.read_text(), flags=re.MULTILINE))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _share_runtime(self, source: Path, target: Path) -> None:
        """Copy the objects of Verilator's own sources, which are the same for every design."""
        for name in RUNTIME if self._simulator == "verilator" else ():
            if (source / name).exists() and not (target / name).exists():
                target.mkdir(parents=True, exist_ok=True)
                with tempfile.NamedTemporaryFile(dir=target, delete=False) as file:
                    file.write((source / name).read_bytes())
                os.replace(file.name, target / name)

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        """The tool first on PATH, none of the user's make in the way, this folder our own."""
        saved = dict(os.environ)
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                for name in FOREIGN:
                    os.environ.pop(name, None)
                os.environ.update(self._environment)
                os.environ["PATH"] = os.pathsep.join(
                    [str(self._tool.parent), saved.get("PATH", "")]
                )
                yield
            finally:
                os.environ.clear()
                os.environ.update(saved)

    def _error(self, verb: str, why: object, log: str) -> BuildError:
        """What went wrong, in a sentence, with the last lines of a log as a note."""
        path = self.folder / log
        place = os.path.relpath(path)
        error = BuildError(f"{self._simulator} did not {verb} {self._top}, see {place}: {why}")
        if path.exists():
            error.add_note("\n".join(path.read_text(errors="replace").splitlines()[-30:]))
        return error

"""A sweep from its plan to its results; what is there already is not measured again."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gen import yosys
from gen.configure import AnyConfiguration
from gen.conversion import Quantization
from gen.errors import UsageError
from gen.hierarchy import is_flattened
from gen.liberty import Library
from gen.power_tables import PowerTables
from gen.sweep import job
from gen.sweep.plan import Plan, Refusal, pair_of
from gen.sweep.pool import Pool, pool
from gen.synth import command, load_all
from gen.verilog import write_atomically

FOLDER = Path("build/sweep")


@dataclass
class Outcome:
    """What a sweep gave: results in the order of `configurations`, and what could not be measured.

    `measured` counts the results that were not there already.
    """

    plan: Plan
    configurations: list[AnyConfiguration]
    results: list[dict] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    failed: list[Refusal] = field(default_factory=list)
    measured: int = 0

    @property
    def status(self) -> int:
        """The exit status: 0 if everything was measured, 2 if nothing was, else 1."""
        if not self.refused and not self.failed:
            return 0
        return 1 if self.results else 2


def measure(
    plan: Plan,
    folder: Path = FOLDER,
    scheduler: str | None = None,
    jobs: int | None = None,
    console: Console | None = None,
) -> Outcome:
    """Measure what a plan names; each result is a file ``results/NAME.LIB.KEY.json`` in `folder`.

    It runs in `jobs` processes, by default one for each core, or on the Dask cluster of
    `scheduler`. An interruption, which raises KeyboardInterrupt, loses nothing that was finished.
    UsageError, before anything is measured, for a Liberty file or a scheduler that cannot be used.
    """
    yosys.release()
    libraries = load_all(plan.libs)
    for library in libraries.values() if plan.power else ():
        PowerTables(library, ())  # What they lack is told now, not after minutes.
    configurations, refused = plan.configurations()
    run = _Run(Outcome(plan, configurations), folder, console or Console())
    for refusal in refused:
        run.complain("refused", refusal)
    if configurations:
        try:
            with _terminable(), pool(scheduler, jobs) as workers, run.bar:
                run.measure(run.design(configurations, workers), libraries, workers)
        except KeyboardInterrupt:
            run.say(f"interrupted; {run.outcome.measured} new results are kept")
            raise
    return run.outcome


class _Run:
    """A sweep in progress."""

    def __init__(self, outcome: Outcome, folder: Path, console: Console):
        self.outcome, self._folder, self._console = outcome, folder, console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.bar = Progress(*columns, TimeElapsedColumn(), console=console)

    def complain(self, what: str, refusal: Refusal) -> None:
        """Say in one line what is left out, and remember it."""
        getattr(self.outcome, what).append(refusal)
        self.say(f"{what}: {refusal}")

    def say(self, line: str) -> None:
        """Print a line as it is, above the bar."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def design(self, configurations: list[AnyConfiguration], pool: Pool) -> list[tuple]:
        """Every configuration that has one with its design, in order."""
        paths = {
            c: self._folder / "designs" / f"{c.name}.{job.design_key(c)}.json"
            for c in configurations
        }
        found = {c: job.Design(**kept) for c, path in paths.items() if (kept := _read(path))}
        futures = {pool.executor.submit(job.design, c): c for c in configurations if c not in found}
        labels = {future: c.name for future, c in futures.items()}
        for future, design in self._done("Verilog", labels):
            found[futures[future]] = design
            write_atomically(paths[futures[future]], json.dumps(asdict(design)) + "\n")
        return [(c, found[c]) for c in configurations if c in found]

    def measure(self, designs: list[tuple], libraries: Mapping[str, Library], pool: Pool) -> None:
        """Read the results that are there and measure the others, large designs first."""
        found: dict[Path, dict] = {}
        missing = []
        for configuration, design in designs:
            flatten = is_flattened(configuration, self.outcome.plan.flatten)
            options = job.Options(flatten, self.outcome.plan.power)
            for stem, library in libraries.items():
                key = job.key(design, library, options)
                path = self._folder / "results" / f"{configuration.name}.{stem}.{key}.json"
                found[path] = _read(path)
                if not found[path]:
                    missing.append((configuration, design, options, stem, library, path))
        data = {stem: pool.share(library.path.read_bytes()) for stem, library in libraries.items()}
        missing.sort(key=lambda each: -each[0].m * each[0].n * _elements(each[0]))
        spare = pool.spare(len(missing))
        futures = {}
        for each in missing:
            configuration, design, options, stem, library, _ = each
            given = configuration, design, library.path.name, data[stem], options, spare
            futures[pool.executor.submit(job.measure, *given)] = each
        labels = {f: f"{each[0].name} on {each[3]}" for f, each in futures.items()}
        for future, measured in self._done("synthesis", labels):
            configuration, *_, library, path = futures[future]
            if measured.pop("method_digest") != job.method_digest():
                reason = "a worker has other sources or tools than this machine"
                self.complain("failed", Refusal(labels[future], reason))
                continue
            result = _described(configuration, library, self.outcome.plan) | measured
            write_atomically(path, json.dumps(result, indent=2) + "\n")
            found[path] = result
            self.outcome.measured += 1
        self.outcome.results = [result for result in found.values() if result]

    def _done(self, what: str, labels: Mapping[Future, str]) -> Iterator[tuple[Future, Any]]:
        """Futures as they end, with what they give; those that fail are complained about."""
        task = self.bar.add_task(what, total=len(labels))
        for future in as_completed(labels):
            try:
                yield future, future.result()
            except BrokenProcessPool:
                reason = "a process died, for want of memory perhaps; the same command goes on"
                self.complain("failed", Refusal("the rest", reason))
                return
            except Exception as error:
                told = isinstance(error, UsageError | yosys.YosysError)
                reason = str(error) if told else f"{type(error).__name__}: {error}"
                self.complain("failed", Refusal(labels[future], reason))
            self.bar.advance(task)


def _described(configuration: AnyConfiguration, library: Library, plan: Plan) -> dict:
    """The head of a result: what it is of, and the command that repeats it."""
    c = configuration
    return {
        "name": c.name,
        "command": command(c, [library.path], plan.flatten) + " POWER=1" * plan.power,
        "configuration": {
            "fmt": pair_of(c),
            "unit": c.unit,
            "m": c.m,
            "n": c.n,
            "k": _elements(c),
            "acc": getattr(c, "acc", None),
            "pipeline": c.pipeline,
            "out": getattr(c, "out", None),
        },
    }


def _elements(configuration: AnyConfiguration) -> int:
    """Elements of a row that a configuration takes a cycle."""
    c = configuration
    return c.lanes if isinstance(c, Quantization) else c.k


def _read(path: Path) -> dict:
    """A result that is there; empty for one that is not, or that is no JSON."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


@contextmanager
def _terminable() -> Iterator[None]:
    """Make the signal to terminate an interruption, which cleans up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

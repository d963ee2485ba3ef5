"""``make sweep``: many configurations on many libraries, as files, tables and plots."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from gen.configure import AnyConfiguration
from gen.sweep.plan import Plan, formats_of, pair_of
from gen.sweep.quality import Tensors
from gen.sweep.run import FOLDER, Outcome, measure
from gen.sweep.table import csv_text, json_text, markdown, rows, summary
from gen.verilog import write_atomically

__all__ = ["Plan", "measure", "rated", "run"]


def run(
    plan: Plan,
    data: Path | None = None,
    scheduler: str | None = None,
    jobs: int | None = None,
    folder: Path = FOLDER,
) -> Outcome:
    """Measure what a plan names, and write ``NAME.csv``, ``.json``, ``.md`` and plots.

    `data` is an .npz of tensors, by default SmolLM2's.
    """
    console = Console()
    tensors = Tensors.find(data)
    outcome = measure(plan, folder, scheduler, jobs, console)
    if not outcome.results:
        return outcome
    found = report(outcome, tensors)
    plots = []
    if importlib.util.find_spec("matplotlib"):
        from gen.sweep.plots import draw

        plots = draw(found, folder)
    else:
        console.print("no plots, which need: pip install matplotlib", markup=False)
    texts = {
        "csv": csv_text(found["rows"]),
        "json": json_text(found),
        "md": markdown(found, plots),
    }
    for suffix, text in texts.items():
        write_atomically(folder / f"{plan.name}.{suffix}", text)
    kept = len(outcome.results) - outcome.measured
    console.print(f"{outcome.measured} measured, {kept} kept from before.", highlight=False)
    names = [f"{plan.name}.{suffix}" for suffix in texts] + plots
    console.print(*(str(folder / name) for name in names), sep="\n", highlight=False)
    return outcome


def report(outcome: Outcome, tensors: Tensors) -> dict:
    """The summary of a sweep, with the SQNR of its format pairs."""
    quality = rated(outcome.configurations, tensors)
    return summary(outcome, rows(outcome.results, quality), tensors.words)


def rated(configurations: Iterable[AnyConfiguration], tensors: Tensors) -> dict[str, float]:
    """The SQNR in dB of each format pair among the configurations."""
    pairs = {pair_of(c): c for c in configurations}
    return {pair: round(tensors.sqnr(*formats_of(c)), 2) for pair, c in pairs.items()}

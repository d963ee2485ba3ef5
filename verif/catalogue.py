"""Simulate the catalogue against golden: ``python -m verif.catalogue --help``."""

import io
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from fnmatch import fnmatch
from multiprocessing import get_context

import click

from gen.catalogue import (
    CATALOGUE,
    DEQUANTIZERS,
    EXPERIMENTAL,
    QUANTIZERS,
    REQUANTIZERS,
    SUPPORTED,
    Entry,
)
from gen.errors import ToolError
from gen.sim import Mismatch, run
from gen.simulator import SIMULATORS

COUNT = {"verilator": 20_000, "icarus": 200}  # random dot products or blocks
UNITS = {
    "tiles": CATALOGUE,
    "quantizers": QUANTIZERS,
    "dequantizers": DEQUANTIZERS,
    "requantizers": REQUANTIZERS,
}


def simulated(entry: Entry, simulator: str, seed: int, count: int) -> tuple[bool, str]:
    """Whether a configuration equals golden, and its name with the verdict."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            run(entry.configuration, simulator, seed, count)
    except (Mismatch, ToolError) as error:
        return False, f"{entry.name}: {error}"
    return True, f"{entry.name}: {printed.getvalue().splitlines()[-1]}"


@click.command()
@click.argument("units", nargs=-1, type=click.Choice(list(UNITS)), metavar="[UNIT]...")
@click.option("--tier", type=click.Choice([SUPPORTED, EXPERIMENTAL]), help="One tier, not both.")
@click.option(
    "--name", "names", multiple=True, metavar="PATTERN", help="Only such names, as nvfp4_*."
)
@click.option("--sim", default="verilator", type=click.Choice(SIMULATORS), show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--count", type=click.IntRange(1), help="Random dot products or blocks of each.")
@click.option("--jobs", default=os.cpu_count(), type=click.IntRange(1), show_default=True)
def main(
    units: Iterable[str],
    tier: str | None,
    names: tuple[str, ...],
    sim: str,
    seed: int,
    count: int | None,
    jobs: int,
) -> None:
    """Simulate every configuration of these UNITs (tiles, quantizers, dequantizers, requantizers;
    all by default). Status 1 if any differs from golden."""
    entries = [
        entry
        for unit in units or UNITS
        for entry in UNITS[unit]
        if tier in (None, entry.tier)
        and (not names or any(fnmatch(entry.name, pattern) for pattern in names))
    ]
    if not entries:
        raise click.UsageError(f"NAME must fit some configuration, not {', '.join(names)!r}")
    failures = 0
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        work = [pool.submit(simulated, e, sim, seed, count or COUNT[sim]) for e in entries]
        for job in work:
            is_equal, line = job.result()
            failures += not is_equal
            click.echo(line)
    click.echo(f"{len(work) - failures} of {len(work)} on {sim} equal to golden, SEED={seed}.")
    raise SystemExit(int(failures > 0))


if __name__ == "__main__":
    main()

"""RTL beside matrix units in the field: ``python -m verif.silicon [FILE.npz ...] [--sim icarus]``.

A file holds what the wgmma instruction of an H200 returned, or what mmasim computes: the layouts of
``verif/vectors``, which are the files if none is named. Each case goes through a mac of its preset.
``--mmasim`` computes 12,000 outputs of each case anew (``make peers`` installs mmasim).
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen import verilog
from gen.config import Configuration
from gen.job import Job
from gen.sim import FOLDER
from gen.simulator import SIMULATORS, Simulation
from golden.presets import PRESETS
from verif import peers_mmasim

VECTORS = Path(__file__).parent / "vectors"
FILES = (VECTORS / "h200_wgmma_fp8.npz", VECTORS / "mmasim.npz")
PARTS = ("a", "sa", "b", "sb", "c", "d")


@dataclass
class Case:
    """One preset on one format pair; ``arrays``: codes, scale codes, starts and results by part."""

    preset: str
    pair: str
    arrays: dict[str, np.ndarray]

    def check(self, simulator: str, m: int | None = None, n: int | None = None) -> int:
        """Drive all of it through a mac, or an ``m`` x ``n`` tile; how many outputs are equal.

        Raises AssertionError with the first that is not, decoded.
        """
        unit = "mac" if m is None else "tile"
        length = PRESETS[self.preset].length
        configuration = Configuration.parse(self.pair, unit, length, self.preset, m, n)
        path, description = verilog.write(configuration)
        simulation = Simulation(path, simulator, FOLDER)
        simulation.build()
        count = len(self.arrays["d"])
        vectors = [{part: x[i] for part, x in self.arrays.items()} for i in range(count)]
        job = Job(configuration, json.loads(description.read_text()), 1, 0, vectors=vectors)
        report = simulation.run("verif.tb_vectors", job)
        if report.mismatch is not None:
            raise AssertionError(report.mismatch)
        return report.checked * configuration.n


def cases(path: Path) -> Iterator[Case]:
    """The cases of a file, by preset and pair."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "origin"}
    for name in sorted({name.rpartition("/")[0] or name.rpartition("_")[0] for name in arrays}):
        if "/" in name:
            preset, a, b = name.split("/")
            found = {part: arrays.get(f"{name}/{part}") for part in PARTS}
        else:
            preset, (a, b) = "hopper_fp8", (f"fp8_{element}" for element in name.split("_"))
            found = {part: arrays.get(f"{name}_{part}") for part in PARTS}
        yield Case(preset, f"{a}:{b}", {part: x for part, x in found.items() if x is not None})


def computed(preset: str | None) -> Iterator[Case]:
    """The cases of mmasim, of one preset or all, computed now."""
    rng = np.random.default_rng(2026)
    for case in peers_mmasim.cases():
        if preset not in (None, case.preset):
            continue
        batches = list(peers_mmasim.batches(case, rng))
        arrays = {part: np.stack([batch[part] for batch in batches]) for part in batches[0]}
        yield Case(case.preset, f"{case.a}:{case.b}", arrays)


def main() -> None:
    """Check every case of the files, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=FILES)
    parser.add_argument("--sim", choices=SIMULATORS, default=SIMULATORS[0])
    parser.add_argument("--preset", help="only this one")
    parser.add_argument("--m", type=int, help="rows of a tile, else a mac")
    parser.add_argument("--n", type=int, help="columns of a tile")
    parser.add_argument("--mmasim", action="store_true", help="no files, mmasim itself")
    options = parser.parse_args()
    sources = {path.name: cases(path) for path in options.files}
    if options.mmasim:
        sources = {"mmasim": computed(options.preset)}
    for name, found in sources.items():
        for case in found:
            if options.preset in (None, case.preset):
                count = case.check(options.sim, options.m, options.n)
                print(f"{name}: {case.preset} {case.pair}: {count:,} outputs equal", flush=True)


if __name__ == "__main__":
    main()

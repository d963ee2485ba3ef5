"""``make sim``: the emitted Verilog against the golden model, in Verilator or Icarus."""

import json
import secrets
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np

from . import gates, verilog
from .cells import BUILT_IN
from .config import Configuration
from .configure import AnyConfiguration
from .errors import UsageError
from .flow import RECIPES
from .hierarchy import outermost
from .job import Job, Report
from .liberty import load
from .simulator import SIMULATORS, Simulation

FOLDER = Path("build/sim")
COUNT = {"verilator": 10_000, "icarus": 250}  # random dot products if the user names no COUNT
TILE_COUNT = {"verilator": 50_000, "icarus": 1_000}  # of a tile, which takes many a cycle
LONG_COUNT = 200_000  # from here on the simulator's speed decides, not its compiler's
COUNT_WITH_WAVES = 100
MOST_INLINED = 16  # cells of a tile up to which Verilator compiles every one
DATA_COUNT = {"verilator": 4096, "icarus": 64}  # dot products of the user's tensors


class Mismatch(SystemExit):
    """A result that differs from golden's, decoded; uncaught, it is printed, with exit status 1."""


def run(
    configuration: AnyConfiguration,
    simulator: str = "verilator",
    seed: int | None = None,
    count: int | None = None,
    data: Path | str | None = None,
    waves: bool = False,
    folder: Path = FOLDER,
    netlist: str | None = None,
    lib: Path | None = None,
    models: Path | None = None,
) -> Report:
    """Build a configuration's Verilog, simulate it, compare every output bit, print the result.

    ``seed``: of the random stimuli, drawn if None; ``count``: random dot products, besides corners
    and streams, or with ``data`` the most to take; ``data``: an .npz with float32 arrays a (M, K)
    and b (N, K) to drive in their place; ``waves``: leave a waveform. ``netlist``: the recipe whose
    mapped netlist is simulated in place of the Verilog, on Liberty file ``lib`` (the built-in one)
    with its cells' Verilog in ``models`` (made of the Liberty file's functions).
    Raises UsageError for what the user can put right, Mismatch for results that differ.
    """
    if simulator not in SIMULATORS:
        raise UsageError(f"SIM must be one of {', '.join(SIMULATORS)}, not {simulator!r}")
    for name, value in (("LIB", lib), ("MODELS", models)):
        if netlist is None and value is not None:
            raise UsageError(f"{name} must come with NETLIST=area or NETLIST=delay, not alone")
    if netlist is not None and netlist not in RECIPES:
        raise UsageError(f"NETLIST must be one of {', '.join(RECIPES)}, not {netlist!r}")
    tensors = None
    if data is not None:
        if not isinstance(configuration, Configuration) or configuration.acc is None:
            raise UsageError(f"DATA must be used with unit mac or tile, not {configuration.unit}")
        tensors = load_tensors(Path(data), configuration)
    if seed is None:
        seed = secrets.randbelow(1 << 32)
    if count is None:
        counts = TILE_COUNT if configuration.unit == "tile" else COUNT
        counts = counts if tensors is None else DATA_COUNT
        count = COUNT_WITH_WAVES if waves else counts[simulator]
    most = None if simulator == "verilator" and not waves else count
    path, description = verilog.write(configuration)
    label = ""
    if netlist is not None:
        library = load(lib or BUILT_IN)
        path = gates.write(configuration, library, netlist, models)
        label = f"-{path.parent.parent.name}-{netlist}"
    blocks = [] if netlist else blocks_of(configuration, path, json.loads(description.read_text()))
    simulation = Simulation(path, simulator, folder, waves, count >= LONG_COUNT, label, blocks)
    print(f"{configuration.name}{label} on {simulator}, SEED={seed}")
    start = time.monotonic()
    simulation.build()
    built = time.monotonic()
    job = Job(configuration, json.loads(description.read_text()), seed, count, tensors, most)
    report = simulation.run(testbench(configuration), job)
    print(summary(report, time.monotonic() - built, built - start, configuration.results))
    if waves:
        print(f"Waveform: {simulation.wave}")
    if report.mismatch is not None:
        raise Mismatch(f"{report.mismatch}\nRepeat with SEED={seed} COUNT={count}.")
    return report


def blocks_of(configuration: AnyConfiguration, verilog: Path, description: dict) -> list[str]:
    """The cells of a tile that is too large for Verilator to compile each instance of them."""
    if configuration.unit != "tile" or configuration.m * configuration.n <= MOST_INLINED:
        return []
    parts = description["parts"]
    found = outermost(verilog.read_text(), configuration.name, parts)
    return [name for name in found if parts[name] == "accumulator"]


def testbench(configuration) -> str:
    """The module that drives a unit. A mac whose accumulator holds more than the result that it
    shows (``exact``, macro blocks) is driven with whole products, as the 1 x 1 tile that it is."""
    c = configuration
    if c.unit == "mac" and (c.acc == "exact" or c.a.macro is not None or c.b.macro is not None):
        return "verif.tb_tile"
    return f"verif.tb_{c.unit}"


def summary(report: Report, seconds: float, build_seconds: float, results: str) -> str:
    """A line for every part, what was measured, and the verdict."""
    width = max((len(part["name"]) for part in report.parts), default=0)
    lines = [
        f"  {part['name']:{width}}  {part['checked']:>7,} {results}  {part['cycles']:>7,} cycles"
        for part in report.parts
    ]
    lines += [f"  {name}: {value}" for name, value in report.values.items()]
    if report.mismatch is None:
        lines.append(
            f"{report.checked:,} {results} checked in {seconds:.1f} s"
            f" (build {build_seconds:.1f} s): every output bit equal to golden."
        )
    return "\n".join(lines)


def load_tensors(path: Path, configuration: Configuration) -> tuple[np.ndarray, np.ndarray]:
    """The arrays of :func:`read_tensors`; UsageError too for values that the formats have not."""
    a, b = read_tensors(path)
    for name, array, fmt in (("a", a, configuration.a), ("b", b, configuration.b)):
        if (fmt.scale is None or fmt.scale.width > 8) and not np.isfinite(array).all():
            raise UsageError(
                f"Array {name} of DATA must be finite for {fmt.name}, which has no NaN"
            )
    return a, b


def read_tensors(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The arrays a (M, K) and b (N, K) of an .npz file. Raises UsageError for anything else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise UsageError(f"DATA must be an .npz file with arrays a and b, not {path}")
            missing = [name for name in "ab" if name not in file.files]
            if missing:
                have = ", ".join(file.files) or "no arrays"
                raise UsageError(f"DATA must hold the arrays a and b, not {have}")
            a, b = file["a"], file["b"]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, UsageError):
            raise
        reason = getattr(error, "strerror", None) or "it cannot be read as one"
        raise UsageError(f"DATA must be an .npz file of NumPy, not {path}: {reason}") from None
    for name, array in (("a", a), ("b", b)):
        if array.dtype != np.float32:
            raise UsageError(f"Array {name} of DATA must be float32, not {array.dtype}")
        if array.ndim != 2 or 0 in array.shape:
            raise UsageError(f"Array {name} of DATA must have shape (rows, K), not {array.shape}")
    if a.shape[1] != b.shape[1]:
        raise UsageError(f"Arrays of DATA must have the same K, not {a.shape[1]} and {b.shape[1]}")
    return a, b

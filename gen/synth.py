"""``make synth``: area, longest path and a breakdown by part, on one Liberty file or several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from gen import fpga, yosys
from gen.cells import BUILT_IN
from gen.config import Configuration
from gen.configure import AnyConfiguration
from gen.errors import UsageError
from gen.hierarchy import is_flattened
from gen.liberty import Library, file_stem, load
from gen.mapping import area
from gen.measure import synthesize
from gen.power_tables import PowerTables
from gen.stimuli import STANDARD, stimuli
from gen.synth_table import print_fpga, print_result
from gen.verilog import emit, write_atomically

__all__ = ["area", "run", "synthesize"]

FOLDER = Path("build/synth")


def run(
    configuration: AnyConfiguration,
    libs: Sequence[Path | str] = (),
    folder: Path = FOLDER,
    flatten: bool | None = None,
    power: bool = False,
    data: Path | None = None,
) -> list[dict]:
    """Synthesize a configuration on each Liberty file, by default the built-in one.

    `flatten`: in one piece rather than module by module; by default what is small is. `power`: and
    measure it with the tensors of `data`, by default Gaussian ones.
    Writes ``NAME.LIB.json`` into `folder` and prints a table for each; returns what the files hold.
    UsageError, before anything is written, for a Liberty file that cannot be used.
    """
    yosys.release()
    libraries = load_all(libs or (BUILT_IN,))
    if data is not None and not power:
        raise UsageError(f"DATA must come with POWER=1, which it drives, and {data} does not")
    tensors, driven = None, None
    if power and not isinstance(configuration, Configuration):
        raise UsageError(f"POWER must be left out for unit {configuration.unit}, not 1")
    if data is not None and isinstance(configuration, Configuration):
        from gen.sim import load_tensors

        tensors = load_tensors(data, configuration)
    if power:
        for library in libraries.values():
            PowerTables(library, ())  # Likewise.
    console = Console()
    verilog, description = emit(configuration)
    name = data.name if data else STANDARD
    if power and isinstance(configuration, Configuration):
        driven = stimuli(configuration, description, tensors, name)
    line = command(configuration, libs, flatten)
    line += (" POWER=1" if power else "") + (f" DATA={name}" if data else "")
    head = {"name": configuration.name, "command": line}
    flatten = is_flattened(configuration, flatten)
    head["source_digest"] = description["digest"]
    results = []
    for stem, library in libraries.items():
        with console.status(f"Synthesizing {configuration.name} on {library.name}"):
            top, parts = description["top"], description["parts"]
            found = synthesize(verilog, top, parts, library, flatten, driven)
        result = head | found
        path = folder / f"{configuration.name}.{stem}.json"
        write_atomically(path, json.dumps(result, indent=2) + "\n")
        print_result(result, console)
        console.print(f"Written to {path}\n", highlight=False, soft_wrap=True)
        results.append(result)
    return results


def run_fpga(configuration: AnyConfiguration, target: str, folder: Path = FOLDER) -> dict:
    """Count the cells of a configuration on an FPGA target of :mod:`gen.fpga`.

    Writes ``NAME.TARGET.json`` into `folder`, prints a table, and returns what the file holds.
    UsageError for an unknown target.
    """
    yosys.release()
    fpga.check_target(target)
    console = Console()
    verilog, description = emit(configuration)
    line = configuration.command.replace("make verilog", "make synth")
    head = {"name": configuration.name, "command": f"{line} TARGET={target}"}
    head["source_digest"] = description["digest"]
    with console.status(f"Synthesizing {configuration.name} for {target}"):
        result = head | fpga.synthesize(verilog, description["top"], target)
    path = folder / f"{configuration.name}.{target}.json"
    write_atomically(path, json.dumps(result, indent=2) + "\n")
    print_fpga(result, console)
    console.print(f"Written to {path}\n", highlight=False, soft_wrap=True)
    return result


def load_all(libs: Sequence[Path | str]) -> dict[str, Library]:
    """Liberty files by their stems; UsageError for one that a synthesis cannot use."""
    libraries: dict[str, Library] = {}
    for library in map(load, libs):
        _ = library.nand2, library.flip_flop  # Either missing is told now, not after minutes.
        stem = file_stem(library.path)
        if stem in libraries:
            raise UsageError(f"LIB files must have names of their own, not {stem} twice")
        libraries[stem] = library
    return libraries


def command(
    configuration: AnyConfiguration, libs: Sequence[Path | str] = (), flatten: bool | None = None
) -> str:
    """The command that repeats a synthesis; Liberty files by name only, wherever they lie."""
    line = configuration.command.replace("make verilog", "make synth")
    line += "" if flatten is None else f" FLATTEN={int(flatten)}"
    names = " ".join(Path(path).name for path in libs)
    return line + (f' LIB="{names}"' if len(libs) > 1 else f" LIB={names}" if libs else "")

"""OpenSTA, where it is installed: a second opinion on the longest path of a mapped netlist."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from gen import gates
from gen.liberty import Library

CLOCK = "clk"
PERIOD = 1.0
"""Nanoseconds; only slack is read, so that any will do."""
_WIRE_LOAD = re.compile(r"default_wire_load(_selection)?\s*:[^;]*;")


@cache
def release() -> str | None:
    """The version of the OpenSTA on PATH, None if there is none that runs."""
    path = shutil.which("sta")
    if path is None:
        return None
    try:
        done = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"\d[\w.]*", done.stdout.strip())
    return match[0] if match else None


def longest_path(library: Library, modules: Mapping[str, dict], top: str) -> dict | None:
    """The longest path of a netlist in nanoseconds, under the assumptions of :mod:`gen.timing`.

    ``ns`` with ideal wires; ``wire_load_ns`` with the wires that the library's default wire load
    model estimates, None if it has none. None without OpenSTA, or where it does not get along with
    the library or finds no path.
    """
    ns = _run(library, modules, top, ideal=True)
    if ns is None:
        return None
    has_wires = _WIRE_LOAD.search(library.text) is not None
    wires = _run(library, modules, top, ideal=False) if has_wires else None
    return {"ns": ns, "wire_load_ns": wires}


def _run(library: Library, modules: Mapping[str, dict], top: str, ideal: bool) -> float | None:
    log = script(library, modules, top, ["report_checks -path_delay max -digits 6"], ideal)
    found = re.search(r"^\s*(-?[\d.]+)\s+slack \(", log or "", re.MULTILINE)
    return round(PERIOD - float(found[1]), 4) if found else None


def script(
    library: Library,
    modules: Mapping[str, dict],
    top: str,
    commands: Sequence[str],
    ideal: bool = True,
) -> str | None:
    """What OpenSTA prints of a netlist, linked and with a clock; None if it is missing or fails.

    `ideal` takes the library's wire load model away.
    """
    if release() is None:
        return None
    clock = f" [get_ports {CLOCK}]" if CLOCK in modules[top]["ports"] else ""
    lines = [
        "read_liberty library.lib",
        "read_verilog netlist.v",
        f"link_design {top}",
        f"create_clock -name {CLOCK} -period {PERIOD}{clock}",
        f"set_input_delay 0 -clock {CLOCK} [all_inputs]",
        f"set_output_delay 0 -clock {CLOCK} [all_outputs]",
        *commands,
    ]
    text = _WIRE_LOAD.sub("", library.text) if ideal else library.text
    with tempfile.TemporaryDirectory(prefix="mxforge-") as temporary:
        folder = Path(temporary)
        (folder / "library.lib").write_text(text, encoding="latin-1")
        (folder / "netlist.v").write_text(gates.netlist(modules, top))
        (folder / "script.tcl").write_text("\n".join(lines) + "\n")
        done = subprocess.run(
            ["sta", "-no_init", "-no_splash", "-exit", "script.tcl"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    return (
        None if done.returncode or re.search("^Error", done.stdout, re.MULTILINE) else done.stdout
    )

"""Yosys in a process of its own, so that its log and its crashes stay apart from ours."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path

from gen.errors import ToolError, UsageError

PROCESSES = ContextVar("PROCESSES", default=os.cpu_count() or 1)
"""How many runs of Yosys go side by side."""

_DRIVER = "import sys; from pyosys import libyosys; libyosys.run_pass('script ' + sys.argv[1])"


class YosysError(ToolError):
    """Yosys stopped; the message is its own last word."""


def release() -> str:
    """The version of the pyosys that is used."""
    if importlib.util.find_spec("pyosys") is None:
        raise UsageError("synthesis needs the Python package pyosys; type: pip install pyosys")
    return version("pyosys")


def run(lines: list[str], folder: Path) -> str:
    """Run a Yosys script in `folder` and return the log; YosysError when Yosys fails.

    Temporary files go there too: Yosys keeps a cache of Liberty files under their paths, and two
    files that once had the same path must not be taken for each other.
    """
    release()
    (folder / "flow.ys").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-c", _DRIVER, "flow.ys"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    log = done.stdout + done.stderr
    if done.returncode:
        errors = [line.replace("ERROR: ", "") for line in log.splitlines() if "ERROR: " in line]
        raise YosysError(errors[-1] if errors else f"Yosys ended with status {done.returncode}")
    return log


def netlist(path: Path) -> dict[str, dict]:
    """The modules of a netlist that ``write_json`` wrote."""
    return json.loads(path.read_text())["modules"]

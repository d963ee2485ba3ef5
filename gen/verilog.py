"""Verilog out of a configuration: every module once, deterministic to the byte."""

import hashlib
import inspect
import json
import os
import re
import tempfile
import textwrap
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib.wiring import In

import golden
import hdl
from golden.formats import BlockFormat
from hdl.shared import Library

from . import __version__
from .configure import AnyConfiguration
from .writer import verilog

FOLDER = Path("build/verilog")
WRITER = ("bits", "expressions", "keywords", "netlist", "rtlil", "simplify", "statements", "writer")


def emit(configuration: AnyConfiguration) -> tuple[str, dict]:
    """The Verilog text of a configuration and its description, the content of NAME.json.

    The text holds each distinct module once, users before what they instantiate, and needs nothing
    of ours.
    """
    top, library = configuration.component(), Library()
    texts = _texts(top, library)
    description = describe(configuration, top, library)
    start, end = "`default_nettype none\n", "`default_nettype wire\n"
    head = _header(configuration, description)
    return "\n".join([head, start, *texts, end]), description


def emit_part(component) -> tuple[str, str]:
    """The Verilog text of one component and all below it, and the name of its module."""
    return "\n".join(_texts(component, Library())), component.module_name


def _texts(top, library: Library) -> list[str]:
    """The Verilog of every distinct module."""
    return [
        verilog(text, ports_of(library.components[name]), comment_of(library.components[name]))
        for name, text in elaborate(top, library)
    ]


def elaborate(top, library: Library) -> Iterator[tuple[str, str]]:
    """The name and the RTLIL of ``top`` and of every module below it, each once."""
    library.add(top)
    done: set[str] = set()
    while len(done) < len(library.components):
        for name, component in list(library.components.items()):
            if name not in done:
                done.add(name)
                yield name, rtlil.convert(component, name=name, platform=library, emit_src=False)


def ports_of(component) -> list[str]:
    """The names of a component's ports in the order of its signature."""
    return [path[0] for path, _, _ in component.signature.flatten(component)]


def comment_of(component) -> str:
    """What a component's docstring says first: one sentence, and its function."""
    first, _, rest = inspect.cleandoc(type(component).__doc__ or "").partition("\n")
    function = re.search(r"^Function +(.*?)(?=^[A-Z]\w+  |^$|\Z)", rest, re.DOTALL | re.MULTILINE)
    texts = [first, f"Function: {' '.join(function[1].split())}" if function else ""]
    plain = [re.sub(r"(?::\w+:)?`+([^`]*)`+", r"\1", text) for text in texts]
    return "\n".join(line for text in plain for line in textwrap.wrap(text, 97))


def describe(configuration: AnyConfiguration, top, library: Library) -> dict:
    """What NAME.json says: ports, parameters, latency, throughput, formats, parts, chosen
    datapaths, source digest."""
    ports = [
        {"name": name, "direction": "input", "width": 1, "signed": False} for name in ("clk", "rst")
    ]
    for path, member, value in top.signature.flatten(top):
        shape = value.shape()
        direction = "input" if member.flow == In else "output"
        ports.append(
            {"name": path[0], "direction": direction, "width": shape.width, "signed": shape.signed}
        )
    return {
        "name": configuration.name,
        "top": configuration.name,
        "unit": configuration.unit,
        **{name: describe_format(fmt) for name, fmt in configuration.formats.items()},
        **configuration.settings,
        "parameters": top.parameters,
        "latency": top.latency,
        "throughput": 1,
        "ports": ports,
        "parts": {name: c.part for name, c in library.components.items() if hasattr(c, "part")},
        "datapath": {
            name: c.datapath for name, c in library.components.items() if hasattr(c, "datapath")
        },
        "command": configuration.command,
        "digest": source_digest(),
    }


def describe_format(fmt: BlockFormat) -> dict:
    """A format's fields as plain values, the element and scale formats by name."""
    return {
        "name": fmt.name,
        "element": fmt.element.name,
        "element_width": fmt.element.width,
        "scale": fmt.scale.name if fmt.scale else None,
        "block_size": fmt.block_size,
        "sides": fmt.sides,
        "scale_rule": fmt.scale_rule,
        "rounding": fmt.rounding,
        "tensor_scale": fmt.tensor_scale,
    }


def source_digest() -> str:
    """SHA-256 over the sources and tool versions that decide the Verilog."""
    digest = hashlib.sha256()
    paths = [p for package in (golden, hdl) for p in sorted(Path(package.__path__[0]).glob("*.py"))]
    paths += [Path(__file__).with_name(f"{name}.py") for name in WRITER]
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(f"amaranth {version('amaranth')}\0".encode())
    return digest.hexdigest()


def without_comments(text: str) -> str:
    """A text of :func:`emit` without its comments: what the hardware depends on."""
    return re.sub(r"^//.*\n", "", text, flags=re.MULTILINE)


def write(configuration: AnyConfiguration, folder: Path = FOLDER) -> tuple[Path, Path]:
    """Write NAME.v and NAME.json into ``folder`` and return their paths; nothing is left
    half-written."""
    text, description = emit(configuration)
    paths = folder / f"{configuration.name}.v", folder / f"{configuration.name}.json"
    for path, content in zip(paths, (text, json.dumps(description, indent=2) + "\n")):
        write_atomically(path, content)
    return paths


def write_atomically(path: Path, content: str) -> None:
    """Write ``content`` under a temporary name beside ``path``, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _header(configuration: AnyConfiguration, description: dict) -> str:
    """The comment at the head of the Verilog: what this is, how it was made, what its ports
    mean."""
    lines = [
        f"// {description['name']}, by mxforge {__version__}. Verilog-2005, no dependencies.",
        f"//   {description['command']}",
        f"// Formats: {configuration.summary}; latency {description['latency']}.",
        "// A transfer happens on a rising clk edge with valid and ready high.",
        "// rst is synchronous and active high.",
        "// Element 0 and block 0 are in the low bits; positive scales are below negative ones.",
        f"// Source digest {description['digest']}",
    ]
    return "\n".join(lines)

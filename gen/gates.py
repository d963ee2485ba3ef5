"""Mapped netlists as Verilog: instances of the library's cells, and models to simulate them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from gen import yosys
from gen.behaviour import identifier, model
from gen.configure import AnyConfiguration
from gen.errors import UsageError
from gen.hierarchy import is_flattened, outermost
from gen.liberty import Library, file_stem
from gen.mapping import area
from gen.verilog import emit, write_atomically

FOLDER = Path("build/netlist")


def write(
    configuration: AnyConfiguration,
    library: Library,
    recipe: str,
    vendor: Path | None = None,
    folder: Path = FOLDER,
) -> Path:
    """Map a configuration by a recipe and write the netlist with models of its cells; the path.

    The netlist is the one that ``make synth`` reports. The models are those of file `vendor`, else
    made of the Liberty file's functions. What is there already is not made again. UsageError for a
    file that cannot be read.
    """
    try:
        added = vendor.read_text(errors="replace") if vendor else None
    except OSError as error:
        raise UsageError(f"MODELS {vendor} cannot be read: {error.strerror}") from None
    verilog, description = emit(configuration)
    key = hashlib.sha256("\0".join([verilog, library.digest, recipe, added or ""]).encode())
    key.update(yosys.release().encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        key.update(source.read_bytes())
    head = f"// {configuration.name} on {library.name}, recipe {recipe}; {key.hexdigest()}\n"
    path = folder / file_stem(library.path) / recipe / f"{configuration.name}.v"
    if not (path.exists() and path.read_text().startswith(head)):
        top = description["top"]
        is_flat = is_flattened(configuration)
        kept = [] if is_flat else outermost(verilog, top, description["parts"])
        modules = area(verilog, top, library, recipe, kept=kept).netlist
        cells = models(modules, top, library) if added is None else added
        if added is not None:
            defined = set(re.findall(r"^\s*module\s+\\?([^\s(;#]+)", added, re.MULTILINE))
            if missing := kinds(modules, top, library) - defined:
                raise UsageError(f"MODELS {vendor} must have cell {min(missing)}, and has not")
        write_atomically(path, f"{head}\n{netlist(modules, top)}\n{cells}")
    return path


def netlist(modules: Mapping[str, dict], top: str) -> str:
    """The modules of a mapped netlist that `top` is made of, `top` first, as structural Verilog.

    `modules`: as Yosys's JSON has them.
    """
    return "\n".join(_module(name, modules[name]) for name in used(modules, top))


def models(modules: Mapping[str, dict], top: str, library: Library) -> str:
    """Verilog of every cell that the netlist instantiates, made of the Liberty file's functions."""
    return "\n".join(model(library, name) for name in sorted(kinds(modules, top, library)))


def kinds(modules: Mapping[str, dict], top: str, library: Library) -> set[str]:
    """The cells that the netlist instantiates."""
    return {
        cell["type"]
        for name in used(modules, top)
        for cell in modules[name]["cells"].values()
        if cell["type"] in library.cells
    }


def used(modules: Mapping[str, dict], top: str) -> list[str]:
    """`top` and the modules below it, users before what they use."""
    names = [top]
    for name in names:
        below = {cell["type"] for cell in modules[name]["cells"].values()}
        names += sorted(kind for kind in below if kind in modules and kind not in names)
    return names


def flat(modules: Mapping[str, dict], top: str) -> dict:
    """`top` with the instances of other modules dissolved, where nets have other numbers.

    What a module passes from an input to an output, or ties to a constant, is one net.
    """
    free = count(1 + max((bit for bit in _bits(modules[top]) if isinstance(bit, int)), default=1))
    cells: dict[str, dict] = {}
    same: dict[int | str, int | str] = {}

    def add(name: str, prefix: str, nets: dict) -> None:
        for label, cell in modules[name]["cells"].items():
            pins = {
                pin: [bit if isinstance(bit, str) else _numbered(nets, bit, free) for bit in bits]
                for pin, bits in cell["connections"].items()
            }
            below = modules.get(cell["type"])
            if below is None:
                cells[prefix + label] = {"type": cell["type"], "connections": pins}
                continue
            inner: dict[int | str, int | str] = {}
            for way in ("input", "output"):
                for port, description in below["ports"].items():
                    bits = description["bits"] if description["direction"] == way else ()
                    for bit, net in zip(bits, pins.get(port, ())):
                        driver = bit if isinstance(bit, str) else inner.setdefault(bit, net)
                        if driver != net:
                            same[net] = driver
            add(cell["type"], f"{prefix}{label}.", inner)

    def joined(bits: list) -> list:
        found = []
        for bit in bits:
            while bit in same:
                bit = same[bit]
            found.append(bit)
        return found

    add(top, "", {bit: bit for bit in _bits(modules[top])})
    for cell in cells.values():
        cell["connections"] = {pin: joined(bits) for pin, bits in cell["connections"].items()}
    ports = {
        name: {**port, "bits": joined(port["bits"])} for name, port in modules[top]["ports"].items()
    }
    return {**modules[top], "cells": cells, "ports": ports}


def _numbered(nets: dict, bit: int, free: Iterator[int]) -> int:
    if bit not in nets:
        nets[bit] = next(free)
    return nets[bit]


def _bits(module: dict) -> Iterator[int | str]:
    for port in module["ports"].values():
        yield from port["bits"]
    for cell in module["cells"].values():
        for bits in cell["connections"].values():
            yield from bits


def _module(name: str, module: dict) -> str:
    nets, assigned = net_names(module)
    ports = [
        f"  {port['direction']} {_range(port)}{identifier(label)}"
        for label, port in module["ports"].items()
    ]
    lines = [f"module {identifier(name)} (", ",\n".join(ports), ");"]
    inner = [net for net in nets.values() if net.startswith("n_")]
    lines += [f"  wire {net};" for net in inner]
    lines += [f"  assign {target} = {source};" for target, source in assigned]
    instances = (cell for cell in module["cells"].values() if not cell["type"].startswith("$"))
    for i, cell in enumerate(instances):
        pins = ", ".join(
            f".{identifier(pin)}({_concatenation(bits, nets)})"
            for pin, bits in cell["connections"].items()
        )
        lines.append(f"  {identifier(cell['type'])} u{i} ({pins});")
    return "\n".join([*lines, "endmodule\n"])


def net_names(module: dict) -> tuple[dict[int, str], list[tuple[str, str]]]:
    """A name in Verilog for every net, a port's bit where it can be, and what is left to assign.

    The latter are output bits that are constant or have another name already, with their source.
    """
    names: dict[int, str] = {}
    assigned = []
    for way in ("input", "output"):
        for label, port in module["ports"].items():
            for i, bit in enumerate(port["bits"] if port["direction"] == way else ()):
                name = identifier(label) + (f"[{i}]" if len(port["bits"]) > 1 else "")
                if bit not in names and isinstance(bit, int):
                    names[bit] = name
                elif way == "output":
                    assigned.append((name, names.get(bit) or _constant(bit)))
    for bit in _bits(module):
        if isinstance(bit, int):
            names.setdefault(bit, f"n_{bit}")
    return names, assigned


def _constant(bit: object) -> str:
    return f"1'b{bit}"


def _concatenation(bits: list, nets: dict[int, str]) -> str:
    found = [nets[bit] if isinstance(bit, int) else _constant(bit) for bit in reversed(bits)]
    return found[0] if len(found) == 1 else f"{{{', '.join(found)}}}" if found else ""


def _range(port: dict) -> str:
    return f"[{len(port['bits']) - 1}:0] " if len(port["bits"]) > 1 else ""

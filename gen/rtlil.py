"""A reader of RTLIL, the netlist text of Yosys, as far as we use it: no memories, no x or z."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .bits import Chunk, Spec

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\[\d+(?::\d+)?\]|[{},]|[^\s{},]+')
_SLICE = re.compile(r"([\\$]\S+) \[(\d+)(?::(\d+))?\]")


class RTLILError(ValueError):
    """Text that is not RTLIL as Amaranth writes it."""


@dataclass
class Wire:
    """A vector; ``direction`` is "input" or "output" for a port, else None."""

    width: int
    signed: bool = False
    direction: str | None = None
    attributes: dict[str, int | str] = field(default_factory=dict)


@dataclass
class Cell:
    """An operator (``kind`` begins with a dollar sign) or an instance of the module ``kind``.

    ``outputs``: the ports connected to a wire without a slice, as Amaranth writes outputs.
    """

    kind: str
    name: str
    parameters: dict[str, int | str] = field(default_factory=dict)
    ports: dict[str, Spec] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


@dataclass
class Assign:
    """Inside a process: the later of two assignments to a bit wins."""

    target: Spec
    value: Spec


@dataclass
class Case:
    """Statements under patterns of 0, 1 and -, the highest bit first; no pattern is the default."""

    patterns: list[str]
    body: list[Assign | Switch]


@dataclass
class Switch:
    """The statements of the first case that matches, or none."""

    selector: Spec
    cases: list[Case]


@dataclass
class Module:
    """One module; wires by name, the backslash of public names removed."""

    name: str
    wires: dict[str, Wire] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    processes: list[list[Assign | Switch]] = field(default_factory=list)
    connects: list[tuple[Spec, Spec]] = field(default_factory=list)


def parse(text: str) -> list[Module]:
    """The modules of an RTLIL text, in its order; RTLILError names the line that cannot be read."""
    return _Reader(text).modules()


class _Reader:
    def __init__(self, text: str):
        lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1)]
        self.lines = [line for line in lines if line[1]]
        self.next = 0
        self.module = Module("")

    def modules(self) -> list[Module]:
        found = []
        while self.next < len(self.lines):
            word, rest = self.take()
            if word == "module":
                found.append(self.read_module(_public(rest)))
            elif word not in ("attribute", "autoidx"):
                self.fail()
        return found

    def take(self) -> tuple[str, str]:
        """The next line as its first word and the rest."""
        if self.next == len(self.lines):
            raise RTLILError("RTLIL must close every module, cell, process and switch with 'end'")
        self.next += 1
        word, _, rest = self.lines[self.next - 1][1].partition(" ")
        return word, rest

    def fail(self):
        number, line = self.lines[self.next - 1]
        raise RTLILError(f"RTLIL line {number} must be what Amaranth writes, not {line!r}")

    def read_module(self, name: str) -> Module:
        self.module = module = Module(name)
        attributes: dict[str, int | str] = {}
        while True:
            word, rest = self.take()
            if word == "end":
                return module
            if word == "attribute":
                key, _, value = rest.partition(" ")
                attributes[_public(key)] = self.constant(value)
                continue
            if word == "wire":
                self.read_wire(rest, attributes)
            elif word == "cell":
                module.cells.append(self.read_cell(rest))
            elif word == "process":
                module.processes.append(self.read_statements(("end",)))
                self.take()
            elif word == "connect":
                specs = self.specs(rest)
                if len(specs) != 2:
                    self.fail()
                module.connects.append((specs[0], specs[1]))
            else:
                self.fail()
            attributes = {}

    def read_wire(self, text: str, attributes: dict[str, int | str]) -> None:
        *words, name = text.split()
        wire = Wire(1, attributes=attributes)
        while words:
            word = words.pop(0)
            if word == "width":
                wire.width = int(words.pop(0))
            elif word in ("input", "output"):
                wire.direction = word
                words.pop(0)
            elif word == "signed":
                wire.signed = True
            else:
                self.fail()
        self.module.wires[_public(name)] = wire

    def read_cell(self, text: str) -> Cell:
        kind, _, name = text.partition(" ")
        cell = Cell(_public(kind), _public(name))
        while True:
            word, rest = self.take()
            if word == "end":
                return cell
            key, _, value = rest.removeprefix("signed ").partition(" ")
            if word == "parameter":
                cell.parameters[_public(key)] = self.constant(value)
            elif word == "connect":
                cell.ports[_public(key)] = self.spec(value)
                if value[0] in "\\$" and " " not in value:
                    cell.outputs.append(_public(key))
            else:
                self.fail()

    def read_statements(self, stops: tuple[str, ...]) -> list[Assign | Switch]:
        """Statements up to, not including, a line that begins with one of ``stops``."""
        body: list[Assign | Switch] = []
        while True:
            word, rest = self.take()
            if word in stops:
                self.next -= 1
                return body
            if word == "assign":
                specs = self.specs(rest)
                if len(specs) != 2:
                    self.fail()
                body.append(Assign(specs[0], specs[1]))
            elif word == "switch":
                body.append(Switch(self.spec(rest), self.read_cases()))
            else:
                self.fail()

    def read_cases(self) -> list[Case]:
        cases: list[Case] = []
        while True:
            word, rest = self.take()
            if word == "end":
                return cases
            if word != "case":
                self.fail()
            patterns = [text.partition("'")[2] for text in rest.split(", ")] if rest else []
            cases.append(Case(patterns, self.read_statements(("case", "end"))))

    def spec(self, text: str) -> Spec:
        match = _SLICE.fullmatch(text)
        if match:
            return (self.chunk(*match.groups()),)
        specs = self.specs(text)
        if len(specs) != 1:
            self.fail()
        return specs[0]

    def chunk(self, name: str, high: str, low: str | None) -> Chunk:
        bottom = int(high if low is None else low)
        return _public(name), bottom, int(high) + 1 - bottom

    def specs(self, text: str) -> list[Spec]:
        """The vectors that a line lists."""
        stack: list[list[Spec]] = [[]]
        for token in _TOKEN.findall(text):
            found = stack[-1]
            if token == "{":
                stack.append([])
            elif token == "}":
                parts = stack.pop()
                stack[-1].append(tuple(chunk for part in reversed(parts) for chunk in part))
            elif token[0] == "[":
                ((name, _, _),) = found.pop()
                high, _, low = token[1:-1].partition(":")
                found.append((self.chunk(f"\\{name}", high, low or None),))
            elif token[0] in "\\$":
                name = _public(token)
                if name not in self.module.wires:
                    self.fail()
                found.append(((name, 0, self.module.wires[name].width),))
            else:
                width, quote, bits = token.partition("'")
                if not quote or set(bits) - set("01"):
                    self.fail()
                found.append((("", int(bits or "0", 2), int(width)),))
        return stack[0]

    def constant(self, text: str) -> int | str:
        if text[0] == '"':
            return text[1:-1]
        _, _, bits = text.rpartition("'")
        return int(bits or "0", 2 if "'" in text else 10)


def _public(name: str) -> str:
    """A name without its backslash; one that begins with a dollar sign is a temporary's."""
    return name.removeprefix("\\")

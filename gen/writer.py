"""Readable Verilog-2005 from the RTLIL of Amaranth."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import groupby

from .bits import Spec
from .expressions import Expressions
from .keywords import KEYWORDS, is_name
from .netlist import Netlist, load, reads
from .rtlil import Cell, RTLILError, parse
from .simplify import simplify
from .statements import always_blocks, process_lines, wrapped


def verilog(rtlil: str, ports: Iterable[str] = (), comment: str = "") -> str:
    """The Verilog of every module of an RTLIL text; RTLILError for what cannot be written.

    ``ports``: the order of the first module's ports, after clk and rst. ``comment``: lines to put
    above the first module.

    Registers have no initial values: whatever a design needs after power-up, its reset gives.
    """
    modules = {module.name: module for module in parse(rtlil)}
    texts = []
    for module in modules.values():
        netlist = load(module, modules)
        simplify(netlist)
        texts.append(_Module(netlist, ["clk", "rst", *ports]).text(comment))
        ports, comment = (), ""
    return "\n".join(texts)


def identifier(name: str) -> str:
    """``name`` if Verilog can have it; RTLILError otherwise."""
    if not is_name(name):
        raise RTLILError(f"Name must be a Verilog identifier and no keyword, not {name!r}")
    return name


def module_name(name: str) -> str:
    """A module's name; those of submodules have dots in RTLIL."""
    return identifier(name.replace(".", "_"))


def in_order(names: Iterable[str], first: Iterable[str]) -> list[str]:
    """``names``, those in ``first`` before the others."""
    known = list(names)
    return list(dict.fromkeys([*(name for name in first if name in known), *known]))


class _Module:
    def __init__(self, netlist: Netlist, ports: list[str]):
        self.netlist, self.wires = netlist, netlist.wires
        self.ports = in_order((n for n, wire in self.wires.items() if wire.direction), ports)
        self.stored = {register.name for register in netlist.registers} | set(netlist.processes)
        self.outputs = netlist.outputs()
        specs = [spec for op in netlist.ops.values() for spec in op.operands]
        specs += [spec for _, spec in netlist.sinks()]
        self.read = {name for spec in specs for name, _, _ in spec}
        self.expressions = Expressions(netlist, {*KEYWORDS, *netlist.instances})

    def text(self, comment: str) -> str:
        """The whole module."""
        items, early = self.ordered()
        stored = [name for name in self.wires if name in self.stored]
        lines = [f"// {line}".rstrip() for line in comment.splitlines()] + self.header()
        lines += self.declarations("reg", stored)
        lines += self.declarations("wire", (w for w, cell in self.outputs.items() if cell in early))
        for is_instance, run in groupby(items, key=self.netlist.instances.__contains__):
            names = list(run)
            lines.append("")
            if is_instance:
                new = set(names) - early
                lines += self.declarations(
                    "wire", (w for w, cell in self.outputs.items() if cell in new)
                )
            for name in names:
                lines += self.item(name)
        for block in always_blocks(self.expressions, self.netlist.registers):
            lines += ["", *block]
        return "\n".join([*lines, "endmodule", ""])

    def header(self) -> list[str]:
        """The module's name and its ports."""
        name = module_name(self.netlist.name)
        if not self.ports:
            return [f"module {name};"]
        rows = []
        for port in self.ports:
            wire = self.wires[port]
            kind = "reg " if port in self.stored else "wire"
            rows.append((f"{wire.direction:6} {kind}", _range(wire.width, wire.signed), port))
        width = max(len(bits) for _, bits, _ in rows)
        texts = [
            f"    {kind} {bits:{width}}{' ' * bool(width)}{identifier(port)}"
            for kind, bits, port in rows
        ]
        return [f"module {name} (", ",\n".join(texts), ");"]

    def declarations(self, kind: str, names: Iterable[str]) -> list[str]:
        """Declarations of internal wires, those of one width together; unread ones are left out."""
        groups: dict[str, list[str]] = {}
        for name in names:
            wire = self.wires[name]
            if not wire.direction and (name in self.read or kind == "reg"):
                groups.setdefault(_range(wire.width), []).append(self.expressions.name(name))
        lines = []
        for bits, group in groups.items():
            lines += wrapped(f"{kind} {bits + ' ' if bits else ''}{', '.join(group)};", 4)
        return lines

    def item(self, name: str) -> list[str]:
        """An instance, a process, or what an operator drives: a new wire or an output port."""
        if name in self.netlist.instances:
            return self.instance(self.netlist.instances[name])
        if name in self.netlist.processes:
            return process_lines(self.expressions, self.netlist.processes[name])
        op = self.netlist.ops[name]
        value = self.expressions.operator(op)[0]
        if self.wires[name].direction:
            return wrapped(f"assign {name} = {value};", 4)
        bits = _range(op.width)
        start = f"wire {bits} " if bits else "wire "
        return wrapped(f"{start}{self.expressions.name(name)} = {value};", 4)

    def instance(self, cell: Cell) -> list[str]:
        """An instance on one line or two if it fits, else a port a line."""
        connections = []
        for port in in_order(cell.ports, ("clk", "rst")):
            spec = cell.ports[port]
            unread = port in cell.outputs and spec[0][0] not in self.read
            text = self.expressions.text(spec)
            if unread and not self.wires[spec[0][0]].direction:
                text = ""
            connections.append(f".{identifier(port)}({text})")
        start = f"{module_name(cell.kind)} {self.expressions.name(cell.name)} ("
        lines = wrapped(f"{start}{', '.join(connections)});", 4)
        if len(lines) <= 2:
            return lines
        rows = [wrapped(f"{text},", 8) for text in connections[:-1]]
        rows.append(wrapped(connections[-1], 8))
        return [f"    {start}", *(line for row in rows for line in row), "    );"]

    def needs(self) -> dict[str, set[str]]:
        """What must stand before each instance, process, and operator that is not folded."""
        specs: dict[str, list[Spec]] = {}
        for name, cell in self.netlist.instances.items():
            specs[name] = [spec for port, spec in cell.ports.items() if port not in cell.outputs]
        specs |= {name: list(reads(body)) for name, body in self.netlist.processes.items()}
        for name, op in self.netlist.ops.items():
            if name not in self.expressions.folded:
                specs[name] = list(op.operands)
        maker = {name: name for name in specs if name not in self.netlist.instances} | self.outputs
        return {
            item: {maker[w] for spec in read for w in self.expressions.reads(spec) if w in maker}
            for item, read in specs.items()
        }

    def ordered(self) -> tuple[list[str], set[str]]:
        """All items, each after what it reads, and the instances whose outputs stand before them.

        There are such instances where a path through them leads back, as through a ready signal.
        """
        needs = self.needs()
        items = list(needs)
        place = {item: number for number, item in enumerate(items)}
        users: dict[str, list[str]] = {item: [] for item in items}
        for item in items:
            for need in sorted(needs[item], key=place.__getitem__):
                users[need].append(item)
        waiting = {item: len(needs[item]) for item in items}
        ready = [place[item] for item in items if not needs[item]]
        done: list[str] = []
        early: set[str] = set()

        def release(item: str) -> None:
            for user in users[item]:
                waiting[user] -= 1
                if not waiting[user]:
                    heapq.heappush(ready, place[user])

        while len(done) < len(items):
            while ready:
                done.append(items[heapq.heappop(ready)])
                if done[-1] not in early:
                    release(done[-1])
            stuck = [item for item in self.netlist.instances if waiting[item] and item not in early]
            if len(done) < len(items):
                early.add(stuck[0])
                release(stuck[0])
        return done, early


def _range(width: int, signed: bool = False) -> str:
    """The type of a vector as far as there is something to say."""
    return " ".join(["signed"] * signed + [f"[{width - 1}:0]"] * (width > 1))

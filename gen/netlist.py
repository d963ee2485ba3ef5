"""Netlists of operators with explicit widths, as read from RTLIL.

Every operand is as wide as its operator needs, its extension spelled out in bits, so that neither
width nor sign depends on where an expression stands: any operator may be written inside another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from graphlib import CycleError, TopologicalSorter

from .bits import Spec, extended, renamed, width_of, wire
from .rtlil import Assign, Case, Cell, Module, RTLILError, Switch, Wire

Body = list[Assign | Switch]

_BINARY = {f"${kind}": kind for kind in ("and", "or", "xor", "add", "sub", "mul")}
_UNARY = {"$not": "not", "$neg": "neg"}
_REDUCE = {
    "$reduce_or": "any",
    "$reduce_bool": "any",
    "$reduce_and": "all",
    "$reduce_xor": "parity",
}
_COMPARE = {f"${kind}": kind for kind in ("eq", "ne", "lt", "le", "gt", "ge")}
_SHIFT = {"$shl": "shl", "$shr": "shr", "$sshr": "sshr", "$shift": "shr", "$shiftx": "shr"}


@dataclass(frozen=True)
class Op:
    """An operator and what it reads.

    Kinds: copy, not, neg, and, or, xor, add, sub, mul, smul (signed), mux (select, then, else),
    shl, shr, sshr, any, all, parity (reductions), eq, ne, lt, le, gt, ge, and slt to sge (signed).
    """

    kind: str
    operands: tuple[Spec, ...]
    width: int


@dataclass
class Register:
    """Flip-flops: on a rising edge of ``clock``, ``body`` assigns to ``name``."""

    name: str
    clock: Spec
    body: Body


@dataclass
class Netlist:
    """A module: ``ops`` and ``processes`` by the wire they drive, instances by name.

    ``aliases``: signals of the source and what they stood for.
    """

    name: str
    wires: dict[str, Wire]
    ops: dict[str, Op] = field(default_factory=dict)
    instances: dict[str, Cell] = field(default_factory=dict)
    registers: list[Register] = field(default_factory=list)
    processes: dict[str, Body] = field(default_factory=dict)
    aliases: list[tuple[str, Spec]] = field(default_factory=list)

    def order(self) -> list[str]:
        """The wires of operators, each after those it reads; RTLILError for a loop."""
        graph = {
            name: [source for spec in op.operands for source, _, _ in spec if source in self.ops]
            for name, op in self.ops.items()
        }
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            loop = ", ".join(error.args[1])
            raise RTLILError(f"Logic of {self.name} must have no loop, not {loop}") from error

    def outputs(self) -> dict[str, str]:
        """The wires that instances drive, and by which instance."""
        return {
            cell.ports[port][0][0]: name
            for name, cell in self.instances.items()
            for port in cell.outputs
        }

    def sinks(self) -> Iterator[tuple[str, Spec]]:
        """What instances, registers and processes read, each with a name for it."""
        for cell in self.instances.values():
            for port, spec in cell.ports.items():
                if port not in cell.outputs:
                    yield f"{cell.name}_{port}", spec
        for register in self.registers:
            yield register.name, register.clock
            yield from ((register.name, spec) for spec in reads(register.body))
        for name, body in self.processes.items():
            yield from ((name, spec) for spec in reads(body))

    def rewrite(self, change: Callable[[Spec], Spec]) -> None:
        """Replace every vector outside the operators, those assigned to included."""
        for cell in self.instances.values():
            cell.ports = {port: change(spec) for port, spec in cell.ports.items()}
        for register in self.registers:
            register.clock = change(register.clock)
            register.body = rewritten(register.body, change)
        self.processes = {name: rewritten(body, change) for name, body in self.processes.items()}
        self.aliases = [(name, change(spec)) for name, spec in self.aliases]


def reads(body: Body) -> Iterator[Spec]:
    """The vectors that statements read."""
    for statement in body:
        if isinstance(statement, Assign):
            yield statement.value
        else:
            yield statement.selector
            for case in statement.cases:
                yield from reads(case.body)


def rewritten(body: Body, change: Callable[[Spec], Spec]) -> Body:
    """Statements with every vector replaced."""
    result: Body = []
    for statement in body:
        if isinstance(statement, Assign):
            result.append(Assign(change(statement.target), change(statement.value)))
        else:
            cases = [Case(case.patterns, rewritten(case.body, change)) for case in statement.cases]
            result.append(Switch(change(statement.selector), cases))
    return result


def load(module: Module, modules: dict[str, Module]) -> Netlist:
    """The netlist of a module, ``modules`` being those of its text; RTLILError if it cannot be."""
    netlist = Netlist(module.name, dict(module.wires))
    for body in module.processes:
        # Amaranth's processes begin with the default of all they assign to.
        if not isinstance(body[0], Assign) or len(body[0].target) != 1:
            raise RTLILError(f"Process of {module.name} must begin with a default, not {body[0]}")
        netlist.processes[body[0].target[0][0]] = body
    flops, read = [], {name for _, value in module.connects for name, _, _ in value}
    read.update(name for body in module.processes for spec in reads(body) for name, _, _ in spec)
    for cell in module.cells:
        if cell.kind == "$dff" and cell.parameters["CLK_POLARITY"] == 1:
            flops.append(cell)
            continue
        read.update(name for spec in cell.ports.values() for name, _, _ in spec)
        if cell.kind.startswith("$"):
            _add_operator(netlist, cell)
            continue
        if cell.kind in modules:
            ports = modules[cell.kind].wires
            cell.outputs = [port for port in cell.ports if ports[port].direction == "output"]
        netlist.instances[cell.name] = cell
    for cell in flops:
        name, data = cell.ports["Q"][0][0], cell.ports["D"]
        source = data[0][0]
        if len(data) == 1 and source in netlist.processes and source not in read:
            change = partial(renamed, names={source: name})
            body = rewritten(netlist.processes.pop(source), change)
        else:
            body = [Assign(wire(name, width_of(data)), data)]
        netlist.registers.append(Register(name, cell.ports["CLK"], body))
    for target, value in module.connects:
        name = target[0][0]
        netlist.ops[name] = Op("copy", (value,), width_of(value))
        netlist.aliases.append((name, value))
    return netlist


def _add_operator(netlist: Netlist, cell: Cell) -> None:
    name, _, width = cell.ports.get("Y", wire("", 0))[0]
    op = operator(cell, netlist.name)
    if op.width > width:
        # A right shift is as wide as what it shifts.
        wide = f"${name}"
        netlist.ops[wide], netlist.wires[wide] = op, Wire(op.width)
        op = Op("copy", (wire(wide, width),), width)
    netlist.ops[name] = op


def operator(cell: Cell, where: str) -> Op:
    """A cell as an operator with explicit widths; RTLILError for a cell that is not known."""
    kind, value = cell.kind, cell.parameters
    a, b = cell.ports.get("A", ()), cell.ports.get("B", ())
    signed = bool(value.get("A_SIGNED")) and bool(value.get("B_SIGNED", 1))
    width = int(value.get("Y_WIDTH", 1))
    if kind in _BINARY:
        name = "smul" if kind == "$mul" and signed else _BINARY[kind]
        return Op(name, (extended(a, width, signed), extended(b, width, signed)), width)
    if kind in _UNARY:
        return Op(_UNARY[kind], (extended(a, width, signed),), width)
    if kind in _REDUCE and width == 1:
        return Op(_REDUCE[kind], (a,), 1)
    if kind in _COMPARE and width == 1:
        name = ("s" if signed and kind not in ("$eq", "$ne") else "") + _COMPARE[kind]
        common = max(width_of(a), width_of(b), 1)
        return Op(name, (extended(a, common, signed), extended(b, common, signed)), 1)
    if kind in _SHIFT and not value["B_SIGNED"]:
        signed = bool(value["A_SIGNED"])
        name = "shr" if kind == "$sshr" and not signed else _SHIFT[kind]
        width = width if name == "shl" else max(width, width_of(a))
        return Op(name, (extended(a, width, signed), b), width)
    if kind == "$mux":
        return Op("mux", (cell.ports["S"], b, a), int(value["WIDTH"]))
    raise RTLILError(f"Cell of {where} must be one that the writer knows, not {kind} {value}")

"""Simplification of a netlist: aliases, constants, repeated and unused logic go."""

from __future__ import annotations

import operator
from dataclasses import replace

from .bits import Chunk, Spec, constant, extended, joined, renamed, sliced, value_of, width_of, wire
from .netlist import Netlist, Op
from .rtlil import Wire

# Low bits of these depend on low bits of their operands alone, but for a select and a distance.
_LOW_BITS = {"and", "or", "xor", "not", "neg", "add", "sub", "mul", "smul", "mux", "shl", "copy"}
_WHOLE_OPERAND = {("mux", 0), ("shl", 1)}
_BITWISE = {"all": "and", "any": "or", "parity": "xor"}
_CALCULATE = {
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "add": operator.add,
    "sub": operator.sub,
}


def simplify(netlist: Netlist) -> None:
    """Rewrite ``netlist`` in place until nothing is left to remove, then name what it drives."""
    before: dict[str, Op] = {}
    while netlist.ops != before:
        before = netlist.ops
        _propagate(netlist)
        _narrow(netlist)
    _adopt_names(netlist)


def _propagate(netlist: Netlist) -> None:
    """Replace copies by their source, repeated operators by the first, and reduce operators."""
    instead: dict[str, Spec] = {}
    seen: dict[Op, str] = {}
    ops: dict[str, Op] = {}
    known = {name for name, _ in netlist.aliases}

    def resolve(spec: Spec) -> Spec:
        if not any(name in instead for name, _, _ in spec):
            return spec
        parts = (
            sliced(instead[name], low, width) if name in instead else ((name, low, width),)
            for name, low, width in spec
        )
        return joined(chunk for part in parts for chunk in part)

    for name in netlist.order():
        op = netlist.ops[name]
        op = replace(op, operands=tuple(resolve(spec) for spec in op.operands))
        result = reduced(op, ops)
        if isinstance(result, Op) and result in seen:
            result = wire(seen[result], op.width)
        if isinstance(result, Op):
            ops[name] = result
            seen[result] = name
            continue
        instead[name] = result
        if not name.startswith("$") and name not in known:
            netlist.aliases.append((name, result))
        if netlist.wires[name].direction:
            ops[name] = Op("copy", (result,), op.width)
    netlist.ops = {name: ops[name] for name in netlist.ops if name in ops}
    netlist.rewrite(resolve)


def reduced(op: Op, ops: dict[str, Op]) -> Op | Spec:
    """A simpler operator, or a vector in its place; ``ops``: those it may read."""
    if op.kind in ("and", "or", "xor", "add", "sub"):
        return _reduced_binary(op)
    if op.kind in _BITWISE:
        return _reduced_reduction(op, ops)
    first = op.operands[0]
    value = value_of(first)
    if op.kind == "copy":
        return first
    if op.kind == "not":
        if value is not None:
            return constant(~value, op.width)
        inner = ops.get(first[0][0]) if len(first) == 1 else None
        if inner and inner.kind == "not" and inner.width == op.width == first[0][2]:
            return inner.operands[0]
    if op.kind == "mux":
        if value is not None:
            return op.operands[1 if value else 2]
        if op.operands[1] == op.operands[2]:
            return op.operands[1]
        if op.width == 1 and [value_of(spec) for spec in op.operands[1:]] == [1, 0]:
            return first
    if op.kind in ("shl", "shr", "sshr"):
        distance = value_of(op.operands[1])
        if distance is not None and op.kind == "shl":
            return sliced((*constant(0, min(distance, op.width)), *first), 0, op.width)
        if distance is not None:
            signed = op.kind == "sshr"
            rest = sliced(first, min(distance, op.width - signed), op.width)
            return extended(rest, op.width, signed)
    return op


def _reduced_binary(op: Op) -> Op | Spec:
    a, b = op.operands
    ones = (1 << op.width) - 1
    neutral = ones if op.kind == "and" else 0
    if op.kind != "sub" and value_of(a) is not None:
        a, b = b, a
    value, known = value_of(b), value_of(a)
    if value is not None:
        if value == neutral:
            return a
        if op.kind in ("and", "or") and value == neutral ^ ones:
            return b
        if op.kind == "xor" and value == ones:
            return Op("not", (a,), op.width)
        if known is not None:
            return constant(_CALCULATE[op.kind](known, value), op.width)
    if a == b and op.kind in ("and", "or"):
        return a
    return replace(op, operands=(a, b))


def _reduced_reduction(op: Op, ops: dict[str, Op]) -> Op | Spec:
    (spec,) = op.operands
    inner = [ops.get(name) for name, _, _ in spec]
    if any(part and part.kind == op.kind for part in inner):
        # |{|a[6:3], a[2:0]} is |a[6:0].
        flat = joined(
            chunk
            for part, outer in zip(inner, spec)
            for chunk in (part.operands[0] if part and part.kind == op.kind else (outer,))
        )
        spec = flat if len(flat) == 1 else spec
    kept: list[Chunk] = []
    for name, value, width in spec:
        neutral = (1 << width) - 1 if op.kind == "all" else 0
        if not name and op.kind != "parity" and value != neutral:
            return constant(op.kind == "any", 1)
        if op.kind == "parity" or (name and (name, value, width) not in kept):
            kept.append((name, value, width))
    spec = joined(kept)
    if not spec:
        return constant(op.kind == "all", 1)
    if width_of(spec) == 1:
        return spec
    if [width for _, _, width in spec] == [1, 1]:
        return Op(_BITWISE[op.kind], (spec[:1], spec[1:]), 1)
    return replace(op, operands=(spec,))


def _narrow(netlist: Netlist) -> None:
    """Drop operators that nothing reads, and unread high bits where that changes no other bit."""
    used: dict[str, int] = {}

    def note(spec: Spec) -> None:
        for name, low, width in spec:
            used[name] = max(used.get(name, 0), low + width)

    for _, spec in netlist.sinks():
        note(spec)
    ops: dict[str, Op] = {}
    for name in reversed(netlist.order()):
        op = netlist.ops[name]
        width = op.width if netlist.wires[name].direction else min(used.get(name, 0), op.width)
        if not width:
            continue
        if width < op.width and op.kind in _LOW_BITS:
            operands = tuple(
                spec if (op.kind, i) in _WHOLE_OPERAND else extended(spec, width)
                for i, spec in enumerate(op.operands)
            )
            op = Op(op.kind, operands, width)
            netlist.wires[name] = Wire(width)
        for spec in op.operands:
            note(spec)
        ops[name] = op
    netlist.ops = {name: ops[name] for name in netlist.ops if name in ops}


def _adopt_names(netlist: Netlist) -> None:
    """Name temporaries after what they drive whole; only operators may go without a name."""
    names: dict[str, str] = {}
    suggested = {source: f"{cell}_output" for source, cell in netlist.outputs().items()}
    suggested |= dict.fromkeys(netlist.processes, "state")
    suggested |= {register.name: "state" for register in netlist.registers}
    for name, spec in sorted(netlist.aliases, key=lambda a: netlist.wires[a[0]].direction is None):
        source, low, width = spec[0] if len(spec) == 1 else ("", 0, 0)
        free = source.startswith("$") and source not in names
        if free and (source in netlist.ops or source in suggested):
            if low == 0 and width == netlist.wires[source].width == netlist.wires[name].width:
                names[source] = name
    for source, stem in suggested.items():
        if source.startswith("$") and source not in names:
            serial = 0
            while f"{stem}_{serial}" in netlist.wires:
                serial += 1
            names[source] = f"{stem}_{serial}"
            netlist.wires[names[source]] = netlist.wires[source]
    netlist.ops = {
        names.get(name, name): replace(op, operands=tuple(renamed(s, names) for s in op.operands))
        for name, op in netlist.ops.items()
        if op.kind != "copy" or names.get(op.operands[0][0][0]) != name
    }
    for register in netlist.registers:
        register.name = names.get(register.name, register.name)
    netlist.processes = {names.get(name, name): body for name, body in netlist.processes.items()}
    netlist.rewrite(lambda spec: renamed(spec, names))

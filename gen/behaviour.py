"""What the cells of a library do, out of its Liberty file: tables, and models in Verilog."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from gen.errors import UsageError
from gen.functions import expression, truth_table
from gen.liberty import Cell, Library


@dataclass(frozen=True)
class Behaviour:
    """One cell, as truth tables over `names`: its input pins, then its state and the state's
    inverse if it is a flip-flop.

    `outputs` are by pin. A flip-flop stores `following` on a rising edge of `clock`; `clear` and
    `preset` come before the clock, `clear` first.
    """

    inputs: tuple[str, ...]
    outputs: dict[str, int]
    states: tuple[str, ...] = ()
    following: int = 0
    clock: int = 0
    clear: int = 0
    preset: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """What the tables are over, the first in the row number's lowest bit."""
        return self.inputs + self.states


def behaviour(library: Library, name: str) -> Behaviour:
    """The behaviour of a combinational cell or a flip-flop; UsageError for any other."""
    cell = library.cells[name]
    flip_flops = list(cell.group.named("ff"))
    if not cell.is_sequential and cell.is_combinational:
        return Behaviour(
            cell.inputs, {pin: t for pin, t in cell.functions.items() if t is not None}
        )
    if len(flip_flops) != 1 or len(flip_flops[0].arguments) != 2:
        raise UsageError(f"LIB {library.path} must describe what cell {name} does, and does not")
    (flip_flop,) = flip_flops
    states = flip_flop.arguments
    names = (*cell.inputs, *states)

    def table(text: str) -> int:
        found = truth_table(text, names)
        if found is None:
            raise UsageError(f"LIB {library.path} must describe cell {name} by pins, not {text!r}")
        return found

    tables = {
        key: table(flip_flop.attributes.get(attribute, "0"))
        for key, attribute in (
            ("following", "next_state"),
            ("clock", "clocked_on"),
            ("clear", "clear"),
            ("preset", "preset"),
        )
    }
    outputs = {pin: table(text) for pin, text in _functions(cell).items()}
    return Behaviour(cell.inputs, outputs, states, **tables)


def _functions(cell: Cell) -> dict[str, str]:
    pins = (pin for pin in cell.group.named("pin") if pin.arguments[0] in cell.functions)
    return {
        pin.arguments[0]: pin.attributes["function"] for pin in pins if "function" in pin.attributes
    }


@cache
def compiled(table: int, inputs: int) -> Callable[[int, list[int]], int]:
    """A truth table as a function of a mask of ones and the inputs, on many bits at once.

    >>> bin(compiled(0b0111, 2)(0b1111, [0b0011, 0b0101]))
    '0b1110'
    """
    text = expression(table, [f"p[{i}]" for i in range(inputs)], "(M ^ {})")
    text = {"1'b0": "0", "1'b1": "M"}.get(text, text)
    return eval(f"lambda M, p: {text}")


def model(library: Library, name: str) -> str:
    """A module of Verilog that does what the cell does."""
    cell = behaviour(library, name)
    names = [identifier(each) for each in cell.names]
    inputs = names[: len(cell.inputs)]
    ports = [f"input {pin}" for pin in inputs] + [f"output {identifier(p)}" for p in cell.outputs]
    lines = [f"module {identifier(name)} ({', '.join(ports)});"]
    if cell.states:
        state, inverse = names[-2:]
        edges, branches = ["posedge clock_"], [f"{state} <= {expression(cell.following, names)};"]
        for kind, table, value in (("preset", cell.preset, 1), ("clear", cell.clear, 0)):
            if table:
                lines.append(f"  wire {kind}_ = {expression(table, names)};")
                edges.append(f"posedge {kind}_")
                branches.insert(0, f"if ({kind}_) {state} <= 1'b{value}; else")
        lines += [
            f"  reg {state};",
            f"  wire {inverse} = ~{state};",
            f"  wire clock_ = {expression(cell.clock, names)};",
            f"  always @({' or '.join(edges)})",
            *(f"    {branch}" for branch in branches),
        ]
    for pin, table in cell.outputs.items():
        lines.append(f"  assign {identifier(pin)} = {expression(table, names)};")
    return "\n".join([*lines, "endmodule\n"])


def identifier(name: str) -> str:
    """A name as Verilog takes it.

    >>> identifier("A1"), identifier("D[0]")
    ('A1', '\\\\D[0] ')
    """
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"\\{name} "

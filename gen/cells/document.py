"""docs/cells.md: what the built-in library's numbers are, and where they come from."""

from __future__ import annotations

from gen.cells import describe, model
from gen.cells.describe import CAPACITANCE, TAU, CellDescription

_TEXT = f"""# The built-in cells

`make synth` without `LIB=` measures on `gen/cells/mxforge.lib`, a small standard-cell library of
the project's own. It stands for no process. Its areas count transistors and its delays follow
from the same transistors, so a comparison of two designs on it needs no process design kit and
favours neither. Absolute nanoseconds need a real library: `make synth LIB=path.lib.gz`.

`gen/cells/describe.py` holds each cell as transistor networks; `python -m gen.cells` computes
everything else, writes the library and this page, and a test fails when either is not what it
writes.

## Area

A cell's area is its number of transistors over four. A two-input NAND has four, so one unit of
area is one gate equivalent (GE). A cell with `_X2` has every transistor of its output twice,
`_X4` four times.

A stage of static CMOS has two transistors for each letter of its expression, one nMOS and one
pMOS: `Y = !(A*B + C)` has six. A cell of several stages is the sum of them.

## Delay

All transistors have unit width: an nMOS counts 1/3 of an inverter's input capacitance, a pMOS,
twice as wide for equal resistance, 2/3. Then, in units of an inverter's resistance and input
capacitance,

- the *load* a pin puts on its net is the number of letters it stands for;
- the *resistance* of a stage is the most transistors in series on a way to ground (falling) or to
  the supply (rising: the dual network, in which series and parallel change places);
- the *parasitic* of a stage is the drains at its output, 1/3 for an nMOS and 2/3 for a pMOS;
- the *delay* of a stage is resistance x (parasitic + load), in units of tau = {TAU * 1000:g} ps.

An inverter that drives four of its kind (FO4) so takes 1 x (1 + 4) tau = {5 * TAU * 1000:g} ps,
and an inverter's input is {CAPACITANCE * 1000:g} fF. This is the method of logical effort
(Sutherland, Sproull and Harris, 1999) for gates of unit transistors: a NAND's effort is its
resistance times its load, 2 x 1 falling and 1 x 1 rising, their mean 3/2, where a NAND that is
sized to fall as fast as it rises has 4/3.

A cell's delay from a pin to an output is the sum along the slowest way through its stages, rising
and falling apart. Slow edges slow nothing down, and capacitances inside a series of transistors
are left out. The full adder is the mirror adder of 28 transistors, whose networks to ground and
supply have the same shape (sum and carry are self-dual).

## Combinational cells

Delay to the falling and rising output, in tau, for a load of h inverters, from the slowest pin.

| cell | function | stages | transistors | area, GE | load of each pin | falling | rising |
| --- | --- | --- | ---: | ---: | --- | --- | --- |
"""


def document() -> str:
    """The text of docs/cells.md."""
    rows = [row for cell in describe.COMBINATIONAL for row in _rows(cell)]
    return _TEXT + "\n".join(rows) + "\n" + _others()


def _rows(cell: CellDescription) -> list[str]:
    count = model.transistors(cell)
    stages = "; ".join(f"{stage.node} = !({_expression(stage.network)})" for stage in cell.stages)
    loads = ", ".join(f"{pin} {model.load(cell.stages, pin)}" for pin in cell.inputs)
    rows = []
    for output, function in cell.outputs.items():
        arcs = [model.arc(cell, pin, output) for pin in cell.inputs]
        rise, fall = (max((pair[edge] for pair in arcs), key=_slowness) for edge in (0, 1))
        rows.append(
            f"| {cell.name} | `{output} = {function}` | `{stages}` | {count} | {count / 4:g} "
            f"| {loads} | {_formula(fall)} | {_formula(rise)} |"
        )
    return rows


def _slowness(edge: model.Edge) -> float:
    return edge.intrinsic


def _formula(edge: model.Edge) -> str:
    return f"{edge.intrinsic:.3g} + {edge.resistance:g} h"


def _expression(network: tuple, nested: bool = False) -> str:
    def element(part: str | tuple) -> str:
        return part if isinstance(part, str) else _expression(part, nested=True)

    text = " + ".join("*".join(element(part) for part in branch) for branch in network)
    return f"({text})" if nested and len(network) > 1 else text


def _others() -> str:
    transistors = describe.FLIP_FLOP_TRANSISTORS
    launch, setup = describe.FLIP_FLOP_LAUNCH, describe.FLIP_FLOP_SETUP
    total = sum(transistors.values())
    lines = ["", "## Flip-flop and constants", ""]
    lines += [
        f"`DFF_X1` stores `D` at the rising edge of `CK`: {total} transistors, {total / 4:g} GE. "
        "Both pins are a load of 1.",
        "",
        "| part | transistors |",
        "| --- | ---: |",
        *(f"| {name} | {count} |" for name, count in transistors.items()),
        "",
        f"From the clock's edge to `Q` it takes {sum(launch.values())} + 1 h tau:",
        "",
        "| stage | tau |",
        "| --- | ---: |",
        *(f"| {name} | {time} |" for name, time in launch.items()),
        "",
        f"`D` must be there {sum(setup.values())} tau before the edge:",
        "",
        "| stage | tau |",
        "| --- | ---: |",
        *(f"| {name} | {time} |" for name, time in setup.items()),
        "",
        f"`TIE0_X1` and `TIE1_X1` are constants of {describe.TIE_TRANSISTORS} transistors each, "
        f"{describe.TIE_TRANSISTORS / 4:g} GE.",
    ]
    return "\n".join(lines) + "\n"

"""Full and half adders out of a library's cells, found by what the cells compute.

A library without a full adder gets one of three gates: two exclusive ors and the and-or that makes
the inverted carry of the inputs and the first one's output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from gen.functions import variable
from gen.liberty import Cell, Library

MAJORITY, PARITY3 = 0b11101000, 0b10010110
AND2, XOR2, XNOR2 = 0b1000, 0b0110, 0b1001

_A, _B, _C, _D = (variable(index, 4) for index in range(4))
_ONES = (1 << 16) - 1
HALVES = {XOR2: _ONES ^ (_A & _B | _C & _D), XNOR2: _ONES ^ ((_A | _B) & (_C | _D))}
"""What gives the inverted carry of a, b, p and c, by the gate that gives p of a and b."""

COMPLEMENT = "full_adder_complement"
"""The module that is a full adder of complements: all its ports are inverted."""
OTHER_SUM = "_other_sum"
"""How modules end that are full adders whose cells give the sum's other polarity."""


@dataclass(frozen=True)
class Adder:
    """A full adder (three inputs) or half adder (two) of cells: each with its net by pin.

    Nets are ``a``, ``b``, ``c``, ``sum``, ``carry`` and those between the cells. The sum and the
    carry may be inverted. `other`: the same adder with a sum of the other polarity, of no more
    area.
    """

    cells: tuple[tuple[Cell, dict[str, str]], ...]
    is_sum_inverted: bool
    is_carry_inverted: bool
    other: Adder | None = None

    @property
    def names(self) -> list[str]:
        """The names of its cells."""
        return [cell.name for cell, _ in self.cells]

    @property
    def size(self) -> tuple[float, list[str]]:
        """What makes one adder smaller than another: area, then names."""
        return sum(cell.area for cell, _ in self.cells), self.names

    def verilog(self, module: str) -> str:
        """Yosys's techmap rule that puts the cells in the place of `module` (a, b[, c], s, co).

        It leaves those with a constant input, for which a few gates are enough.
        """
        nets = {net for _, pins in self.cells for net in pins.values()}
        ports = [port for port in ("a", "b", "c") if port in nets]
        constants = ", ".join(f"_TECHMAP_CONSTMSK_{port}_" for port in ports)
        lines = [
            f"module {module} (input {', '.join(ports)}, output s, co);",
            *(f"  parameter _TECHMAP_CONSTMSK_{port}_ = 0;" for port in ports),
            f"  wire _TECHMAP_FAIL_ = |{{{constants}}};",
            f"  wire {', '.join(sorted(nets - set(ports)))};",
        ]
        for i, (cell, pins) in enumerate(self.cells):
            joined = ", ".join(f".{pin}({net})" for pin, net in pins.items())
            lines.append(f"  \\{cell.name} u{i} ({joined});")
        lines += [
            f"  assign s = {'~' * self.is_sum_inverted}sum;",
            f"  assign co = {'~' * self.is_carry_inverted}carry;",
            "endmodule",
        ]
        return "\n".join(lines) + "\n"


def complement(module: str) -> str:
    """Yosys's techmap rule of full adders of complements, which give complements, for each of those
    of `module`."""
    name = module.replace("full_adder", COMPLEMENT)
    return (
        f"module {name} (input a, b, c, output s, co);\n  wire sum, carry;\n"
        f"  {module} u (.a(~a), .b(~b), .c(~c), .s(sum), .co(carry));\n"
        "  assign s = ~sum, co = ~carry;\nendmodule\n"
    )


def full_adder(library: Library) -> Adder | None:
    """The smallest full adder of one cell or of three gates, or None."""
    found = [*_adders(library, 3, PARITY3, MAJORITY), *_gates(library)]
    return min(found, key=lambda adder: adder.size, default=None)


def half_adder(library: Library) -> Adder | None:
    """The smallest cell with two inputs whose outputs are their sum and carry, or None."""
    return min(_adders(library, 2, XOR2, AND2), key=lambda adder: adder.size, default=None)


def _adders(library: Library, inputs: int, sum_table: int, carry_table: int) -> Iterator[Adder]:
    """Adders of one cell."""
    ones = (1 << (1 << inputs)) - 1
    for cell in library.usable(inputs):
        pins = {table: pin for pin, table in cell.functions.items()}
        sums = [table for table in (sum_table, ones ^ sum_table) if table in pins]
        carries = [table for table in (carry_table, ones ^ carry_table) if table in pins]
        if len(cell.functions) == 2 and sums and carries:
            nets = dict(zip(cell.inputs, ("a", "b", "c"), strict=False))
            nets |= {pins[sums[0]]: "sum", pins[carries[0]]: "carry"}
            yield Adder(((cell, nets),), sums[0] != sum_table, carries[0] != carry_table)


def _gates(library: Library) -> Iterator[Adder]:
    """Full adders of three gates: the sum is right with two exclusive ors or two inverted ones."""
    wholes = {table: _smallest(library, table, ("p", "c"), "sum") for table in HALVES}
    for half_table, carry_table in HALVES.items():
        half = _smallest(library, half_table, ("a", "b"), "p")
        carry = _smallest(library, carry_table, ("a", "b", "p", "c"), "carry")
        same, other = wholes[half_table], wholes[XOR2 ^ XNOR2 ^ half_table]
        if half and same and carry:
            turned = None
            if other and other[0].area <= same[0].area:
                turned = Adder((half, other, carry), True, True)
            yield Adder((half, same, carry), False, True, turned)


def _smallest(
    library: Library, table: int, nets: tuple[str, ...], output: str
) -> tuple[Cell, dict[str, str]] | None:
    """The smallest cell of one output that is `table` of `nets`, and its nets by pin, or None."""
    found = []
    for cell in library.usable(len(nets)):
        if len(cell.functions) == 1:
            ((pin, own),) = cell.functions.items()
            orders = permutations(range(len(nets)))
            order = next((o for o in orders if _permuted(table, o) == own), None)
            if order is not None:
                pins = {name: nets[i] for name, i in zip(cell.inputs, order, strict=True)}
                found.append((cell, {**pins, pin: output}))
    return min(found, key=lambda each: (each[0].area, each[0].name), default=None)


def _permuted(table: int, order: tuple[int, ...]) -> int:
    """The table of the same function whose input i is input ``order[i]`` of `table`."""
    size = len(order)
    rows = (sum((row >> i & 1) << order[i] for i in range(size)) for row in range(1 << size))
    return sum((table >> old & 1) << row for row, old in enumerate(rows))

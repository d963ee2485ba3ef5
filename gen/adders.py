"""Full and half adders out of a library's cells, found by what the cells compute.

A library without a full adder gets one of three gates: two exclusive ors and the and-or that makes
the inverted carry of the inputs and the first one's output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import permutations

from gen.functions import variable
from gen.liberty import Cell, Library

MAJORITY, PARITY3 = 0b11101000, 0b10010110
AND2, XOR2, XNOR2 = 0b1000, 0b0110, 0b1001

_A, _B, _C, _D = (variable(index, 4) for index in range(4))
_ONES = (1 << 16) - 1
CARRIES = {XOR2: _ONES ^ (_A & _B | _C & _D), XNOR2: _ONES ^ ((_A | _B) & (_C | _D))}
"""What gives the inverted carry of a, b, p and c, by the gate that gives p of a and b."""


def kind(is_complement: bool, is_other: bool = False) -> str:
    """The module of a full adder: of complements, whose ports are all inverted; and of those of
    which there are two, the one whose cells give the sum's other polarity."""
    return "full_adder" + "_complement" * is_complement + "_other" * is_other


@dataclass(frozen=True)
class Adder:
    """A full adder (three inputs) or half adder (two) of cells: each with its net by pin.

    Nets are ``a``, ``b``, ``c``, ``sum``, ``carry`` and those between the cells. The sum and the
    carry may be inverted. `other`: the same adder with a sum of the other polarity.
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

    @property
    def inverts(self) -> bool:
        """Whether an output is inverted."""
        return self.is_sum_inverted or self.is_carry_inverted

    def rules(self, module: str) -> str:
        """Yosys's techmap rules that put the cells in the place of `module`, and where a full adder
        inverts an output, of every :func:`kind` of it."""
        if module != "full_adder" or not self.inverts:
            return self._rule(module)
        adders = [self, *filter(None, [self.other])]
        rules = [adder._rule(kind(False, i == 1)) for i, adder in enumerate(adders)]
        return "".join(rules + [_complement(i == 1) for i in range(len(adders))])

    def _rule(self, module: str) -> str:
        """The rule of `module` (a, b[, c], s, co).

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


def _complement(is_other: bool) -> str:
    """The rule of full adders of complements, which give complements."""
    return (
        f"module {kind(True, is_other)} (input a, b, c, output s, co);\n  wire sum, carry;\n"
        f"  {kind(False, is_other)} u (.a(~a), .b(~b), .c(~c), .s(sum), .co(carry));\n"
        "  assign s = ~sum, co = ~carry;\nendmodule\n"
    )


def full_adder(library: Library) -> Adder | None:
    """The smallest cell that is a full adder; without one, the smallest of three gates, or None."""
    cells, gates = _adders(library, 3, PARITY3, MAJORITY), _gates(library)
    smallest = min(cells, key=lambda adder: adder.size, default=None)
    return smallest or min(gates, key=lambda adder: adder.size, default=None)


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
    for table, carry_table in CARRIES.items():
        half = _smallest(library, table, ("a", "b"), "p")
        carry = _smallest(library, carry_table, ("a", "b", "p", "c"), "carry")
        wholes = [(each, _smallest(library, each, ("p", "c"), "sum")) for each in CARRIES]
        if half and carry:
            adders = [Adder((half, whole, carry), t != table, True) for t, whole in wholes if whole]
            smaller, *other = sorted(
                adders, key=lambda adder: (adder.size[0], adder.is_sum_inverted)
            )
            yield replace(smaller, other=other[0] if other else None)


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

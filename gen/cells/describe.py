"""The built-in library's cells as transistor networks, from which model.py derives the rest.

A cell is a list of static CMOS stages. A stage pulls its node low when its network conducts, and
high when the dual network does, so it computes the inverse: ``"A*B"`` is a NAND, ``"A*B + C"`` an
AOI21. All transistors have unit width (nMOS 1, pMOS 2), or `fingers` times as much.
"""

from __future__ import annotations

from dataclasses import dataclass

TAU = 0.010
"""Nanoseconds of one unit inverter that drives one more without parasitics; FO4 is five of them."""
CAPACITANCE = 0.002
"""Picofarads at the input of the unit inverter."""


@dataclass(frozen=True)
class Stage:
    """One stage: its output `node`, and its pull-down network as a sum of products of nodes.

    A network is a tuple of parallel branches; a branch is a tuple of elements in series, the first
    one at the output; an element is the name of a node or a network. A `mirrored` stage has a
    pull-up network of the pull-down's shape instead of its dual, which a self-dual function allows.
    """

    node: str
    network: tuple
    fingers: int = 1
    mirrored: bool = False


@dataclass(frozen=True)
class CellDescription:
    """A combinational cell: inputs, outputs as Liberty functions, stages in dataflow order."""

    name: str
    inputs: tuple[str, ...]
    outputs: dict[str, str]
    stages: tuple[Stage, ...]


def stage(node: str, text: str, fingers: int = 1, mirrored: bool = False) -> Stage:
    """A stage from text: ``+`` parallel, ``*`` series, parentheses; names are nodes.

    >>> stage("Y", "A*B + C").network
    (('A', 'B'), ('C',))
    """
    tokens = (
        text.replace("(", " ( ").replace(")", " ) ").replace("*", " * ").replace("+", " + ").split()
    )

    def parallel() -> tuple:
        branches = [series()]
        while tokens and tokens[0] == "+":
            tokens.pop(0)
            branches.append(series())
        return tuple(branches)

    def series() -> tuple:
        elements = [element()]
        while tokens and tokens[0] == "*":
            tokens.pop(0)
            elements.append(element())
        return tuple(elements)

    def element() -> str | tuple:
        token = tokens.pop(0)
        if token != "(":
            return token
        inner = parallel()
        tokens.pop(0)
        return inner

    return Stage(node, parallel(), fingers, mirrored)


def leaves(network: tuple) -> list[str]:
    """The nodes that drive a network's transistors, one entry a transistor."""
    names = []
    for branch in network:
        for part in branch:
            names += [part] if isinstance(part, str) else leaves(part)
    return names


def depth(network: tuple) -> int:
    """The most transistors in series on a way through the network."""
    return max(sum(1 if isinstance(p, str) else depth(p) for p in branch) for branch in network)


def width(network: tuple) -> int:
    """The depth of the dual network: the most transistors side by side."""
    return sum(max(1 if isinstance(p, str) else width(p) for p in branch) for branch in network)


def drains(network: tuple) -> int:
    """The transistors that touch the output."""
    return sum(1 if isinstance(branch[0], str) else drains(branch[0]) for branch in network)


def dual_drains(network: tuple) -> int:
    """The transistors of the dual network that touch the output."""
    first = network[0]
    return sum(1 if isinstance(part, str) else dual_drains(part) for part in first)


def _gate(name: str, inputs: str, function: str, *stages: Stage) -> CellDescription:
    return CellDescription(name, tuple(inputs), {"Y": function}, stages)


COMBINATIONAL = (
    *(_gate(f"INV_X{n}", "A", "!A", stage("Y", "A", n)) for n in (1, 2, 4)),
    *(
        _gate(f"BUF_X{n}", "A", "A", stage("n", "A", (n + 1) // 2), stage("Y", "n", n))
        for n in (1, 2, 4)
    ),
    *(_gate(f"NAND2_X{n}", "AB", "!(A*B)", stage("Y", "A*B", n)) for n in (1, 2)),
    _gate("NAND3_X1", "ABC", "!(A*B*C)", stage("Y", "A*B*C")),
    _gate("NAND4_X1", "ABCD", "!(A*B*C*D)", stage("Y", "A*B*C*D")),
    *(_gate(f"NOR2_X{n}", "AB", "!(A+B)", stage("Y", "A+B", n)) for n in (1, 2)),
    _gate("NOR3_X1", "ABC", "!(A+B+C)", stage("Y", "A+B+C")),
    _gate("AND2_X1", "AB", "A*B", stage("n", "A*B"), stage("Y", "n")),
    _gate("OR2_X1", "AB", "A+B", stage("n", "A+B"), stage("Y", "n")),
    _gate("AOI21_X1", "ABC", "!(A*B+C)", stage("Y", "A*B+C")),
    _gate("OAI21_X1", "ABC", "!((A+B)*C)", stage("Y", "C*(A+B)")),
    _gate("AOI22_X1", "ABCD", "!(A*B+C*D)", stage("Y", "A*B+C*D")),
    _gate("OAI22_X1", "ABCD", "!((A+B)*(C+D))", stage("Y", "(A+B)*(C+D)")),
    _gate("XOR2_X1", "AB", "A^B", stage("n", "A+B"), stage("Y", "n+A*B")),
    _gate("XNOR2_X1", "AB", "!(A^B)", stage("n", "A*B"), stage("Y", "n*(A+B)")),
    _gate(
        "MUX2_X1",
        "ABS",
        "(A*!S)+(B*S)",
        stage("n", "S"),
        stage("m", "A*n + B*S"),
        stage("Y", "m"),
    ),
    CellDescription(
        "HA_X1",
        ("A", "B"),
        {"CO": "A*B", "S": "A^B"},
        (stage("n", "A*B"), stage("CO", "n"), stage("m", "n*(A+B)"), stage("S", "m")),
    ),
    CellDescription(
        "FA_X1",
        ("A", "B", "CI"),
        {"CO": "(A*B)+(A*CI)+(B*CI)", "S": "A^B^CI"},
        (
            stage("n", "CI*(A+B) + A*B", mirrored=True),
            stage("CO", "n"),
            stage("m", "n*(A+B+CI) + CI*A*B", mirrored=True),
            stage("S", "m"),
        ),
    ),
)

FLIP_FLOP_TRANSISTORS = {
    "two inverters for the clock and its inverse": 4,
    "master: clocked inverter": 4,
    "master: inverter": 2,
    "master: clocked inverter that holds": 4,
    "slave: transmission gate": 2,
    "slave: inverter": 2,
    "slave: clocked inverter that holds": 4,
    "output inverter": 2,
}
FLIP_FLOP_LAUNCH = {
    "first clock inverter, which drives the second and half of four clocked pairs": 4,
    "second clock inverter, which drives the other half": 3,
    "master inverter through the transmission gate, which drives the slave and two drains": 6,
    "slave inverter, which drives its holding inverter and the output's": 3,
    "output inverter without load": 1,
}
"""Units of TAU from the clock's edge to the output."""
FLIP_FLOP_SETUP = {
    "clocked inverter of two transistors in series, which drives the master and three drains": 8,
    "master inverter, which drives its holding inverter and the transmission gate": 3,
}
"""Units of TAU that the data must be there before the clock's edge."""
TIE_TRANSISTORS = 2

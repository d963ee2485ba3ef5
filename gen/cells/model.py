"""Area and delay of the built-in library's cells, computed from their transistor networks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from gen.cells.describe import CellDescription, Stage, depth, drains, dual_drains, leaves, width
from gen.functions import truth_table

RISE, FALL = 0, 1


@dataclass(frozen=True)
class Edge:
    """Delay in TAU to one edge: `intrinsic` plus `resistance` for each unit inverter of load."""

    intrinsic: float
    resistance: float


def transistors(cell: CellDescription) -> int:
    """How many transistors of unit width the cell has."""
    return sum(2 * stage.fingers * len(leaves(stage.network)) for stage in cell.stages)


def load(stages: tuple[Stage, ...], node: str) -> int:
    """The input capacitance that a cell's stages put on a node, in unit inverters."""
    return sum(stage.fingers * leaves(stage.network).count(node) for stage in stages)


def resistances(stage: Stage) -> tuple[float, float]:
    """Rising and falling drive resistance in unit inverters: the longest series of transistors."""
    up = depth(stage.network) if stage.mirrored else width(stage.network)
    return up / stage.fingers, depth(stage.network) / stage.fingers


def parasitic(stage: Stage) -> float:
    """The drains at the output in unit inverters, an nMOS counting 1/3 and a pMOS 2/3."""
    up = drains(stage.network) if stage.mirrored else dual_drains(stage.network)
    return stage.fingers * (drains(stage.network) + 2 * up) / 3


def arc(cell: CellDescription, source: str, output: str) -> tuple[Edge, Edge]:
    """The delays (rise, fall) from an input to an output: its slowest way through the stages."""
    arrivals: dict[str, tuple[float, float]] = defaultdict(lambda: (float("-inf"),) * 2)
    arrivals[source] = (0.0, 0.0)
    for stage in cell.stages:
        inputs = [arrivals[name] for name in leaves(stage.network)]
        up, down = resistances(stage)
        charge = parasitic(stage) + load(cell.stages, stage.node)
        arrivals[stage.node] = (
            max(fall for _, fall in inputs) + up * charge,
            max(rise for rise, _ in inputs) + down * charge,
        )
        if stage.node == output:
            break
    return Edge(arrivals[output][RISE], up), Edge(arrivals[output][FALL], down)


def sense(cell: CellDescription, source: str, output: str) -> str:
    """Liberty's timing sense of an output in an input, from the function."""
    table = truth_table(cell.outputs[output], cell.inputs)
    assert table is not None  # The functions name inputs only.
    bit = 1 << cell.inputs.index(source)
    rows = [row for row in range(1 << len(cell.inputs)) if not row & bit]
    changes = {(table >> (row | bit) & 1) - (table >> row & 1) for row in rows}
    if {1, -1} <= changes:
        return "non_unate"
    return "positive_unate" if 1 in changes else "negative_unate"

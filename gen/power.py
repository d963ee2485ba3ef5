"""Power of a mapped netlist: the switching of a gate-level simulation times the library's energies.

Three parts, each as far as the library has it: what cells use inside when a pin switches, by the
tables of ``internal_power``; what it takes to charge the pins on a net, half C V^2 an edge; leakage
by state. Wires and the clock tree are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gen.activity import Gate, Trace
from gen.behaviour import compiled
from gen.delays import FALL, RISE, Delays, Table
from gen.glitches import Network, Node
from gen.liberty import Library
from gen.power_tables import CellPower, Energy, PowerTables
from gen.timing import slews_and_loads

EDGES = RISE, FALL


@dataclass(frozen=True)
class Power:
    """Joules a clock cycle, and watts of leakage.

    `internal`, `switching`: of the cells and of the nets that they drive, for edges between settled
    values; `glitches`: both, for all other edges; `clock`: of flip-flops' clock pins and the net on
    them; `inputs`: of the nets at the other input ports, which who drives them pays.
    `has_internal`, `has_leakage`: whether the library knows of them; else they are 0.
    """

    internal: float
    switching: float
    glitches: float
    clock: float
    inputs: float
    leakage: float
    has_internal: bool
    has_leakage: bool

    @property
    def dynamic(self) -> float:
        """Joules a cycle of the cells, their nets and the clock."""
        return self.internal + self.switching + self.glitches + self.clock


def power(
    library: Library, module: dict, trace: Trace, clock: str = "clk", glitches: bool = True
) -> Power:
    """The power of a flat module that did what `trace` says, with `glitches` or without.

    UsageError without a voltage.
    """
    tables = PowerTables(library, {gate.kind for gate in trace.gates})
    delays = Delays(library)
    slews, loads = slews_and_loads(delays, module)
    extra = Network(delays, trace, slews, loads).extra() if glitches else {}
    clocks = set(module["ports"][clock]["bits"]) if clock in module["ports"] else set()
    meter = _Meter(tables, trace, slews, loads, clocks, extra)
    parts: dict[str, float] = defaultdict(float)
    for gate in trace.gates:
        for name, energy in meter.internal(gate):
            parts[name] += energy * tables.joules
        parts["leakage"] += meter.leakage(gate) * tables.watts
    charge = 0.5 * tables.farads * tables.voltage**2
    driven = {gate.nets.get(pin) for gate in trace.gates for pin in gate.behaviour.outputs}
    for net in sorted({net for net, _ in loads}):
        edges = sum(loads.get((net, edge), 0.0) * meter.count(net, edge) for edge in EDGES)
        part = "clock" if net in clocks else "switching" if net in driven else "inputs"
        parts[part] += edges * charge
        more = sum(loads.get((net, edge), 0.0) * extra.get((net, edge), 0.0) for edge in EDGES)
        parts["glitches"] += more * charge
    return Power(
        internal=parts["internal"],
        switching=parts["switching"],
        glitches=parts["glitches"],
        clock=parts["clock"],
        inputs=parts["inputs"],
        leakage=parts["leakage"],
        has_internal=tables.has_energies,
        has_leakage=tables.has_leakage,
    )


class _Meter:
    """Energies of gates, in the library's units and per cycle."""

    def __init__(
        self,
        tables: PowerTables,
        trace: Trace,
        slews: Mapping[Node, float],
        loads: Mapping[Node, float],
        clocks: set[int],
        extra: Mapping[Node, float],
    ):
        self.tables, self.trace, self.slews, self.loads = tables, trace, slews, loads
        self.clocks, self.extra = clocks, extra
        self.ones, self.samples = trace.ones, trace.samples
        self.seen: dict[Node, int] = {}

    def count(self, net: int | str, edge: int) -> float:
        """How often a net has an edge, per cycle."""
        if net in self.clocks:
            return 1.0
        return self.edges(net, edge).bit_count() / self.samples

    def edges(self, net: int | str, edge: int) -> int:
        """The times at which a net has an edge."""
        if net not in self.trace.values:
            return 0
        if (net, edge) not in self.seen:
            self.seen[net, edge] = (self.trace.falls if edge == FALL else self.trace.rises)(net)
        return self.seen[net, edge]

    def internal(self, gate: Gate) -> Iterator[tuple[str, float]]:
        """What the tables say of every pin's edges, and whether it is the clock's."""
        cell = self.tables.cells[gate.kind]
        for pin, energies in cell.energies.items():
            net = gate.nets.get(pin)
            if net is None or isinstance(net, str):
                continue
            for edge in EDGES:
                if net in self.clocks:
                    yield "clock", self.at_clock(gate, cell, energies, edge)
                    continue
                times, glitches = self.edges(net, edge), self.extra.get((net, edge), 0.0)
                if times or glitches:
                    each = self.at_edge(gate, cell, energies, net, edge, times)
                    yield "internal", each * times.bit_count() / self.samples
                    yield "glitches", each * glitches

    def at_edge(
        self, gate: Gate, cell: CellPower, energies: list[Energy], net: int, edge: int, times: int
    ) -> float:
        """Energy of an edge of a pin, which it has at `times`: the mean of the groups that fit,
        those whose pin has switched and whose condition holds; of all where none fits."""
        total, weight = 0.0, 0
        everything = 0.0
        for energy, states in zip(energies, self.conditions(gate, cell, energies)):
            table = energy.tables[edge]
            if table is None:
                continue
            source = net if energy.pin is None else gate.nets.get(energy.pin, "0")
            value = self.value(table, source, net if energy.pin else None, edge)
            fitting = (times & self.switched(source) & states).bit_count()
            total += fitting * value
            weight += fitting
            everything += value / len(energies)
        return total / weight if weight else everything

    def at_clock(self, gate: Gate, cell: CellPower, energies: list[Energy], edge: int) -> float:
        """Energy a cycle of a clock pin's own edge."""
        total = 0.0
        for energy, states in zip(energies, self.conditions(gate, cell, energies)):
            if (table := energy.tables[edge]) is not None:
                total += table(0.0, 0.0) * states.bit_count() / self.samples
        return total

    def leakage(self, gate: Gate) -> float:
        """Power of leakage, each state as long as it lasted."""
        cell = self.tables.cells[gate.kind]
        total, left = 0.0, 1.0
        for when, value in cell.states:
            share = self.holding(gate, cell, when).bit_count() / self.samples
            total, left = total + share * value, left - share
        return total + max(left, 0.0) * cell.leakage

    def conditions(self, gate: Gate, cell: CellPower, energies: list[Energy]) -> list[int]:
        """When each group holds; one without a condition holds when no other of its pin does."""
        if all(energy.when is None for energy in energies):
            return [self.ones] * len(energies)
        held = [self.ones if e.when is None else self.holding(gate, cell, e.when) for e in energies]
        others: dict[str | None, int] = defaultdict(int)
        for energy, states in zip(energies, held):
            others[energy.pin] |= 0 if energy.when is None else states
        return [
            states & ~others[energy.pin] if energy.when is None else states
            for energy, states in zip(energies, held)
        ]

    def holding(self, gate: Gate, cell: CellPower, when: int) -> int:
        """The times after which a condition on the cell's pins holds; the clock is low then."""
        pins = [self.level(gate.nets.get(pin, "0")) for pin in cell.pins]
        return compiled(when, len(pins))(self.ones, pins)

    def level(self, net: int | str) -> int:
        return self.trace.after(net) if net in self.trace.values else 0

    def switched(self, net: int | str) -> int:
        """The times at which a net changes; a clock always does."""
        if net in self.clocks:
            return self.ones
        return self.edges(net, RISE) | self.edges(net, FALL)

    def value(self, table: Table, source: int | str, output: int | None, edge: int) -> float:
        """A table at the mean slew of the causing net, and at the load of the output, if any."""
        if isinstance(source, str) or source in self.clocks:
            slew = 0.0
        else:
            both = (RISE, FALL) if output is not None else (edge,)
            slew = sum(self.slews.get((source, e), 0.0) for e in both) / len(both)
        load = 0.0 if output is None else self.loads.get((output, edge), 0.0)
        return table(slew, load)

"""Static timing of a mapped netlist: the longest path by the Liberty file's own delay tables.

Graph-based, and pessimistic where paths meet: the latest arrival and the slowest slew go on, rising
and falling edges apart. Wires and the clock are ideal, inputs arrive at time 0 with slew 0, outputs
have no load: what ABC's ``stime`` assumes too. Unlike ABC it sees through adder cells and knows
flip-flops.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from gen.delays import FALL, RISE, Arc, Delays, Timing

Node = tuple[int, int]  # The number of a net, and an edge.


@dataclass(frozen=True)
class Path:
    """A path: its length, the nets where it begins and ends, and the cells along it."""

    nanoseconds: float
    start: str
    end: str
    cells: tuple[str, ...]


def longest_path(delays: Delays, module: dict, registers: bool = True) -> Path | None:
    """The longest path of `module`, a module of Yosys's JSON whose cells are all the library's.

    With `registers` a path out of a flip-flop begins at its clock edge, and one into a flip-flop
    ends with the setup time; without, it lies between their pins, as ABC counts. None when there is
    no path, a combinational loop, or a library without delay tables.
    """
    return _Analysis(delays, module, registers).run()


@dataclass(frozen=True)
class _Instance:
    kind: str
    wires: dict[str, int]
    timing: Timing


class _Analysis:
    """Arrivals and slews of one module's nets."""

    def __init__(self, delays: Delays, module: dict, registers: bool):
        self.unit, self.module, self.registers = delays.nanoseconds, module, registers
        self.arrivals: dict[Node, float] = {}
        self.slews: dict[Node, float] = {}
        self.causes: dict[Node, tuple[Node | None, str]] = {}
        self.loads: dict[Node, float] = defaultdict(float)
        self.instances = []
        for cell in module["cells"].values():
            if not cell["type"].startswith("$"):
                pins = cell["connections"].items()
                wires = {pin: bits[0] for pin, bits in pins if bits and isinstance(bits[0], int)}
                self.instances.append(_Instance(cell["type"], wires, delays[cell["type"]]))
        for instance in self.instances:
            for pin, (rise, fall) in instance.timing.loads.items():
                if pin in instance.wires:
                    self.loads[instance.wires[pin], RISE] += rise
                    self.loads[instance.wires[pin], FALL] += fall

    def run(self) -> Path | None:
        for port in self.module["ports"].values():
            if port["direction"] == "input":
                for bit in port["bits"]:
                    self.arrive((bit, RISE), 0.0, 0.0, None, "")
                    self.arrive((bit, FALL), 0.0, 0.0, None, "")
        for instance in self.instances:
            self.launch(instance)
        try:
            order = list(self.sorted())
        except CycleError:
            return None
        for instance, pin in order:
            for arc in instance.timing.through[pin]:
                self.through(instance, pin, arc)
        ends = [end for end in self.ends() if self.causes[end[1]][1]]
        return self.path(*max(ends)) if ends else None

    def arrive(self, node: Node, time: float, slew: float, cause: Node | None, cell: str) -> None:
        if time > self.arrivals.get(node, -1.0):
            self.arrivals[node] = time
            self.causes[node] = cause, cell
        self.slews[node] = max(slew, self.slews.get(node, 0.0))

    def launch(self, instance: _Instance) -> None:
        """Start at the outputs of a flip-flop."""
        for pin, arcs in instance.timing.launch.items():
            for arc in arcs:
                for edge in (RISE, FALL) if pin in instance.wires else ():
                    node = instance.wires[pin], edge
                    table, slews = arc.times[edge], arc.slews[edge]
                    if not self.registers:
                        self.arrive(node, 0.0, 0.0, None, "")
                    elif table and slews:
                        load = self.loads[node]
                        self.arrive(node, table(0.0, load), slews(0.0, load), None, instance.kind)

    def sorted(self) -> Iterator[tuple[_Instance, str]]:
        """The combinational outputs, each after what it depends on."""
        drivers: dict[int, tuple[_Instance, str]] = {}
        graph: dict[int, set[int]] = {}
        for instance in self.instances:
            for pin, arcs in instance.timing.through.items():
                if pin in instance.wires:
                    net = instance.wires[pin]
                    drivers[net] = instance, pin
                    graph[net] = {
                        instance.wires[arc.pin] for arc in arcs if arc.pin in instance.wires
                    }
        return (drivers[net] for net in TopologicalSorter(graph).static_order() if net in drivers)

    def through(self, instance: _Instance, pin: str, arc: Arc) -> None:
        source, net = instance.wires.get(arc.pin, -1), instance.wires[pin]
        for edge in (RISE, FALL):
            table, slews = arc.times[edge], arc.slews[edge]
            if table is None or slews is None:
                continue
            load = self.loads[net, edge]
            for cause in arc.causes(edge):
                node = source, cause
                if node in self.arrivals:
                    slew = self.slews[node]
                    time = self.arrivals[node] + table(slew, load)
                    self.arrive((net, edge), time, slews(slew, load), node, instance.kind)

    def ends(self) -> Iterator[tuple[float, Node, int]]:
        """Time, node and the net to name it by, which for a flip-flop is its output."""
        for port in self.module["ports"].values():
            if port["direction"] == "output":
                for node in ((bit, edge) for bit in port["bits"] for edge in (RISE, FALL)):
                    if node in self.arrivals:
                        yield self.arrivals[node], node, node[0]
        for instance in self.instances:
            wires = instance.wires
            outputs = [wires[pin] for pin in instance.timing.launch if pin in wires]
            for pin, arcs in instance.timing.setup.items():
                for node in ((wires.get(pin, -1), edge) for edge in (RISE, FALL)):
                    if node in self.arrivals:
                        tables = [table for arc in arcs if (table := arc.times[node[1]])]
                        times = (
                            [table(self.slews[node], 0.0) for table in tables]
                            if self.registers
                            else []
                        )
                        time = self.arrivals[node] + max(times, default=0.0)
                        yield time, node, (outputs or [node[0]])[0]

    def path(self, time: float, node: Node | None, end: int) -> Path:
        cells: list[str] = []
        while node is not None:
            start = node
            node, cell = self.causes[node]
            cells += [cell] if cell else []
        names = self.names()
        cells.reverse()
        return Path(time * self.unit, names.get(start[0], "?"), names.get(end, "?"), tuple(cells))

    def names(self) -> dict[int, str]:
        """A readable name for each net that has one."""
        names: dict[int, str] = {}
        for name, net in self.module["netnames"].items():
            for i, bit in enumerate(net["bits"]):
                label = f"{name}[{i}]" if len(net["bits"]) > 1 else name
                if not net["hide_name"] and len(label) < len(names.get(bit, label + "?")):
                    names[bit] = label
        return names

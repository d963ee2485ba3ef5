"""Static timing of a mapped netlist: the longest path by the Liberty file's own delay tables.

Graph-based, and pessimistic where paths meet: the latest arrival and the slowest slew go on, rising
and falling edges apart. Wires and the clock are ideal, inputs arrive at time 0 with slew 0, outputs
have no load: what ABC's ``stime`` assumes too. Unlike ABC it sees through adder cells and knows
flip-flops.

A netlist with a hierarchy has the path that it has when flattened. A module is analysed once for
all its instances whose inputs arrive alike and whose outputs drive alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError
from typing import NamedTuple

from gen.delays import FALL, RISE, Arc, Delays
from gen.timing_graph import Block, Graph, Instance, Node, Passage

Moment = tuple[float, float] | None  # Time and slew, None for never.
Edges = tuple[Moment, Moment]  # Rising and falling.
Loads = tuple[float, float]

_FREE: Edges = ((0.0, 0.0), (0.0, 0.0))
_NEVER: Edges = (None, None)


@dataclass(frozen=True)
class Path:
    """A path: its length, the nets where it begins and ends, and the cells along it."""

    nanoseconds: float
    start: str
    end: str
    cells: tuple[str, ...]


def longest_path(
    delays: Delays,
    module: dict,
    registers: bool = True,
    modules: Mapping[str, dict] | None = None,
) -> Path | None:
    """The longest path of `module`, a module of Yosys's JSON; `modules`: those it may instantiate.

    With `registers` a path out of a flip-flop begins at its clock edge, and one into a flip-flop
    ends with the setup time; without, it lies between their pins, as ABC counts. None when there is
    no path, a combinational loop, or a library without delay tables.
    """
    try:
        graph = graph_of(delays, module, modules or {}, {})
    except CycleError:
        return None
    inputs, loads = [_FREE] * len(graph.inputs), [(0.0, 0.0)] * len(graph.outputs)
    analysis = _Analysis(graph, inputs, loads, registers, {})
    ends = [end for end in (*analysis.outputs(), *analysis.ends()) if end.route.cells]
    if not ends:
        return None
    end = max(ends, key=lambda each: each.time)
    origin = end.route.origin
    start = analysis.name(graph.inputs[origin[0]]) if origin else end.route.start
    return Path(end.time * delays.nanoseconds, start, end.name, end.route.cells)


def graph_of(
    delays: Delays, module: dict, modules: Mapping[str, dict], done: dict[str, Graph]
) -> Graph:
    """The graph of `module`; those of the modules below it are made once, in `done`."""
    for cell in module["cells"].values():
        kind = cell["type"]
        if kind in modules and kind not in done:
            done[kind] = graph_of(delays, modules[kind], modules, done)
    return Graph(delays, module, done)


class _Route(NamedTuple):
    """How an edge came about: the cells on its way, and where that began.

    `origin`: the index of an input and its edge; None for what began inside, at the net `start`.
    """

    origin: tuple[int, int] | None
    start: str
    cells: tuple[str, ...]


class _End(NamedTuple):
    time: float
    route: _Route
    name: str


class _Result(NamedTuple):
    """What one module makes of its inputs: times, slews and routes of its outputs by index and
    edge, and its latest end at a flip-flop."""

    outputs: dict[Node, tuple[float, float, _Route]]
    end: _End | None


class _Analysis:
    """Arrivals and slews of one module's nets, for given inputs and loads of its outputs."""

    def __init__(
        self,
        graph: Graph,
        inputs: list[Edges],
        loads: list[Loads],
        registers: bool,
        memory: dict[tuple, _Result],
    ):
        self.graph, self.registers, self.memory = graph, registers, memory
        self.arrivals: dict[Node, float] = {}
        self.slews: dict[Node, float] = {}
        self.causes: dict[Node, tuple[Node | None, str, tuple[str, ...]]] = {}
        self.origins: dict[Node, tuple[int, int]] = {}
        self.loads = dict(graph.loads)
        for net, load in zip(graph.outputs, loads, strict=True):
            for edge in (RISE, FALL) if net is not None else ():
                self.loads[net, edge] = self.loads.get((net, edge), 0.0) + load[edge]
        for i, (net, edges) in enumerate(zip(graph.inputs, inputs, strict=True)):
            for edge, moment in enumerate(edges):
                if net is not None and moment is not None:
                    self.origins[net, edge] = i, edge
                    self.arrive((net, edge), *moment, None)
        for instance in graph.instances:
            self.launch(instance)
        for item in graph.order:
            if isinstance(item, Passage):
                self.pass_block(item)
            else:
                instance, pin = item
                for arc in instance.timing.through[pin]:
                    self.pass_arc(instance, pin, arc)

    def arrive(
        self,
        node: Node,
        time: float,
        slew: float,
        cause: Node | None,
        start: str = "",
        cells: tuple[str, ...] = (),
    ) -> None:
        if time > self.arrivals.get(node, -1.0):
            self.arrivals[node] = time
            self.causes[node] = cause, start, cells
        self.slews[node] = max(slew, self.slews.get(node, 0.0))

    def launch(self, instance: Instance) -> None:
        """Start at the outputs of a flip-flop."""
        for pin, arcs in instance.timing.launch.items():
            for arc in arcs:
                for edge in (RISE, FALL) if pin in instance.wires else ():
                    node = instance.wires[pin], edge
                    table, slews = arc.times[edge], arc.slews[edge]
                    if not self.registers:
                        self.arrive(node, 0.0, 0.0, None)
                    elif table and slews:
                        load = self.loads.get(node, 0.0)
                        time, slew = table(0.0, load), slews(0.0, load)
                        self.arrive(node, time, slew, None, cells=(instance.kind,))

    def pass_arc(self, instance: Instance, pin: str, arc: Arc) -> None:
        source, net = instance.wires.get(arc.pin, -1), instance.wires[pin]
        for edge in (RISE, FALL):
            table, slews = arc.times[edge], arc.slews[edge]
            if table is None or slews is None:
                continue
            load = self.loads.get((net, edge), 0.0)
            for cause in arc.causes(edge):
                node = source, cause
                if node in self.arrivals:
                    slew, time = self.slews[node], self.arrivals[node]
                    time, slew = time + table(slew, load), slews(slew, load)
                    self.arrive((net, edge), time, slew, node, cells=(instance.kind,))

    def pass_block(self, passage: Passage) -> None:
        block = passage.block
        result = self.result(block, passage.known)
        for i, net in passage.outputs:
            for edge in (RISE, FALL):
                if (i, edge) in result.outputs:
                    time, slew, route = result.outputs[i, edge]
                    start = f"{block.name}.{route.start}"
                    self.arrive(
                        (net, edge), time, slew, self.cause(block, route), start, route.cells
                    )

    def cause(self, block: Block, route: _Route) -> Node | None:
        """Where a route inside a block began outside of it."""
        if route.origin is None:
            return None
        index, edge = route.origin
        net = block.inputs[index]
        return None if net is None else (net, edge)

    def result(self, block: Block, known: frozenset[int] | range) -> _Result:
        """What a block makes of those inputs that are `known` yet."""
        inputs: list[Edges] = [
            (self.moment(net, RISE), self.moment(net, FALL)) if i in known else _NEVER
            for i, net in enumerate(block.inputs)
        ]
        loads = [(0.0, 0.0)] * len(block.outputs)
        for i, net in block.driven():
            loads[i] = self.loads.get((net, RISE), 0.0), self.loads.get((net, FALL), 0.0)
        key = id(block.graph), tuple(inputs), tuple(loads)
        if key not in self.memory:
            inner = _Analysis(block.graph, inputs, loads, self.registers, self.memory)
            outputs = {}
            for i, net in enumerate(block.graph.outputs):
                for node in ((net, RISE), (net, FALL)) if net is not None else ():
                    if node in inner.arrivals:
                        route = inner.route(node)
                        outputs[i, node[1]] = inner.arrivals[node], inner.slews[node], route
            end = max(inner.ends(), key=lambda each: each.time, default=None)
            self.memory[key] = _Result(outputs, end)
        return self.memory[key]

    def moment(self, net: int | None, edge: int) -> Moment:
        if net is None or (net, edge) not in self.arrivals:
            return None
        return self.arrivals[net, edge], self.slews[net, edge]

    def outputs(self) -> Iterator[_End]:
        """The ends at the module's own outputs."""
        for net in self.graph.outputs:
            for node in ((net, RISE), (net, FALL)) if net is not None else ():
                if node in self.arrivals:
                    yield _End(self.arrivals[node], self.route(node), self.name(net))

    def ends(self) -> Iterator[_End]:
        """The ends at flip-flops, named by their outputs, and the latest of each block."""
        late = max(self.late(), default=None)
        if late is not None:
            time, node, net = late
            yield _End(time, self.route(node), self.name(net))
        for block in self.graph.blocks:
            end = self.result(block, range(len(block.inputs))).end
            if end is not None:
                cause = self.cause(block, end.route)
                before = (
                    self.route(cause)
                    if cause
                    else _Route(None, f"{block.name}.{end.route.start}", ())
                )
                route = before._replace(cells=before.cells + end.route.cells)
                yield _End(end.time, route, f"{block.name}.{end.name}")

    def late(self) -> Iterator[tuple[float, Node, int]]:
        """Time, node and the net to name it by, of the module's own flip-flops' inputs."""
        for instance in self.graph.instances:
            wires = instance.wires
            outputs = [wires[pin] for pin in instance.timing.launch if pin in wires]
            for pin, arcs in instance.timing.setup.items():
                for node in ((wires.get(pin, -1), edge) for edge in (RISE, FALL)):
                    if node in self.arrivals:
                        tables = [table for arc in arcs if (table := arc.times[node[1]])]
                        slew = self.slews[node]
                        setup = (table(slew, 0.0) for table in tables if self.registers)
                        time = self.arrivals[node] + max(setup, default=0.0)
                        yield time, node, (outputs or [node[0]])[0]

    def route(self, node: Node) -> _Route:
        """The way back from a node to where it began."""
        parts: list[tuple[str, ...]] = []
        while True:
            cause, start, cells = self.causes[node]
            parts.append(cells)
            if cause is None:
                break
            node = cause
        way = tuple(cell for cells in reversed(parts) for cell in cells)
        origin = self.origins.get(node)
        return _Route(origin, start or self.name(node[0]), way)

    def name(self, net: int | None) -> str:
        return self.graph.names.get(net, "?") if net is not None else "?"


def slews_and_loads(delays: Delays, module: dict) -> tuple[dict, dict]:
    """The slowest slew and the load of every net and edge of a flat module, in the library's units.

    CycleError for a combinational loop.
    """
    graph = graph_of(delays, module, {}, {})
    inputs, loads = [_FREE] * len(graph.inputs), [(0.0, 0.0)] * len(graph.outputs)
    analysis = _Analysis(graph, inputs, loads, True, {})
    return analysis.slews, analysis.loads

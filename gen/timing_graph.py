"""The part of static timing that arrivals do not change: who drives what, loads, an order.

A mapped netlist may have a hierarchy: a module that others instantiate is a :class:`Graph` of its
own, made once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter

from gen.delays import FALL, RISE, Delays, Timing

Node = tuple[int, int]  # The number of a net, and an edge.
Net = int | None  # None for a constant, or a pin that is not connected.


@dataclass(frozen=True)
class Instance:
    """A cell of the library; ``wires``: its pins' nets."""

    kind: str
    wires: dict[str, int]
    timing: Timing


@dataclass(frozen=True)
class Block:
    """An instance of another module; ``inputs``, ``outputs``: the nets at its ports' bits."""

    name: str
    graph: Graph
    inputs: list[Net]
    outputs: list[Net]

    def driven(self) -> Iterator[tuple[int, int]]:
        """The outputs that are not wired to an input, by index, and their nets."""
        for i, net in enumerate(self.outputs):
            if net is not None and self.graph.outputs[i] not in self.graph.fed:
                yield i, net


@dataclass(frozen=True)
class Passage:
    """What a block's ``outputs`` (index, net) are, given the inputs of the indices ``known``."""

    block: Block
    known: frozenset[int]
    outputs: list[tuple[int, int]]


Step = tuple[Instance, str] | Passage


class Graph:
    """One module: ``order`` has its cells' outputs and its blocks, each after what it needs.

    ``inputs``, ``outputs``: the nets of its ports, bit by bit; ``loads``: what its own pins put on
    each net, rising and falling; ``through``: indices of the inputs that reach an output without a
    flip-flop; ``reached``: those outputs. CycleError for a combinational loop, and for one through
    a block that only its inner paths would tell apart.
    """

    def __init__(self, delays: Delays, module: dict, graphs: Mapping[str, Graph]):
        self.module = module
        self.inputs, self.outputs = self._ports("input"), self._ports("output")
        self._alias: dict[int, int] = {}
        self._join_feedthroughs(graphs)
        self.inputs, self.outputs = map(self._nets, (self.inputs, self.outputs))
        self.fed = {net for net in self.inputs if net is not None}
        self.instances: list[Instance] = []
        self.blocks: list[Block] = []
        for name, cell in module["cells"].items():
            pins, kind = cell["connections"], cell["type"]
            if kind in graphs:
                ends = [self._nets(graphs[kind].bits(pins, way)) for way in ("input", "output")]
                self.blocks.append(Block(name, graphs[kind], *ends))
            elif not kind.startswith("$"):
                nets = {pin: self._nets(bits)[0] for pin, bits in pins.items() if bits}
                wires = {pin: net for pin, net in nets.items() if net is not None}
                self.instances.append(Instance(kind, wires, delays[kind]))
        self.loads: dict[Node, float] = defaultdict(float)
        for net, loads in self._pin_loads():
            for edge in (RISE, FALL):
                self.loads[net, edge] += loads[edge]
        self.order = list(self._sorted())
        self.through, self.reached = self._through()

    def bits(self, ports: Mapping[str, list], way: str) -> list:
        """The bits that ``ports`` have at the module's ports of one direction, in their order."""
        found = []
        for name, port in self.module["ports"].items():
            if port["direction"] == way:
                found += ports.get(name) or [None] * len(port["bits"])
        return found

    def input_loads(self) -> Iterator[tuple[int, tuple[float, float]]]:
        """What the module puts on the net at each input, by the input's index."""
        for i, net in enumerate(self.inputs):
            if net is not None:
                yield i, (self.loads[net, RISE], self.loads[net, FALL])

    def _ports(self, way: str) -> list:
        return self.bits({n: p["bits"] for n, p in self.module["ports"].items()}, way)

    def _nets(self, bits: list) -> list[Net]:
        same = (self._alias.get(bit, bit) for bit in bits)
        return [bit if isinstance(bit, int) else None for bit in same]

    def _join_feedthroughs(self, graphs: Mapping[str, Graph]) -> None:
        """An output that is wired to an input of the same block is one net on the outside too."""
        joined = {}
        for cell in self.module["cells"].values():
            graph = graphs.get(cell["type"])
            if graph is not None:
                pins = cell["connections"]
                outside = dict(zip(graph.inputs, graph.bits(pins, "input")))
                for net, bit in zip(graph.outputs, graph.bits(pins, "output")):
                    if net in outside and net is not None and isinstance(bit, int):
                        joined[bit] = outside[net]
        for bit in joined:
            end = bit
            while end in joined:
                end = joined[end]
            self._alias[bit] = end

    def _pin_loads(self) -> Iterator[tuple[int, tuple[float, float]]]:
        for instance in self.instances:
            for pin, loads in instance.timing.loads.items():
                if pin in instance.wires:
                    yield instance.wires[pin], loads
        for block in self.blocks:
            for i, loads in block.graph.input_loads():
                net = block.inputs[i]
                if net is not None:
                    yield net, loads

    def _dependencies(self) -> Iterator[tuple[Step, set[int], list[int]]]:
        """Each step, with the nets that it needs and those it drives."""
        for instance in self.instances:
            wires = instance.wires
            for pin, arcs in instance.timing.through.items():
                if pin in wires:
                    needs = {wires[arc.pin] for arc in arcs if arc.pin in wires}
                    yield (instance, pin), needs, [wires[pin]]
        for block in self.blocks:
            for known in dict.fromkeys((frozenset[int](), block.graph.through)):
                outputs = [
                    (i, net)
                    for i, net in block.driven()
                    if (i in block.graph.reached) == bool(known)
                ]
                needs = {net for i in known if (net := block.inputs[i]) is not None}
                yield Passage(block, known, outputs), needs, [net for _, net in outputs]

    def _sorted(self) -> Iterator[Step]:
        items, needed = [], []
        drivers: dict[int, int] = {}
        for number, (item, needs, driven) in enumerate(self._dependencies()):
            items.append(item)
            needed.append(needs)
            drivers |= dict.fromkeys(driven, number)
        edges = {
            number: [drivers[net] for net in needs if net in drivers]
            for number, needs in enumerate(needed)
        }
        return (items[number] for number in TopologicalSorter(edges).static_order())

    def _through(self) -> tuple[frozenset[int], frozenset[int]]:
        """Forwards from the inputs, and backwards from the outputs that this reaches."""
        sources: dict[int, set[int]] = defaultdict(set)
        uses: dict[int, set[int]] = defaultdict(set)
        for _, needed, driven in self._dependencies():
            for net in driven:
                sources[net] |= needed
            for net in needed:
                uses[net].update(driven)
        after = _closure(uses, self.fed)
        outputs = {i: net for i, net in enumerate(self.outputs) if net not in self.fed}
        reached = frozenset(i for i, net in outputs.items() if net in after)
        before = _closure(sources, {outputs[i] for i in reached})
        return frozenset(i for i, net in enumerate(self.inputs) if net in before), reached

    @cached_property
    def names(self) -> dict[int, str]:
        """A readable name for each net that has one."""
        names: dict[int, str] = {}
        for name, net in self.module["netnames"].items():
            for i, bit in enumerate(net["bits"]):
                label = f"{name}[{i}]" if len(net["bits"]) > 1 else name
                if not net["hide_name"] and len(label) < len(names.get(bit, label + "?")):
                    names[bit] = label
        return names


def _closure(edges: Mapping[int, set[int]], start: set[int]) -> set[int]:
    """The nets that edges lead to from ``start``, itself included."""
    found: set[int] = set()
    waiting = list(start)
    while waiting:
        net = waiting.pop()
        if net not in found:
            found.add(net)
            waiting += edges.get(net, ())
    return found

"""Glitches: the edges of a mapped netlist between settled values, by a simulation with delays.

Every cell's output has one inertial delay, the mean of its arcs' at their slews and its load, in
whole ticks of a fraction of the mean delay: it takes a new value when its inputs have asked for it
that long, so that shorter pulses vanish. Flip-flops answer after their delay, input ports at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from gen.activity import Gate, Trace
from gen.behaviour import compiled
from gen.delays import FALL, RISE, Delays

STEPS = 2
"""Steps that are simulated, spread evenly over the trace's."""
TICKS = 10
"""Ticks in the mean delay; with three times as many glitches change by a few percent."""

Node = tuple[int | str | None, int]
"""A net and an edge."""


@dataclass(frozen=True)
class Element:
    """One output of a combinational cell: the nets it depends on, its own net, delay in ticks."""

    gate: Gate
    pin: str
    inputs: list[int | str]
    net: int | str
    delay: int
    function: Callable[[int, list[int]], int]


class Network:
    """A trace's gates with delays; ``launches``: those of the nets of flip-flops.

    `slews`, `loads`: by net and edge, as :func:`gen.timing.slews_and_loads` gives them.
    """

    def __init__(
        self,
        delays: Delays,
        trace: Trace,
        slews: Mapping[Node, float],
        loads: Mapping[Node, float],
    ):
        self.trace = trace
        outputs = [
            (gate, pin, gate.nets[pin], _delay(delays, gate, pin, slews, loads))
            for gate in trace.gates
            for pin in gate.behaviour.outputs
            if pin in gate.nets
        ]
        tick = sum(delay for *_, delay in outputs) / max(len(outputs), 1) / TICKS
        self.elements: list[Element] = []
        self.launches: dict[int | str, int] = {}
        self.sinks: dict[int | str, list[int]] = defaultdict(list)
        for gate, pin, net, delay in outputs:
            ticks = max(1, round(delay / tick)) if tick else 1
            if gate.behaviour.states:
                self.launches[net] = ticks
                continue
            inputs = [gate.nets.get(name, "0") for name in gate.behaviour.inputs]
            function = compiled(gate.behaviour.outputs[pin], len(inputs))
            for source in set(inputs):
                self.sinks[source].append(len(self.elements))
            self.elements.append(Element(gate, pin, inputs, net, ticks, function))
        driven = {element.net for element in self.elements}
        self.sources = [net for net in trace.values if net not in driven]

    def extra(self) -> dict[Node, float]:
        """Edges of each net a cycle beyond those between settled values, rising and falling."""
        trace = self.trace
        apart = max(1, (trace.cycles - 1) // STEPS)
        times = range(1, trace.cycles, apart)[:STEPS]
        found: Counter[Node] = Counter()
        for time in times:
            found.update(self.edges(time))
        samples = trace.lanes * max(len(times), 1)
        return {node: count / samples for node, count in found.items()}

    def edges(self, time: int) -> Counter[Node]:
        """Edges of each net in one cycle of the trace, less the settled ones, over all lanes."""
        trace, sinks, mask = self.trace, self.sinks, self.trace.mask
        now = {net: trace.at(net, time - 1) for net in trace.values}
        works = [(each.function, each.inputs, each.delay) for each in self.elements]
        nets = [element.net for element in self.elements]
        wanted = [now[net] for net in nets]
        asked: list[list[tuple[int, int]]] = [[] for _ in self.elements]
        sources: dict[int, list[tuple[int | str, int]]] = defaultdict(list)
        due: dict[int, list[int]] = defaultdict(list)
        for net in self.sources:
            if (value := trace.at(net, time)) != now[net]:
                sources[self.launches.get(net, 0)].append((net, value))
        found: Counter[Node] = Counter()
        moments = list(sources)
        heapify(moments)
        known = set(moments)
        while moments:
            moment = heappop(moments)
            touched: set[int] = set()
            for net, value in sources.pop(moment, ()):
                now[net] = value
                touched.update(sinks[net])
            for i in due.pop(moment, ()):
                net = nets[i]
                settled = asked[i].pop(0)[1]
                for _, changed in asked[i]:
                    settled &= ~changed
                value = now[net] & ~settled | wanted[i] & settled
                if value != now[net]:
                    found[net, RISE] += (value & ~now[net]).bit_count()
                    found[net, FALL] += (now[net] & ~value).bit_count()
                    now[net] = value
                    touched.update(sinks[net])
            for i in touched:
                function, inputs, delay = works[i]
                value = function(mask, [now[net] for net in inputs])
                if changed := value ^ wanted[i]:
                    wanted[i] = value
                    asked[i].append((moment, changed))
                    end = moment + delay
                    due[end].append(i)
                    if end not in known:
                        known.add(end)
                        heappush(moments, end)
        for net in nets:
            before, after = trace.at(net, time - 1), trace.at(net, time)
            assert now[net] == after, "delays must not change what is settled"
            found[net, RISE] -= (after & ~before).bit_count()
            found[net, FALL] -= (before & ~after).bit_count()
        return found


def _delay(
    delays: Delays,
    gate: Gate,
    pin: str,
    slews: Mapping[Node, float],
    loads: Mapping[Node, float],
) -> float:
    """The mean delay of the arcs that end at an output, in the library's unit."""
    timing, net = delays[gate.kind], gate.nets[pin]
    found = []
    for arc in timing.through.get(pin) or timing.launch.get(pin) or ():
        source = gate.nets.get(arc.pin)
        for edge in (RISE, FALL):
            if (table := arc.times[edge]) is not None:
                known = [slews[source, e] for e in arc.causes(edge) if (source, e) in slews]
                slew = sum(known) / len(known) if known else 0.0
                found.append(table(slew, loads.get((net, edge), 0.0)))
    return sum(found) / len(found) if found else 0.0

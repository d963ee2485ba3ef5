"""Gate-level simulation for switching: many independent streams at once, a bit of an integer each.

Cycle by cycle and without delays, so that a net changes at most once a cycle; :mod:`gen.glitches`
has what delays add.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from gen.behaviour import Behaviour, behaviour
from gen.errors import UsageError
from gen.functions import expression
from gen.liberty import Library


@dataclass(frozen=True)
class Gate:
    """An instance of a cell; ``nets``: of its pins, an integer, or a constant's text."""

    kind: str
    behaviour: Behaviour
    nets: dict[str, int | str]


@dataclass(frozen=True)
class Trace:
    """What the nets of a module did in the cycles after `skipped` ones.

    ``values``: by net, ``cycles`` times ``lanes`` bits, the first cycle in the low ones.
    """

    gates: list[Gate]
    values: dict[int | str, int]
    lanes: int
    cycles: int

    @property
    def samples(self) -> int:
        """How many times a net could change."""
        return self.lanes * (self.cycles - 1)

    @property
    def ones(self) -> int:
        """A bit for each of these."""
        return (1 << self.samples) - 1

    @property
    def toggles(self) -> float:
        """Edges of a net a cycle, in the mean over all."""
        nets = [net for net in self.values if not isinstance(net, str)]
        edges = sum((self.before(net) ^ self.after(net)).bit_count() for net in nets)
        return edges / self.samples / max(len(nets), 1)

    @property
    def mask(self) -> int:
        """A bit for each lane."""
        return (1 << self.lanes) - 1

    def at(self, net: int | str, cycle: int) -> int:
        """The net's value in one cycle."""
        return self.values[net] >> cycle * self.lanes & self.mask

    def before(self, net: int | str) -> int:
        """The net's value before each time, and `after` it."""
        return self.values[net] & self.ones

    def after(self, net: int | str) -> int:
        """The net's value after each time that it could change."""
        return self.values[net] >> self.lanes

    def rises(self, net: int | str) -> int:
        """The times at which the net rises."""
        return self.after(net) & ~self.before(net)

    def falls(self, net: int | str) -> int:
        """The times at which the net falls."""
        return self.before(net) & ~self.after(net)


def simulate(
    library: Library,
    module: dict,
    inputs: Mapping[str, list[list[int]]],
    lanes: int,
    skipped: int,
    clock: str = "clk",
) -> Trace:
    """Run a flat mapped module; `inputs`: the bits of its ports by cycle, as in gen.stimuli.

    All flip-flops start at 0 and store every cycle; the clock itself is no net of the trace.
    UsageError for cells without a behaviour and combinational loops.
    """
    gates = [
        Gate(
            cell["type"],
            behaviour(library, cell["type"]),
            {pin: bits[0] for pin, bits in cell["connections"].items() if bits},
        )
        for cell in module["cells"].values()
        if cell["type"] in library.cells
    ]
    clocks = set(module["ports"][clock]["bits"]) if clock in module["ports"] else set()
    ports = [
        (name, i, bit)
        for name, port in module["ports"].items()
        if port["direction"] == "input" and name != clock
        for i, bit in enumerate(port["bits"])
    ]
    step, nets = _compile(gates, [bit for _, _, bit in ports], clocks)
    states = [0] * sum(bool(gate.behaviour.states) for gate in gates)
    mask = (1 << lanes) - 1
    cycles = min((len(bits[0]) for bits in inputs.values()), default=0)
    seen: list[list[int]] = [[] for _ in nets]
    for t in range(cycles):
        values, states = step(mask, [inputs[name][i][t] for name, i, _ in ports], states)
        if t >= skipped:
            for column, value in zip(seen, values):
                column.append(value)
    octets = lanes // 8
    joined = {
        net: int.from_bytes(b"".join(v.to_bytes(octets, "little") for v in column), "little")
        for net, column in zip(nets, seen)
    }
    kept = cycles - skipped
    full = (1 << lanes * kept) - 1
    constants: dict[int | str, int] = {"0": 0, "1": full, "x": 0, "z": 0}
    return Trace(gates, constants | joined, lanes, kept)


def _compile(
    gates: list[Gate], ports: list[int], clocks: set[int]
) -> tuple[Callable[[int, list[int], list[int]], tuple[list[int], list[int]]], list[int | str]]:
    """A function of mask, port bits and states to nets' values and next states; and the nets."""
    names: dict[int | str, str] = {"0": "0", "1": "M", "x": "0", "z": "0"}
    names |= dict.fromkeys(clocks, "0")
    names |= {net: f"n{net}" for net in ports}
    loads = [f"n{net}" for net in ports]
    lines: list[str] = []
    following: list[str] = []
    states: list[str] = []
    drivers: dict[int | str, tuple[Gate, int]] = {}
    for gate in gates:
        for pin, table in gate.behaviour.outputs.items():
            if pin in gate.nets:
                drivers[gate.nets[pin]] = gate, table
    names |= {net: f"n{net}" for net in drivers}

    def text(gate: Gate, table: int, state: str) -> str:
        words = [names.get(gate.nets.get(pin, "0"), "0") for pin in gate.behaviour.inputs]
        if gate.behaviour.states:
            words += [state, f"(M ^ {state})"]
        found = expression(table, words, "(M ^ {})")
        return {"1'b0": "0", "1'b1": "M"}.get(found, found)

    order: dict[int | str, set] = {}
    for gate in gates:
        if gate.behaviour.states:
            state = f"s{len(states)}"
            states.append(state)
            for pin, table in gate.behaviour.outputs.items():
                if pin in gate.nets:
                    lines.append(f"  {names[gate.nets[pin]]} = {text(gate, table, state)}")
            each = gate.behaviour
            stored = text(gate, each.following, state)
            if each.preset:
                stored = f"({text(gate, each.preset, state)} | {stored})"
            if each.clear:
                stored = f"((M ^ {text(gate, each.clear, state)}) & {stored})"
            following.append(stored)
    for net, (gate, _) in drivers.items():
        if not gate.behaviour.states:
            order[net] = {
                n for pin in gate.behaviour.inputs if (n := gate.nets.get(pin)) in drivers
            }
    try:
        for net in TopologicalSorter(order).static_order():
            if net in order:
                gate, table = drivers[net]
                lines.append(f"  {names[net]} = {text(gate, table, '')}")
    except CycleError:
        raise UsageError("POWER must be asked of a netlist without combinational loops") from None
    nets = [*ports, *drivers]
    shown = ", ".join(names[net] for net in nets)
    source = [
        "def step(M, ports, states):",
        f"  [{', '.join(loads)}] = ports",
        f"  [{', '.join(states)}] = states",
        *lines,
        f"  return [{shown}], [{', '.join(following)}]",
    ]
    space: dict = {}
    exec("\n".join(source), space)
    return space["step"], nets

"""Which full adders of a netlist work on complements, where a library's adder inverts an output.

A full adder of complements gives complements, so where adders of both kinds alternate no inverter
is needed between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from gen.adders import Adder, kind

INVERTER = 0.75
"""Gate equivalents of an inverter, as in sg13g2."""
LEANS = {"$_OR_": 0.5, "$_AND_": 0.125, "$_NOT_": -0.5}
"""Gate equivalents that the complement of a gate's output saves over the output, an or being one of
ands mostly; as tried on tiles of sg13g2."""
OTHER_LEAN = -0.5
"""The same of ports, flip-flops and adders with a constant input."""
CONSTANTS = frozenset("01xz")
GATE_OUTPUTS = ("Y", "s", "co")
CHOOSING = frozenset(("$_AND_", "$_OR_", "$_MUX_"))
"""Gates whose size depends on their inputs' polarity, as an exclusive or's does not."""


def assign_polarities(module: dict, adder: Adder) -> None:
    """Give the cells ``full_adder`` of a module, as Yosys's JSON has it, the types that they need.

    A sum of which there are both polarities has the one that its readers want. Adders with a
    constant input, which become gates, are left as they are.
    """
    heap = _Heap(module, adder)
    for name, is_complement in heap.settled().items():
        wanted = heap.wanted_of_sum(heap.ports[name].get("s"))
        is_other = bool(adder.other) and is_complement ^ adder.is_sum_inverted not in wanted
        module["cells"][name]["type"] = kind(is_complement, is_other)


class _Heap:
    """The full adders of a module: the nets at their ports, and what reads and drives a net."""

    def __init__(self, module: dict, adder: Adder):
        self._adder = adder
        self.ports: dict[str, dict[str, int]] = {}
        self._cells = module["cells"]
        self._readers: dict[int | None, list[str | None]] = defaultdict(list)
        self._drivers: dict[int, tuple[str, str]] = {}
        self._gates: dict[int, str] = {}
        for port in module.get("ports", {}).values():
            for net in port["bits"]:
                self._readers[net].append(None)
        for name, cell in self._cells.items():
            nets = {port: bits[0] for port, bits in cell["connections"].items() if bits}
            for port in cell["connections"].keys() - set(GATE_OUTPUTS):
                for net in cell["connections"][port]:
                    self._readers[net].append(name)
            is_adder = cell["type"] == "full_adder" and nets.keys() >= set("abc")
            if is_adder and not CONSTANTS & set(nets.values()):
                self.ports[name] = nets
                self._drivers |= {nets[port]: (name, port) for port in ("s", "co") if port in nets}
            elif cell["type"] == "half_adder" or cell["type"].startswith("$_"):
                self._gates |= {nets[port]: cell["type"] for port in GATE_OUTPUTS if port in nets}
        self._is_complement: dict[str, bool] = {}

    def settled(self) -> dict[str, bool]:
        """Whether each adder works on complements.

        Every second one on a path does, the first ones too, or none where adders form a loop. Then
        those change for which that takes fewer inverters, by an estimate, until none does.
        """
        before = {
            name: [self._drivers[nets[port]][0] for port in "abc" if nets[port] in self._drivers]
            for name, nets in self.ports.items()
        }
        depths: dict[str, int] = {}
        try:
            order = list(TopologicalSorter(before).static_order())
        except CycleError:
            order = []
        for name in order:
            depths[name] = max((depths[each] + 1 for each in before[name]), default=0)
        self._is_complement = {name: depths.get(name, 1) % 2 == 0 for name in order or self.ports}
        while sum(self._improved(name) for name in self.ports):
            pass
        return self._is_complement

    def wanted(self, net: int | None) -> set[bool]:
        """Whether the adders that read a net work on complements."""
        readers = self._readers.get(net, ())
        return {self._is_complement[name] for name in readers if name in self.ports}

    def wanted_of_sum(self, net: int | None) -> set[bool]:
        """Whether the readers of a sum, adders or else gates, want its complement."""
        return self.wanted(net) or {self._wants_complement(net)}

    def _wants_complement(self, net: int | None) -> bool:
        """Whether inverters alone read a net, and only gates that choose read these."""
        readers = self._readers[net]
        if any(self._type(name) != "$_NOT_" for name in readers):
            return False
        inverted = (self._cells[str(name)]["connections"]["Y"][0] for name in readers)
        last = {self._type(name) for output in inverted for name in self._readers[output]}
        return bool(last) and last <= CHOOSING

    def _type(self, name: str | None) -> str | None:
        """That of a cell; None for a port of the module."""
        return None if name is None else self._cells[name]["type"]

    def _improved(self, name: str) -> bool:
        """Change an adder if that costs less; whether it did."""
        nets = set(self.ports[name].values())
        before = self._cost(nets)
        self._is_complement[name] ^= True
        if self._cost(nets) < before:
            return True
        self._is_complement[name] ^= True
        return False

    def _cost(self, nets: Iterable[int]) -> float:
        return sum(self._cost_of(net) for net in nets)

    def _cost_of(self, net: int) -> float:
        wanted = self.wanted(net)
        if len(wanted) != 1:
            return INVERTER * (len(wanted) == 2)
        (want,) = wanted
        if net in self._drivers:
            name, port = self._drivers[net]
            if port == "s" and self._adder.other:
                return 0.0
            inverts = self._adder.is_sum_inverted if port == "s" else self._adder.is_carry_inverted
            return INVERTER * (self._is_complement[name] ^ inverts != want)
        lean = LEANS.get(self._gates[net], 0.0) if net in self._gates else OTHER_LEAN
        return max(0.0, -lean if want else lean)

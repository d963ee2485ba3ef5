"""Which full adders of a netlist work on complements, where a library's adder inverts an output.

A full adder of complements gives complements, so where adders of both kinds alternate no inverter
is needed between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from graphlib import TopologicalSorter

from gen.adders import COMPLEMENT, OTHER_SUM, Adder

INVERTER = 0.75
LEANS = {"$_OR_": 0.5, "$_AND_": 0.125, "$_NOT_": -0.5}
OTHER_LEAN = -0.5
"""Gate equivalents: of an inverter; by how much a gate gives a bit's complement for less than the
bit, most an or of ands; the same of what is no gate."""
CONSTANTS = frozenset("01xz")
GATE_OUTPUTS = ("Y", "s", "co")


def assign_polarities(module: dict, adder: Adder) -> None:
    """Give the cells ``full_adder`` of a module, as Yosys's JSON has it, the types that they need.

    A sum of which there are both polarities has the one that its readers want. Adders with a
    constant input, which become gates, are left as they are.
    """
    heap = _Heap(module, adder)
    for name, is_complement in heap.settled().items():
        kind = COMPLEMENT if is_complement else "full_adder"
        if adder.other:
            wanted = heap.wanted(heap.ports[name]["s"]) or {False}
            kind += OTHER_SUM * (is_complement ^ adder.is_sum_inverted not in wanted)
        module["cells"][name]["type"] = kind


class _Heap:
    """The full adders of a module: the nets at their ports, and who reads and drives a net."""

    def __init__(self, module: dict, adder: Adder):
        self._adder = adder
        self.ports: dict[str, dict[str, int]] = {}
        self._readers: dict[int, list[str]] = defaultdict(list)
        self._drivers: dict[int, tuple[str, str]] = {}
        self._gates: dict[int, str] = {}
        for name, cell in module["cells"].items():
            nets = {port: bits[0] for port, bits in cell["connections"].items() if bits}
            if cell["type"] != "full_adder":
                self._gates |= {nets[port]: cell["type"] for port in GATE_OUTPUTS if port in nets}
            elif not CONSTANTS & set(nets.values()):
                self.ports[name] = nets
                self._drivers |= {nets[port]: (name, port) for port in ("s", "co")}
                for port in "abc":
                    self._readers[nets[port]].append(name)
        self._is_complement: dict[str, bool] = {}

    def settled(self) -> dict[str, bool]:
        """Whether each adder works on complements.

        Every second one on a path does, the first ones too; then those change for which that takes
        fewer inverters, until none does.
        """
        before = {
            name: [self._drivers[nets[port]][0] for port in "abc" if nets[port] in self._drivers]
            for name, nets in self.ports.items()
        }
        depths: dict[str, int] = {}
        for name in TopologicalSorter(before).static_order():
            depths[name] = max((depths[each] + 1 for each in before[name]), default=0)
            self._is_complement[name] = depths[name] % 2 == 0
        while sum(self._improved(name) for name in self.ports):
            pass
        return self._is_complement

    def wanted(self, net: int) -> set[bool]:
        """Whether the adders that read a net work on complements."""
        return {self._is_complement[name] for name in self._readers[net]}

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
            turns = self._adder.is_sum_inverted if port == "s" else self._adder.is_carry_inverted
            return INVERTER * (self._is_complement[name] ^ turns != want)
        lean = LEANS.get(self._gates[net], 0.0) if net in self._gates else OTHER_LEAN
        return max(0.0, -lean if want else lean)

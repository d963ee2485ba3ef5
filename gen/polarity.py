"""Which full adders of a netlist work on complements, where a library's adder inverts an output.

A full adder of complements gives complements. So where each carry goes to an adder of the other
kind no inverter is needed: in a heap, where every second column holds complements.
"""

from __future__ import annotations

from collections import defaultdict

from gen.adders import COMPLEMENT, OTHER_SUM, Adder

CONSTANTS = frozenset("01xz")


def assign_polarities(module: dict, adder: Adder) -> None:
    """Give the cells ``full_adder`` of a module, as Yosys's JSON has it, the types that they need.

    Adders that are joined by a carry, or by a sum of which there is one polarity, agree as far as
    they can, first come first served. A sum of which there are both has what its readers among the
    adders want. Adders with a constant input, which become gates, are left as they are.
    """
    ports = {
        name: {port: bits[0] for port, bits in cell["connections"].items()}
        for name, cell in module["cells"].items()
        if cell["type"] == "full_adder"
    }
    ports = {name: nets for name, nets in ports.items() if not CONSTANTS & set(nets.values())}
    readers: dict[int, list[str]] = defaultdict(list)
    for name, nets in ports.items():
        for port in "abc":
            readers[nets[port]].append(name)
    is_complement = _kinds(ports, readers, adder)
    for name, nets in ports.items():
        mine = is_complement[name]
        kind = COMPLEMENT if mine else "full_adder"
        if adder.other:
            wanted = {is_complement[reader] for reader in readers[nets["s"]]} or {False}
            kind += OTHER_SUM * (mine ^ adder.is_sum_inverted not in wanted)
        module["cells"][name]["type"] = kind


def _kinds(
    ports: dict[str, dict[str, int]], readers: dict[int, list[str]], adder: Adder
) -> dict[str, bool]:
    """Whether each adder works on complements."""
    joined: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    outputs = [("co", adder.is_carry_inverted)]
    outputs += [] if adder.other else [("s", adder.is_sum_inverted)]
    for name, nets in ports.items():
        for port, is_inverted in outputs:
            for reader in readers[nets[port]]:
                joined[name].append((reader, is_inverted))
                joined[reader].append((name, is_inverted))
    found: dict[str, bool] = {}
    for start in ports:
        waiting = [] if start in found else [start]
        found.setdefault(start, False)
        while waiting:
            name = waiting.pop()
            for reader, is_inverted in joined[name]:
                if reader not in found:
                    found[reader] = found[name] ^ is_inverted
                    waiting.append(reader)
    return found

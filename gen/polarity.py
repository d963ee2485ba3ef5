"""Which full adders of a netlist work on complements, where a library's adder inverts its carry.

A full adder of complements gives complements. So where each carry goes to an adder of the other
kind no inverter is needed: in a heap, where every second column holds complements.
"""

from __future__ import annotations

from collections import defaultdict

from gen.adders import Adder

CONSTANTS = frozenset("01xz")


def complemented(module: dict, adder: Adder) -> set[str]:
    """The names of those cells ``full_adder`` of a module, as Yosys's JSON has it.

    Adders that are joined by their sums and carries agree as far as they can, first come first
    served; those with a constant input, which become gates, are left as they are.
    """
    bits = {
        name: {port: net for port, (net,) in cell["connections"].items()}
        for name, cell in module["cells"].items()
        if cell["type"] == "full_adder"
    }
    bits = {
        name: nets for name, nets in bits.items() if not CONSTANTS & set(map(str, nets.values()))
    }
    readers = defaultdict(list)
    for name, nets in bits.items():
        for port in "abc":
            readers[nets[port]].append(name)
    joined: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for name, nets in bits.items():
        for port, inverted in ("co", adder.is_carry_inverted), ("s", adder.is_sum_inverted):
            for reader in readers[nets[port]]:
                joined[name].append((reader, inverted))
                joined[reader].append((name, inverted))
    kind: dict[str, bool] = {}
    for start in bits:
        waiting = [] if start in kind else [start]
        kind.setdefault(start, False)
        while waiting:
            name = waiting.pop()
            for other, inverted in joined[name]:
                if other not in kind:
                    kind[other] = kind[name] ^ inverted
                    waiting.append(other)
    return {name for name, is_complemented in kind.items() if is_complemented}

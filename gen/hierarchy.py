"""The hierarchy of a design: which modules a large one is synthesized by, and how often each is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping

MOST_CELLS = 4
"""Results of a unit, each with a cell of its own, up to which it is flattened by itself."""

_MODULE = re.compile(r"^\s*module\s+\\?([^\s(;#]+)(.*?)^\s*endmodule", re.MULTILINE | re.DOTALL)


def is_flattened(configuration, flatten: bool | None = None) -> bool:
    """`flatten`, by default whether the configuration is small."""
    return configuration.m * configuration.n <= MOST_CELLS if flatten is None else flatten


def outermost(verilog: str, top: str, parts: Container[str]) -> list[str]:
    """The modules below `top` that are named in `parts` and inside no other that is.

    >>> modules = ("module t; a u();", "module a; b v();", "module b;", "")
    >>> text = "\\nendmodule\\n".join(modules)
    >>> outermost(text, "t", {"a", "b"}), outermost(text, "t", {"b"})
    (['a'], ['b'])
    """
    bodies = dict(_MODULE.findall(verilog))
    found: dict[str, bool] = {}
    waiting = [top]
    while waiting:
        for word in dict.fromkeys(re.findall(r"\w+", bodies[waiting.pop()])):
            if word in bodies and word not in found:
                found[word] = word in parts
                waiting += [] if found[word] else [word]
    return sorted(name for name, is_part in found.items() if is_part)


def instances(modules: Mapping[str, dict], top: str) -> Counter[str]:
    """How many of each module of a mapped netlist, `top` included, make up `top`."""
    counts: Counter[str] = Counter()

    def add(name: str, count: int) -> None:
        counts[name] += count
        below = Counter(cell["type"] for cell in modules[name]["cells"].values())
        for kind, each in below.items():
            if kind in modules:
                add(kind, count * each)

    add(top, 1)
    return counts

"""Verilog mapped onto the cells of a Liberty file: area, longest path, and where the area is.

Two recipes. Both synthesize the design with Yosys, flattened or module by module, and map it with
ABC: ``area`` for area, ``delay`` for speed with buffers and sized cells. Modules named
``full_adder`` (a, b, c, s, co) and ``half_adder`` (a, b, s, co) become the library's adder cells,
or three gates where it has no full adder, if that beats what ABC makes of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gen.delays import Delays
from gen.flow import RECIPES, Flow
from gen.hierarchy import instances
from gen.liberty import Library, load
from gen.timing import Path as TimingPath
from gen.timing import longest_path


@dataclass(frozen=True)
class Mapped:
    """A mapped design. Areas are in gate equivalents, times in nanoseconds.

    `path` begins and ends at ports or clock edges, `combinational_path` counts nothing for
    flip-flops; either is None where there is none. `abc_delay` is ABC's own estimate of the latter,
    None where there are adder cells or kept modules, which ABC cannot see through. `modules`: how
    many there are of each module that was mapped, and the area of one. `netlist`: the modules
    themselves, as Yosys's JSON has them.
    """

    recipe: str
    adders: str
    combinational: float
    sequential: float
    cells: Mapping[str, int]
    flip_flops: int
    path: TimingPath | None
    combinational_path: TimingPath | None
    abc_delay: float | None
    modules: Mapping[str, tuple[int, float]]
    netlist: Mapping[str, dict] = field(repr=False, compare=False)

    @property
    def area(self) -> float:
        """Combinational and sequential area."""
        return self.combinational + self.sequential

    @property
    def rank(self) -> tuple[float, float]:
        """Smaller is better: by area for recipe area, by time for recipe delay."""
        time = self.path.nanoseconds if self.path else 0.0
        return (self.area, time) if self.recipe == "area" else (time, self.area)


def area(
    verilog: str,
    top: str,
    liberty: Library | Path | str,
    recipe: str = "area",
    adders: str | None = None,
    kept: Iterable[str] = (),
) -> Mapped:
    """Map module `top` of a Verilog text with one recipe.

    `adders` is one of :data:`gen.flow.ADDERS`; None tries them all and keeps the best. `kept` as
    in :func:`variants`. UsageError for a Liberty file that cannot be used, YosysError for Verilog
    that cannot.
    """
    library = liberty if isinstance(liberty, Library) else load(liberty)
    mapped = variants(verilog, top, library, (recipe,), (adders,) if adders else None, kept)
    return min(mapped, key=lambda each: each.rank)


def variants(
    verilog: str,
    top: str,
    library: Library,
    recipes: Iterable[str] = tuple(RECIPES),
    adders: Iterable[str] | None = None,
    kept: Iterable[str] = (),
) -> list[Mapped]:
    """The design mapped by each recipe with each choice of adder cells.

    Modules `kept` are mapped by themselves, once each; all others dissolve into their users.
    """
    delays = Delays(library)
    with Flow(verilog, top, library, kept) as flow:
        pairs = [(recipe, choice) for choice in adders or flow.choices for recipe in recipes]
        netlists = flow.map(pairs)
        return [
            _measure(modules, top, library, delays, recipe, choice, abc_delay)
            for (recipe, choice), (modules, abc_delay) in zip(pairs, netlists, strict=True)
        ]


def _measure(
    modules: Mapping[str, dict],
    top: str,
    library: Library,
    delays: Delays,
    recipe: str,
    adders: str,
    abc_delay: float | None,
) -> Mapped:
    """Count one netlist and time it."""
    counts = instances(modules, top)
    contents = {
        name: Counter(
            kind
            for cell in modules[name]["cells"].values()
            if (kind := cell["type"]) in library.cells
        )
        for name in sorted(counts)
    }
    total: Counter[str] = Counter()
    for name, cells in contents.items():
        total.update({kind: counts[name] * count for kind, count in cells.items()})
    total = Counter({kind: total[kind] for kind in sorted(total)})
    areas = {kind: count * library.gate_equivalents(kind) for kind, count in total.items()}
    states = [kind for kind in total if library.cells[kind].is_sequential]
    sequential = sum(areas[kind] for kind in states)
    return Mapped(
        recipe=recipe,
        adders=adders,
        combinational=sum(areas.values()) - sequential,
        sequential=sequential,
        cells=dict(total),
        flip_flops=sum(total[kind] for kind in states),
        path=longest_path(delays, modules[top], modules=modules),
        combinational_path=longest_path(delays, modules[top], registers=False, modules=modules),
        abc_delay=abc_delay,
        modules={
            name: (
                counts[name],
                sum(count * library.gate_equivalents(kind) for kind, count in cells.items()),
            )
            for name, cells in contents.items()
        },
        netlist=modules,
    )


def breakdown(
    verilog: str, top: str, parts: Mapping[str, str], library: Library, adders: str
) -> dict[str, float]:
    """Area in gate equivalents by part, from a mapping for area that keeps the hierarchy.

    `parts` names the part of each module that counts by itself; other modules dissolve into the one
    that uses them; the top, if not named, is "control". Flip-flops are "registers" wherever they
    are.
    """
    with Flow(verilog, top, library, kept=sorted(parts)) as flow:
        ((modules, _),) = flow.map([("area", adders)])
    areas: dict[str, float] = defaultdict(float)
    for name, count in instances(modules, top).items():
        for cell in modules[name]["cells"].values():
            kind = cell["type"]
            if kind in library.cells:
                is_register = library.cells[kind].is_sequential
                part = "registers" if is_register else parts.get(name, "control")
                areas[part] += count * library.gate_equivalents(kind)
    return dict(areas)

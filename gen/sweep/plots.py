"""Plots of a sweep, one of each kind for every setting (unit, shape and K) that it has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from gen.measure import PARTS
from gen.sweep.labels import place

COLORS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f3c8d", "#666666"),
    *("#b2182b", "#1b7837", "#4d4d9f", "#a6761d", "#e7298a", "#66a61e", "#8c510a", "#01665e"),
)
"""Of format pairs, and of libraries, in order."""
PART_COLORS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#bbbbbb")
"""Of the parts of a breakdown in the order of PARTS; others go on with COLORS."""
RECIPES = {"area": ("o", "-"), "delay": ("s", "--")}
PANEL = 4.6
"""Width of a panel in inches."""
SIZE = 9


def draw(summary: dict, folder: Path) -> list[str]:
    """Write the plots of a sweep's summary into `folder`, and return their names."""
    names = []
    rows = [row for row in summary["rows"] if row["macs"]]
    pairs = list(dict.fromkeys(_label(row) for row in rows))
    colors = {pair: COLORS[i % len(COLORS)] for i, pair in enumerate(pairs)}
    for setting in dict.fromkeys(map(setting_of, rows)):
        found = [row for row in rows if setting_of(row) == setting]
        members = {row["name"] for row in found}
        parts = [each for each in summary["breakdowns"] if each["name"] in members]
        drawn = {
            "area": area(found, setting),
            "pareto": pareto(found, setting, colors, summary["tensors"]),
            "clock": clock(found, setting, colors),
            "breakdown": breakdown(found, parts, setting),
        }
        for kind, figure in drawn.items():
            if figure is not None:
                name = f"{summary['sweep']}_{kind}_{setting}.png"
                folder.mkdir(parents=True, exist_ok=True)
                figure.savefig(folder / name, dpi=150, metadata={"Software": None})
                names.append(name)
    return names


def setting_of(row: dict) -> str:
    """What the designs of one plot have in common, as in their names."""
    shape = f"{row['m']}x{row['n']}x{row['k']}" if row["unit"] == "tile" else f"k{row['k']}"
    return f"{row['unit']}_{shape}"


def smallest(rows: Sequence[dict]) -> dict[tuple[str, str], dict]:
    """The row of the least area for each label and library."""
    found: dict[tuple[str, str], dict] = {}
    for row in sorted(rows, key=lambda row: row["area_ge"]):
        found.setdefault((_label(row), row["library"]), row)
    return found


def area(rows: Sequence[dict], setting: str) -> Figure:
    """Area per MAC by format: a bar for each library."""
    best = smallest(rows)
    libraries = list(dict.fromkeys(row["library"] for row in rows))
    first = {pair: row for (pair, library), row in reversed(best.items())}
    pairs = sorted(first, key=lambda pair: -first[pair]["ge_per_mac"])
    figure = _figure(1.3 * PANEL, 1.1 + len(pairs) * (0.14 + 0.2 * len(libraries)))
    axes = figure.add_subplot()
    height = 0.8 / len(libraries)
    for i, library in enumerate(libraries):
        at = [y + 0.4 - height * (i + 0.5) for y in range(len(pairs))]
        values = [
            best[pair, library]["ge_per_mac"] if (pair, library) in best else 0 for pair in pairs
        ]
        bars = axes.barh(at, values, height * 0.9, color=COLORS[i], label=library)
        axes.bar_label(
            bars, [f"{value:.1f}" if value else "" for value in values], padding=3, fontsize=8
        )
    axes.set_yticks(range(len(pairs)), pairs, fontsize=SIZE)
    axes.margins(x=0.1, y=0.02)
    axes.set_xlabel("area per MAC, GE", fontsize=SIZE)
    if len(libraries) > 1:
        _legend(figure, *axes.get_legend_handles_labels())
    _finish(axes, f"Area per MAC: {_title(setting)}, recipe area", "x")
    return figure


def pareto(rows: Sequence[dict], setting: str, colors: dict, tensors: str) -> Figure | None:
    """Area per MAC against SQNR; what nothing beats in both lies on the line."""
    rows = [row for row in rows if row["sqnr_db"] is not None]
    if len({_label(row) for row in rows}) < 2:
        return None
    best = smallest(rows)
    figure, panels = _panels(rows, 1.35 * PANEL, 4.6, sharey=True)
    figure.suptitle(f"Area against accuracy: {_title(setting)}, recipe area", fontsize=10)
    for library, axes in panels:
        points = [row for (_, where), row in best.items() if where == library]
        points.sort(key=lambda row: (row["ge_per_mac"], -row["sqnr_db"]))
        front: list[dict] = []
        for row in points:
            if not front or row["sqnr_db"] > front[-1]["sqnr_db"]:
                front.append(row)
        axes.step(
            [row["sqnr_db"] for row in front],
            [row["ge_per_mac"] for row in front],
            where="pre",
            color="0.7",
            lw=1.2,
            zorder=1,
        )
        for row in points:
            color = colors[_label(row)]
            face = color if row in front else "white"
            axes.plot(row["sqnr_db"], row["ge_per_mac"], "o", ms=6, mfc=face, mec=color, zorder=2)
        axes.margins(x=0.14, y=0.1)
        axes.set_xlabel("SQNR of a product, dB (right is better)", fontsize=SIZE)
        axes.semilogy()
        _round_ticks(axes.yaxis)
        _finish(axes, library, "both")
    panels[0][1].set_ylabel("area per MAC, GE (down is better)", fontsize=SIZE)
    figure.supxlabel(f"SQNR: {tensors}.", fontsize=7, color="0.35")
    for library, axes in panels:
        points = [row for (_, where), row in best.items() if where == library]
        place(axes, [(row["sqnr_db"], row["ge_per_mac"], _label(row)) for row in points])
    return figure


def clock(rows: Sequence[dict], setting: str, colors: dict) -> Figure | None:
    """Area against the longest path: a line through the pipelines of each format and recipe."""
    rows = [row for row in rows if row["longest_path_ns"]]
    if not rows:
        return None
    figure, panels = _panels(rows, 1.35 * PANEL, 4.6, sharey=True)
    deep = len({row["pipeline"] for row in rows}) > 1
    title = f"Area against clock: {_title(setting)}"
    figure.suptitle(title + (", numbers are pipeline stages" if deep else ""), fontsize=10)
    labels = list(dict.fromkeys(map(_label, rows)))
    for library, axes in panels:
        for label in labels:
            for recipe in RECIPES:
                wanted = (library, label, recipe)
                found = [r for r in rows if (r["library"], _label(r), r["recipe"]) == wanted]
                _pipelines(axes, found, colors[label], recipe, deep)
        axes.margins(x=0.08, y=0.1)
        axes.set_xlabel("clock period (longest path), ns", fontsize=SIZE)
        axes.loglog()
        _round_ticks(axes.xaxis)
        _round_ticks(axes.yaxis)
        _finish(axes, library, "both")
    panels[0][1].set_ylabel("area, kGE", fontsize=SIZE)
    handles = [Line2D([], [], color=colors[label], lw=3, label=label) for label in labels]
    handles += [
        Line2D([], [], ls=line, marker=marker, ms=6, lw=1, color="0.3", label=f"recipe {recipe}")
        for recipe, (marker, line) in RECIPES.items()
    ]
    figure.legend(handles=handles, loc="outside right center", fontsize=8, frameon=False)
    return figure


def _pipelines(axes: Axes, rows: list[dict], color: str, recipe: str, deep: bool) -> None:
    """A line through one design's pipelines, with the number of stages in each marker if `deep`."""
    marker, line = RECIPES[recipe]
    rows = sorted(rows, key=lambda row: row["pipeline"])
    points = [(row["longest_path_ns"], row["area_ge"] / 1000) for row in rows]
    axes.plot(*zip(*points), ls=line, lw=1, color=color, zorder=2) if points else None
    for row, (x, y) in zip(rows, points, strict=True):
        axes.plot(x, y, marker, ms=9 if deep else 6, color=color, mec="white", mew=0.6, zorder=3)
        if deep:
            center: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
            axes.text(x, y, str(row["pipeline"]), fontsize=6, color="white", **center)


def breakdown(rows: Sequence[dict], parts: Sequence[dict], setting: str) -> Figure | None:
    """Area per MAC by part of every design, as stacked bars."""
    names = [name for name in PARTS if any(name in each["parts_ge"] for each in parts)]
    names += sorted({name for each in parts for name in each["parts_ge"]} - set(names))
    if not names:
        return None
    known = {row["name"]: row for row in rows}
    totals = {each["name"]: sum(each["parts_ge"].values()) for each in reversed(parts)}
    least: dict[str, float] = {}
    for name, total in sorted(totals.items(), key=lambda item: item[1]):
        least.setdefault(_label(known[name]), total)
    designs = sorted(
        totals, key=lambda name: (-least[_label(known[name])], -known[name]["pipeline"])
    )
    palette = {
        **dict(zip(PARTS, PART_COLORS)),
        **dict(zip([n for n in names if n not in PARTS], COLORS)),
    }
    figure, panels = _panels(parts, 1.2 * PANEL, 1.6 + 0.27 * len(designs), sharey=True)
    figure.suptitle(f"Area by part: {_title(setting)}, recipe area, parts kept apart", fontsize=10)
    for library, axes in panels:
        found = {each["name"]: each["parts_ge"] for each in parts if each["library"] == library}
        left = [0.0] * len(designs)
        for name in names:
            values = [
                found.get(design, {}).get(name, 0.0) / known[design]["macs"] for design in designs
            ]
            axes.barh(range(len(designs)), values, 0.75, left, color=palette[name], label=name)
            left = [start + value for start, value in zip(left, values)]
        labels = [_label(known[name], pipeline=True) for name in designs]
        axes.set_yticks(range(len(designs)), labels, fontsize=SIZE)
        axes.margins(x=0.03, y=0.02)
        axes.set_xlabel("area per MAC, GE", fontsize=SIZE)
        _finish(axes, library, "x")
    _legend(figure, *panels[0][1].get_legend_handles_labels())
    return figure


def _label(row: dict, pipeline: bool = False) -> str:
    """A design within its setting: its pair, and what is not the default."""
    words = [row["fmt"]]
    words += [row["acc"]] if row["acc"] not in (None, "fp32") else []
    words += [row["out"]] if row["out"] == "bf16" else []
    words += [f"p{row['pipeline']}"] if pipeline and row["pipeline"] else []
    return " ".join(words)


def _title(setting: str) -> str:
    unit, _, shape = setting.partition("_")
    return f"{unit} {shape.replace('x', ' x ').replace('k', 'K = ')}"


def _figure(width: float, height: float) -> Figure:
    figure = Figure((width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _panels(
    rows: Sequence[dict], width: float, height: float, sharey: bool = False
) -> tuple[Figure, list[tuple[str, Axes]]]:
    """A figure with a panel for each library, side by side."""
    libraries = list(dict.fromkeys(row["library"] for row in rows))
    figure = _figure(width * len(libraries) ** 0.9, height)
    panels = figure.subplots(1, len(libraries), squeeze=False, sharey=sharey)
    return figure, list(zip(libraries, panels[0]))


def _legend(figure: Figure, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """A legend below everything."""
    columns = min(len(labels), int(figure.get_figwidth() / 1.1))
    look: dict[str, Any] = {"fontsize": 8, "frameon": False, "ncols": columns}
    figure.legend(list(handles), list(labels), loc="outside lower center", **look)


def _round_ticks(axis: Axis) -> None:
    """Round numbers along a logarithmic axis."""
    axis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 7)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())


def _finish(axes: Axes, title: str, grid: Literal["x", "both"]) -> None:
    axes.set_title(title, fontsize=SIZE)
    axes.grid(axis=grid, color="0.92", zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)

"""The delay model of a Liberty file: lookup tables by cell, pin and edge."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gen.liberty import Library
from gen.liberty_syntax import Group

RISE, FALL = 0, 1
_DELAYS = ("cell_rise", "cell_fall")
_SLEWS = ("rise_transition", "fall_transition")
_CONSTRAINTS = ("rise_constraint", "fall_constraint")
_UNITS = {"fs": 1e-6, "ps": 1e-3, "ns": 1.0, "us": 1e3}


@dataclass(frozen=True)
class Table:
    """A lookup table, linear between its points and beyond them.

    `xs` are slews of the data input, `ys` loads (delays) or slews of the clock (setup times).
    """

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    rows: tuple[tuple[float, ...], ...]

    def __call__(self, x: float, y: float) -> float:
        i, u = _place(self.xs, x)
        j, v = _place(self.ys, y)
        value = _between(self.rows[i], j, v)
        return value + u * (_between(self.rows[i + 1], j, v) - value) if u else value


def _place(points: tuple[float, ...], value: float) -> tuple[int, float]:
    """The interval that holds `value`, or the nearest one, and how far along it `value` lies."""
    if len(points) < 2:
        return 0, 0.0
    i = min(max(bisect_right(points, value) - 1, 0), len(points) - 2)
    return i, (value - points[i]) / (points[i + 1] - points[i])


def _between(row: tuple[float, ...], j: int, v: float) -> float:
    return row[j] + v * (row[j + 1] - row[j]) if v else row[j]


@dataclass(frozen=True)
class Arc:
    """One timing group that begins at `pin`; its tables are by the edge where it ends (rise, fall).

    `times` are delays, or setup times, which have no `slews`.
    """

    pin: str
    sense: str
    times: tuple[Table | None, Table | None]
    slews: tuple[Table | None, Table | None]

    def causes(self, edge: int) -> tuple[int, ...]:
        """The input edges that can make the output's `edge`."""
        return {"positive_unate": (edge,), "negative_unate": (1 - edge,)}.get(
            self.sense, (RISE, FALL)
        )


def _arcs() -> dict[str, list[Arc]]:
    return defaultdict(list)


@dataclass
class Timing:
    """One cell: input capacitances (rise, fall), and its arcs by the pin where they end.

    `through` are combinational arcs, `launch` those from a clock to an output, `setup` the checks
    of inputs.
    """

    loads: dict[str, tuple[float, float]] = field(default_factory=dict)
    through: dict[str, list[Arc]] = field(default_factory=_arcs)
    launch: dict[str, list[Arc]] = field(default_factory=_arcs)
    setup: dict[str, list[Arc]] = field(default_factory=_arcs)


class Delays:
    """The timing of a library's cells, read when first asked for; times in the library's unit.

    `nanoseconds` is that unit.
    """

    def __init__(self, library: Library):
        self._library = library
        self._templates = {
            group.arguments[0]: group for group in library.group.named("lu_table_template")
        }
        unit = library.group.attributes.get("time_unit", "1ns").replace(" ", "")
        self.nanoseconds = float(unit[:-2]) * _UNITS[unit[-2:]]
        self._timings: dict[str, Timing] = {}

    def __getitem__(self, cell: str) -> Timing:
        if cell not in self._timings:
            self._timings[cell] = self._read(self._library.cells[cell].group)
        return self._timings[cell]

    def _read(self, cell: Group) -> Timing:
        timing = Timing()
        default = self._library.group.number("default_input_pin_cap")
        for pin in cell.named("pin"):
            name = pin.arguments[0]
            if pin.attributes.get("direction") == "input":
                both = pin.number("capacitance", default)
                rise = pin.number("rise_capacitance", both)
                timing.loads[name] = rise, pin.number("fall_capacitance", both)
            for group in pin.named("timing"):
                kind = group.attributes.get("timing_type", "combinational")
                ends, names = timing.through, _DELAYS
                if kind in ("rising_edge", "falling_edge"):
                    ends = timing.launch
                elif kind in ("setup_rising", "setup_falling"):
                    ends, names = timing.setup, _CONSTRAINTS
                elif not kind.startswith("combinational"):
                    continue
                tables, slews = self._tables(group, names), self._tables(group, _SLEWS)
                sense = group.attributes.get("timing_sense", "non_unate")
                for source in group.attributes.get("related_pin", "").split():
                    ends[name].append(Arc(source, sense, tables, slews))
        return timing

    def _tables(self, timing: Group, names: Sequence[str]) -> tuple[Table | None, Table | None]:
        groups = (next(timing.named(name), None) for name in names)
        rise, fall = (read_table(group, self._templates) for group in groups)
        return rise, fall


def read_table(group: Group | None, templates: Mapping[str, Group]) -> Table | None:
    """The table of a group of values, whose axes may be those of its template; None for None."""
    if group is None:
        return None
    template = templates.get(group.arguments[0]) if group.arguments else None
    shape = template.attributes if template else {}
    axes = []
    for key in ("index_1", "index_2"):
        text = group.attributes.get(key, shape.get(key))
        axes.append(_numbers(text) if text else (0.0,))
    values = _numbers(group.attributes["values"])
    columns = len(axes[1])
    rows = tuple(values[i : i + columns] for i in range(0, len(values), columns))
    if shape.get("variable_1") in ("total_output_net_capacitance", "related_pin_transition"):
        axes.reverse()
        rows = tuple(zip(*rows, strict=True))
    return Table(axes[0], axes[1], rows)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(word) for word in text.replace(",", " ").split())

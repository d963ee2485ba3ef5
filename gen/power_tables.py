"""What a Liberty file says of power: energy tables by pin and edge, leakage by state, units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gen.delays import Table, read_table
from gen.errors import UsageError
from gen.functions import truth_table
from gen.liberty import Library
from gen.liberty_syntax import SKIPPED, Group, parse

KEPT = {"internal_power", "leakage_power", "operating_conditions", "power_lut_template"}
_PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}


@dataclass(frozen=True)
class Energy:
    """One ``internal_power`` group: tables (rise, fall) over slew and load.

    `pin`: the input that causes the edge, None for energy of the input's own edges; `when`: the
    states that it holds in, a truth table over the cell's pins, None for all that no other has.
    """

    pin: str | None
    when: int | None
    tables: tuple[Table | None, Table | None]


@dataclass
class CellPower:
    """One cell: energies by the pin that has the edge; leakage by state, and where none is given.

    States are truth tables over `pins`.
    """

    pins: tuple[str, ...]
    energies: dict[str, list[Energy]] = field(default_factory=dict)
    states: list[tuple[int, float]] = field(default_factory=list)
    leakage: float = 0.0


class PowerTables:
    """The power model of some of a library's cells; ``joules``, ``farads``, ``watts``: its units.

    UsageError for a library without a nominal voltage, or with text that is no expression.
    """

    def __init__(self, library: Library, cells: Iterable[str]):
        wanted = set(cells)
        self._library = library

        def is_skipped(name: str, arguments: tuple[str, ...]) -> bool:
            if name == "cell":
                return arguments[0] not in wanted
            return name in SKIPPED and name not in KEPT

        group = parse(library.text, is_skipped)
        self._templates = {
            each.arguments[0]: each
            for kind in ("power_lut_template", "lu_table_template")
            for each in group.named(kind)
        }
        volt = _unit(group.attributes.get("voltage_unit", "1V"), "V")
        scale, _, unit = group.attributes.get("capacitive_load_unit", "1,pf").partition(",")
        self.farads = float(scale) * _unit(f"1{unit.strip()}", "F")
        self.watts = _unit(group.attributes.get("leakage_power_unit", "1nW"), "W")
        self.joules = self.farads * volt**2
        self.voltage = volt * self._nominal(group)
        default = group.number("default_cell_leakage_power")
        self.cells = {cell.arguments[0]: self._cell(cell, default) for cell in group.named("cell")}
        self.has_energies = any(cell.energies for cell in self.cells.values())
        self.has_leakage = any(cell.leakage or cell.states for cell in self.cells.values())

    def _nominal(self, group: Group) -> float:
        for conditions in group.named("operating_conditions"):
            if conditions.arguments[0] == group.attributes.get("default_operating_conditions"):
                return conditions.number("voltage", group.number("nom_voltage"))
        if not group.number("nom_voltage"):
            raise UsageError(
                f"LIB {self._library.path} must have a nominal voltage for POWER, and has none"
            )
        return group.number("nom_voltage")

    def _cell(self, group: Group, default: float) -> CellPower:
        pins = tuple(pin.arguments[0] for pin in group.named("pin"))
        cell = CellPower(pins, leakage=group.number("cell_leakage_power", default))
        for leakage in group.named("leakage_power"):
            when = self._when(leakage, pins)
            if when is None:
                cell.leakage = leakage.number("value")
            else:
                cell.states.append((when, leakage.number("value")))
        for pin in group.named("pin"):
            energies = [
                Energy(source, self._when(power, pins), self._tables(power))
                for power in pin.named("internal_power")
                for source in power.attributes.get("related_pin", "").split() or (None,)
            ]
            if energies:
                cell.energies[pin.arguments[0]] = energies
        return cell

    def _tables(self, power: Group) -> tuple[Table | None, Table | None]:
        both = next(power.named("power"), None)
        rise, fall = (
            read_table(next(power.named(name), both), self._templates)
            for name in ("rise_power", "fall_power")
        )
        return rise, fall

    def _when(self, group: Group, pins: tuple[str, ...]) -> int | None:
        text = group.attributes.get("when")
        if text is None:
            return None
        try:
            return truth_table(text, pins)
        except ValueError as error:
            raise UsageError(f"LIB {self._library.path} is not usable: {error}") from None


def _unit(text: str, symbol: str) -> float:
    """A unit such as ``1nW`` in its plain unit; OpenSTA too reads what it does not know as 1."""
    match = re.fullmatch(rf"\s*([\d.]+)\s*([fpnum]?){symbol}\s*", text, re.IGNORECASE)
    return float(match[1]) * _PREFIXES[match[2].lower()] if match else 1.0

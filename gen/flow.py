"""The synthesis script: Yosys down to gates and flip-flops, ABC onto the library's cells."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gen import yosys
from gen.adders import full_adder, half_adder
from gen.errors import UsageError
from gen.liberty import Library
from gen.polarity import assign_polarities

_PREPARE = "strash; ifraig; scorr; dc2; strash; "
RECIPES = {
    "area": _PREPARE + "&get -n; &nf -a 10; &put; topo; stime -p",
    "delay": _PREPARE + "dch -f; map -B 0.9; topo; buffer -c; upsize; dnsize; stime -p",
}
"""ABC's commands by recipe."""

ADDERS = {"gates": (), "full": ("full_adder",), "full and half": ("full_adder", "half_adder")}
"""Which adder modules become the library's cells, by name of the choice."""

_DELAY = re.compile(r"Area = *[\d.]+ .*Delay = *([\d.]+) ps")
_MODULE = re.compile(r"^\s*module\s+\\?([^\s(;#]+)", re.MULTILINE)


class Flow:
    """One design on one library, in a temporary folder that lasts as long as the context.

    Modules `kept` stay apart in the netlist; all others dissolve. `choices` are the names of ADDERS
    that make a difference for this design and library.
    """

    def __init__(self, verilog: str, top: str, library: Library, kept: Iterable[str] = ()):
        self._verilog, self._top, self._library = verilog, top, library
        modules = set(_MODULE.findall(verilog))
        words = re.findall(r"\b(?:full|half)_adder\b", verilog)
        self._kept = [name for name in kept if name in modules and name != top]
        self._adders = [
            name for name in ADDERS["full and half"] if name in modules and words.count(name) > 1
        ]
        cells = {"full_adder": full_adder(library), "half_adder": half_adder(library)}
        self._cells = {name: cell for name in self._adders if (cell := cells[name])}
        used = [tuple(name for name in ADDERS[choice] if name in self._cells) for choice in ADDERS]
        self.choices = [c for i, c in enumerate(ADDERS) if used[i] not in used[:i]]

    def __enter__(self) -> Flow:
        self._temporary = tempfile.TemporaryDirectory(prefix="mxforge-")
        self._folder = Path(self._temporary.name)
        return self

    def __exit__(self, *error: object) -> None:
        self._temporary.cleanup()

    def map(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[dict, float | None]]:
        """Map with each (recipe, choice of adders): the netlist by module, and ABC's delay in ns.

        The delay is None where adder cells or `kept` modules hid parts of the paths from ABC.
        """
        try:
            yosys.run(self._read(), self._folder)
            if self._has_polarities:
                self._assign_polarities()
            with ThreadPoolExecutor(yosys.PROCESSES.get()) as pool:
                return list(pool.map(self._map, pairs))
        except yosys.YosysError as error:
            if re.search("ABC|liberty|cannot be legalized", str(error), re.IGNORECASE):
                raise UsageError(f"LIB {self._library.path} cannot be used: {error}") from None
            raise

    def _read(self) -> list[str]:
        """Commands that synthesize the design down to gates, with its adder modules still whole."""
        (self._folder / "design.v").write_text(self._verilog)
        (self._folder / "library.lib").write_text(self._library.text, encoding="latin-1")
        whole = [f"setattr -mod -set keep_hierarchy 1 {name}" for name in self._adders + self._kept]
        return [
            "read_verilog design.v",
            # Yosys reads a module again that uses a later one, and forgets what was set on it.
            f"hierarchy -top {self._top}",
            *whole,
            f"synth -noabc -flatten -top {self._top}",
            f"dfflibmap -liberty library.lib {self._unusable}",
            "opt",
            "write_rtlil base.il",
            *["write_json base.json"] * self._has_polarities,
        ]

    def _map(self, pair: tuple[str, str]) -> tuple[dict, float | None]:
        """Put adder cells in place, dissolve other adder modules, run ABC; one entry of `map`."""
        recipe, choice = pair
        folder = self._folder / f"{recipe}-{choice}".replace(" ", "_")
        folder.mkdir()
        (folder / "recipe.abc").write_text(RECIPES[recipe] + "\n")
        cells = {module: cell for module, cell in self._cells.items() if module in ADDERS[choice]}
        lines = ["read_rtlil ../base.il"]
        if cells:
            if "full_adder" in cells and self._has_polarities:
                lines = ["read_json ../polarities.json"]
            rules = [cell.rules(module) for module, cell in cells.items()]
            (folder / "adders.v").write_text("\n".join(rules))
            lines += ["techmap -map adders.v", "simplemap"]
        if self._adders:
            lines.append(f"setattr -mod -unset keep_hierarchy {' '.join(self._adders)}")
        abc = f"abc -liberty ../library.lib {self._unusable} -script recipe.abc"
        lines += ["flatten", "opt", abc, "opt_clean", "write_json netlist.json"]
        log = yosys.run(lines, folder)
        modules = yosys.netlist(folder / "netlist.json")
        kinds = {cell["type"] for module in modules.values() for cell in module["cells"].values()}
        unknown = kinds - set(modules) - set(self._library.cells) - {"$scopeinfo"}
        if unknown:
            name = min(unknown)
            raise UsageError(f"LIB {self._library.path} must have a cell for {name}, and has none")
        delays = _DELAY.findall(log)
        is_whole = len(delays) == 1 and not cells
        return modules, round(float(delays[0]) / 1000, 5) if is_whole else None

    @property
    def _has_polarities(self) -> bool:
        """Whether full adders become cells that invert an output."""
        return "full_adder" in self._cells and self._cells["full_adder"].inverts

    def _assign_polarities(self) -> None:
        """Write the design with the kinds that its full adders take."""
        design = json.loads((self._folder / "base.json").read_text())
        for module in design["modules"].values():
            assign_polarities(module, self._cells["full_adder"])
        (self._folder / "polarities.json").write_text(json.dumps(design))

    @property
    def _unusable(self) -> str:
        cells = (cell.name for cell in self._library.cells.values() if not cell.is_usable)
        return " ".join(f"-dont_use {name}" for name in cells)

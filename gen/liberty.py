"""Liberty files: the cells of a standard-cell library, found by what they compute."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gen.errors import UsageError
from gen.functions import truth_table
from gen.liberty_syntax import Group, parse

STATES = ("ff", "latch", "ff_bank", "latch_bank", "statetable")
RESERVED = (
    "always_on",
    "clock_gating_integrated_cell",
    "is_isolation_cell",
    "is_level_shifter",
    "switch_cell_type",
)
SQUARE_MICROMETRES = ("sky130_fd_sc_", "sg13g2_stdcell")
"""How libraries begin whose areas are square micrometres; Liberty itself has no unit of area."""

NAND2 = 0b0111


@dataclass(frozen=True)
class Cell:
    """One cell: `area` in the library's units, `functions` as truth tables over `inputs`.

    A table (see :mod:`gen.functions`) is None for an output that is no function of the inputs
    (state, three-state). `is_usable` is false for cells marked ``dont_use`` and those of power and
    clock networks. `group` is the cell's Liberty group, which :mod:`gen.delays` reads.
    """

    name: str
    area: float
    inputs: tuple[str, ...]
    functions: dict[str, int | None]
    is_usable: bool
    group: Group

    @property
    def is_combinational(self) -> bool:
        """Whether every output is a function of the inputs."""
        return bool(self.functions) and None not in self.functions.values()

    @property
    def is_sequential(self) -> bool:
        """Whether the cell holds state."""
        return any(inner.name in STATES for inner in self.group.groups)

    @property
    def is_flip_flop(self) -> bool:
        """Whether the cell is an edge-triggered flip-flop that stores one of its pins as it is."""
        states = (ff.attributes.get("next_state", "") for ff in self.group.named("ff"))
        return any(state.strip("() ") in self.inputs for state in states)


@dataclass(frozen=True)
class Library:
    """A Liberty file that was read: `cells` by name, `group` its whole content."""

    name: str
    path: Path
    text: str
    cells: dict[str, Cell]
    group: Group

    @property
    def digest(self) -> str:
        """SHA-256 of the uncompressed text: what a report was measured on."""
        return hashlib.sha256(self.text.encode("latin-1")).hexdigest()

    @property
    def is_square_micrometres(self) -> bool:
        """Whether the cells' areas are known to be in square micrometres."""
        return self.name.startswith(SQUARE_MICROMETRES)

    @cached_property
    def nand2(self) -> Cell:
        """The smallest two-input NAND, whose area is one gate equivalent."""
        found = [cell for cell in self.usable(2) if list(cell.functions.values()) == [NAND2]]
        if not found:
            raise UsageError(f"LIB {self.path} must have a two-input NAND, and has none")
        return min(found, key=_size)

    @cached_property
    def flip_flop(self) -> Cell:
        """The smallest flip-flop that stores one of its pins as it is."""
        found = [cell for cell in self.cells.values() if cell.is_usable and cell.is_flip_flop]
        if not found:
            raise UsageError(f"LIB {self.path} must have a D flip-flop, and has none")
        return min(found, key=_size)

    def gate_equivalents(self, cell: str) -> float:
        """The area of one of the cells in units of the smallest NAND2."""
        return self.cells[cell].area / self.nand2.area

    def usable(self, inputs: int) -> Iterator[Cell]:
        """The combinational cells with so many inputs that synthesis may take."""
        for cell in self.cells.values():
            if cell.is_usable and cell.is_combinational and len(cell.inputs) == inputs:
                yield cell


def _size(cell: Cell) -> tuple[float, str]:
    return cell.area, cell.name


def file_stem(path: Path) -> str:
    """A Liberty file's name without ``.gz`` and ``.lib``."""
    return path.name.removesuffix(".gz").removesuffix(".lib")


def load(path: Path | str) -> Library:
    """Read a Liberty file, plain or compressed with gzip; UsageError for anything else."""
    path = Path(path)
    try:
        return read(path, path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"LIB must be a Liberty file, and {path} does not exist") from None
    except OSError as error:
        raise UsageError(f"LIB {path} cannot be read: {error.strerror}") from None


def read(path: Path, data: bytes) -> Library:
    """The library of a Liberty file's content, plain or compressed with gzip; UsageError likewise.

    `path` is only what it is called by.
    """
    try:
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        text = data.decode("latin-1")
        group = parse(text)
        cells = {cell.name: cell for cell in map(_cell, group.named("cell"))}
    except (OSError, EOFError, zlib.error):
        raise UsageError(f"LIB {path} cannot be read: it is damaged or cut off") from None
    except (ValueError, IndexError) as error:
        raise UsageError(f"LIB {path} is not a usable Liberty file: {error}") from None
    if not cells:
        raise UsageError(f"LIB {path} describes no cells")
    return Library(group.arguments[0], path, text, cells, group)


def _cell(group: Group) -> Cell:
    pins = list(group.named("pin"))
    for collection in ("bus", "bundle"):
        pins += [pin for outer in group.named(collection) for pin in outer.named("pin")]
    inputs = tuple(pin.arguments[0] for pin in pins if pin.attributes.get("direction") == "input")
    functions: dict[str, int | None] = {}
    for pin in pins:
        if pin.attributes.get("direction") in ("output", "inout"):
            text = None if "three_state" in pin.attributes else pin.attributes.get("function")
            functions[pin.arguments[0]] = None if text is None else truth_table(text, inputs)
    reserved = any(name in group.attributes for name in RESERVED)
    is_usable = group.attributes.get("dont_use") != "true" and not reserved
    return Cell(group.arguments[0], group.number("area"), inputs, functions, is_usable, group)

"""Liberty files: syntax, functions, cells by function, one sentence for files that are none."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import pytest

from gen.adders import full_adder, half_adder
from gen.cells import BUILT_IN
from gen.cells.document import document
from gen.cells.write import liberty
from gen.errors import UsageError
from gen.functions import truth_table
from gen.liberty import load
from gen.liberty_syntax import parse

CELL = """
  cell ({name}) {{
    area : {area};
    {pins}
    pin (Z) {{ direction : output; function : "{function}"; }}
  }}"""
SUM_OF_THREE = """
  cell (sum3) { area : 7;
    pin (X) { direction : input; } pin (Y) { direction : input; } pin (Z) { direction : input; }
    pin (S) { direction : output; function : "X^Y^Z"; }
    pin (W) { direction : output; function : "!(X Y + Y Z + Z X)"; } }"""
FLIP_FLOP = """
  cell (keeper) { area : 9; ff (IQ, IQN) { clocked_on : "C"; next_state : "(D)"; }
    pin (C) { direction : input; } pin (D) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; } }"""


def cell(name: str, area: float, inputs: str, function: str) -> str:
    """The Liberty text of a cell with output Z."""
    pins = " ".join(f"pin ({pin}) {{ direction : input; }}" for pin in inputs)
    return CELL.format(name=name, area=area, pins=pins, function=function)


def write(folder: Path, *cells: str) -> Path:
    """A Liberty file of these cells."""
    path = folder / "some.lib"
    path.write_text("library (some) {\n" + "\n".join(cells) + "\n}\n")
    return path


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("!(A B)", "not (a and b)"),
        ("A*B+C", "a and b or c"),
        ("A+B&C'", "a or b and not c"),
        ("(A'|B)^C", "(not a or b) != c"),
        ("A ^ B C", "(a != b) and c"),
        ("!A^!(B+C)'", "(not a) != (b or c)"),
        ("1", "True"),
        ("A 0", "False"),
    ],
)
def test_function(text: str, python: str):
    rows = itertools.product((False, True), repeat=3)
    wanted = [eval(python, {"a": a, "b": b, "c": c}) for c, b, a in rows]
    table = truth_table(text, ("A", "B", "C"))
    assert [bool(table >> row & 1) for row in range(8)] == wanted


@pytest.mark.parametrize("text", ["", "A B)", "(A", "A+", "A @ B"])
def test_function_refused(text: str):
    with pytest.raises(ValueError, match=r"function .* is no expression|open parenthesis"):
        truth_table(text, ("A", "B"))


def test_function_of_state_has_no_table():
    assert truth_table("IQ", ("D",)) is None


def test_syntax():
    group = parse(
        'library ("x") { /* { */ define(a, b, c);\n unit : "1ns"; index_1 ("1, 2", \\\n"3");\n'
        ' internal_power () { when : "A{"; deep () { } } cell (y) { area : 2\n pin ("p[0]") { } } }'
    )
    assert group.arguments == ("x",)
    assert group.attributes == {"define": "a,b,c", "unit": "1ns", "index_1": "1, 2,3"}
    (inner,) = group.groups
    assert (inner.name, inner.arguments, inner.number("area")) == ("cell", ("y",), 2.0)
    assert [pin.arguments for pin in inner.named("pin")] == [("p[0]",)]


def test_cells_are_found_by_function_and_area(tmp_path: Path):
    path = write(
        tmp_path,
        cell("NAND2", 1, "AB", "A B"),
        cell("gate7", 3, "PQ", "!P + !Q"),
        cell("gate8", 2, "PQ", "(P Q)'"),
        cell("gate9", 1, "PQ", "(P Q)'").replace("area", "dont_use : true; area"),
        SUM_OF_THREE,
        FLIP_FLOP,
    )
    library = load(path)
    assert library.nand2.name == "gate8"
    assert library.gate_equivalents("gate7") == 1.5
    assert library.flip_flop.name == "keeper"
    full = full_adder(library)
    assert full is not None
    assert (full.names, full.is_sum_inverted, full.is_carry_inverted) == (["sum3"], False, True)
    assert full.cells[0][1] == {"X": "a", "Y": "b", "Z": "c", "S": "sum", "W": "carry"}
    assert "assign co = ~carry;" in full.rules("full_adder")
    assert half_adder(library) is None


XOR, AND_OR = cell("xor", 2, "AB", "A^B"), cell("and_or", 2, "PQRS", "!(P R + Q S)")
NOT_XOR, OR_AND = cell("not_xor", 2, "AB", "!(A^B)"), cell("or_and", 1, "PQRS", "!((S+P)(R+Q))")


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ((XOR, AND_OR), ["xor", "xor", "and_or"]),
        ((NOT_XOR, OR_AND, XOR, AND_OR), ["not_xor", "not_xor", "or_and"]),
        ((XOR, AND_OR, SUM_OF_THREE), ["sum3"]),
        ((XOR, AND_OR, cell("cheap", 1, "AB", "!(A^B)")), ["xor", "cheap", "and_or"]),
        ((XOR, OR_AND), None),
    ],
)
def test_full_adder_of_gates(cells: tuple[str, ...], names: list[str] | None, tmp_path: Path):
    adder = full_adder(load(write(tmp_path, *cells)))
    assert (adder and adder.names) == names


def test_pins_of_an_adder_of_gates(tmp_path: Path):
    adder = full_adder(load(write(tmp_path, XOR, AND_OR)))
    assert adder is not None and adder.is_carry_inverted and not adder.is_sum_inverted
    pins = adder.cells[2][1]
    pairs = {frozenset((pins["P"], pins["R"])), frozenset((pins["Q"], pins["S"]))}
    assert pairs == {frozenset("ab"), frozenset("pc")} and pins["Z"] == "carry"


def test_compressed_file_is_the_same_library(tmp_path: Path):
    path = tmp_path / "same.lib.gz"
    path.write_bytes(gzip.compress(BUILT_IN.read_bytes()))
    assert load(path).digest == load(BUILT_IN).digest


BUILT_IN_TEXT = BUILT_IN.read_bytes()
CONTENTS = {
    "empty.lib": (b"", "it has no library group"),
    "verilog.lib": (b"module x; endmodule\n", "wrong near byte 0 of its text"),
    "cut.lib": (BUILT_IN_TEXT[:5000], "wrong near byte 4[0-9]+ of its text"),
    "cut.lib.gz": (gzip.compress(BUILT_IN_TEXT)[:1000], "it is damaged or cut off"),
    "noise.lib.gz": (b"\x1f\x8b" + bytes(range(200)), "it is damaged or cut off"),
    "noise.lib": (bytes(range(256)), "wrong near byte 0 of its text"),
    "bare.lib": (b"library (x) { }", "describes no cells"),
    "area.lib": (b"library (x) { cell (y) { area : big; } }", "to float: 'big'"),
}
"""Files that cannot be used, and the end of the sentence for each."""


@pytest.mark.parametrize("name", [*CONTENTS, "folder", "missing.lib"])
def test_unusable_file(name: str, tmp_path: Path):
    path = tmp_path / name
    data, end = CONTENTS.get(name, (None, "does not exist"))
    if name == "folder":
        path.mkdir()
        end = "Is a directory"
    elif data is not None:
        path.write_bytes(data)
    with pytest.raises(UsageError, match=f"^LIB .*{end}$") as error:
        load(path)
    assert "\n" not in str(error.value)


def test_missing_cells(tmp_path: Path):
    library = load(write(tmp_path, cell("or", 1, "AB", "A+B")))
    with pytest.raises(UsageError, match="must have a two-input NAND"):
        _ = library.nand2
    with pytest.raises(UsageError, match="must have a D flip-flop"):
        _ = library.flip_flop


def test_built_in_library_is_what_its_description_gives():
    assert BUILT_IN.read_text() == liberty(), "run: python -m gen.cells"
    page = Path(__file__).parents[1] / "docs" / "cells.md"
    assert page.read_text() == document(), "run: python -m gen.cells"
    assert load(BUILT_IN).nand2.area == 1.0

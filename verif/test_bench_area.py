"""The area benchmark: one small row runs, on results that are exact."""

from __future__ import annotations

import pytest

from gen.bench_area import ROWS, run
from gen.cells import BUILT_IN
from gen.liberty import load
from gen.verilog import emit_part
from verif import floors, floors_dint4, floors_tile


def test_small_row(capsys):
    (result,) = run(["dot_e2m1_k16"], BUILT_IN, count=500)
    assert result.exact > 500
    assert result.area > 0 == result.sequential
    printed = capsys.readouterr().out
    assert "dot_e2m1_k16" in printed


def test_names_and_bounds():
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [row.bound for row in ROWS if row.name == "dot_e2m1_k32"] == [pytest.approx(3833.6)]


@pytest.mark.parametrize("name", ["dot_e2m1_k16", "dot_int8_k32", "dot_e5m2_k32"])
def test_parts_of_a_dot(name):
    """docs/datapath.md: the parts by themselves, an area each, signs apart."""
    parts = {part.name: part for part in floors.parts(floors.DOTS[name], load(BUILT_IN))}
    lanes = "a lane" if name == "dot_e2m1_k16" else "two lanes"
    assert parts[f"{lanes} of positive products"].total > 0 < parts["the sum of their bits"].total
    assert ("decoding an element" in parts) == (name != "dot_int8_k32")


def test_parts_of_a_tile():
    """What cells have beyond mxfp4's: nvfp4 has no tree of its own, two-sided pairs have."""
    names = {}
    for fmt in floors_tile.CELLS:
        configuration, cell = floors_tile.tile_cell(fmt)
        parts = [each for each in floors_tile.parts(configuration.a, configuration.b) if each[1]]
        names[fmt] = {name: count for name, count, _ in parts}
        text, _ = emit_part(cell)
        alone = floors_tile.TREE, floors_tile.ROW, floors_tile.LESS
        built = {part.module_name for name, _, part in parts if name not in alone}
        assert all(f"module {name} (" in text for name in built)
    assert [names[fmt].get(floors_tile.TREE) for fmt in floors_tile.CELLS] == [None, None, 1, 3]
    assert names["nvfp4"]["scaling"] == 2


def test_parts_of_dint4():
    """The sum is the one that the cell has, and a bit of it a NAND."""
    text, _ = emit_part(floors_dint4.tile_cell(floors_dint4.PAIR)[1])
    parts = {name: (count, part) for name, count, part in floors_dint4.parts()}
    assert f"module {parts['sum'][1].module_name} (" in text
    assert parts["a NAND for each bit of the sum"] == (32 * 21, None)

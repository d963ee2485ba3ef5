"""Synthesis: areas and paths known by hand, adder cells, the breakdown, planted faults."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gen import yosys
from gen.cells import BUILT_IN
from gen.delays import Delays
from gen.errors import UsageError
from gen.liberty import load
from gen.mapping import area, variants
from gen.measure import synthesize
from gen.timing import longest_path
from verif.synth_designs import ADDERS, PARTS, PIPELINE

TAU = 0.010


def gate(body: str, ports: str = "input a, b, c, clk, output y") -> str:
    """A module `top` of one statement."""
    return f"module top({ports}); {body} endmodule\n"


@pytest.mark.parametrize(
    ("verilog", "combinational", "sequential"),
    [
        (gate("assign y = ~(a & b);"), 1.0, 0.0),
        (gate("assign y = ~a;"), 0.5, 0.0),
        (gate("assign y = ~((a & b) | c);"), 1.5, 0.0),
        (gate("assign y = a ^ b;"), 2.5, 0.0),
        (gate("reg q; always @(posedge clk) q <= a; assign y = q;"), 0.0, 6.0),
        (gate("reg q; always @(posedge clk) q <= ~(a & b); assign y = q;"), 1.0, 6.0),
        (gate("assign y = a;"), 0.0, 0.0),
    ],
)
def test_known_areas(verilog: str, combinational: float, sequential: float):
    mapped = area(verilog, "top", BUILT_IN)
    assert (mapped.combinational, mapped.sequential) == (combinational, sequential)
    assert mapped.flip_flops == sequential / 6


def test_area_follows_the_library(tmp_path: Path):
    """On a NAND2 of twice the size everything else is half as many gate equivalents."""
    planted = tmp_path / "planted.lib"
    text = BUILT_IN.read_text()
    for name in ("NAND2_X1", "NAND2_X2"):
        text = re.sub(rf"(cell \({name}\) {{\s*area : )[\d.]+", r"\g<1>2", text)
    planted.write_text(text)
    verilog = gate("reg q; always @(posedge clk) q <= a; assign y = ~q;")
    assert area(verilog, "top", BUILT_IN).area == 6.5
    assert area(verilog, "top", planted).area == 3.25


@pytest.mark.parametrize(
    ("verilog", "taus"),
    [
        (gate("assign y = ~a;"), 1),  # An inverter without load: its own parasitic.
        (gate("assign y = ~(a & b);"), 10 / 3),
        # From the clock 17 and the load of one input; then the NAND with that of D; then setup.
        (
            gate("reg p, q; always @(posedge clk) {p, q} <= {a, ~(p & b)}; assign y = q;"),
            None,
        ),
    ],
)
def test_known_paths(verilog: str, taus: float | None):
    path = area(verilog, "top", BUILT_IN).path
    assert path is not None
    nand = 2 * (5 / 3 + 1)
    expected = taus if taus is not None else 17 + 1 + nand + 11
    assert path.nanoseconds == pytest.approx(expected * TAU, rel=1e-4)


@pytest.mark.parametrize("recipe", ["area", "delay"])
def test_timing_agrees_with_abc(recipe: str):
    """Over gates alone ABC's estimate and ours differ by the load of outputs at most."""
    verilog = "module top(input [9:0] a, b, output [19:0] y); assign y = a * b; endmodule\n"
    mapped = area(verilog, "top", BUILT_IN, recipe, "gates")
    assert mapped.combinational > 300
    assert mapped.combinational_path is not None and mapped.abc_delay is not None
    assert mapped.combinational_path.nanoseconds == pytest.approx(mapped.abc_delay, rel=0.01)
    assert len(mapped.combinational_path.cells) > 10


def test_timing_without_tables(tmp_path: Path):
    bare = tmp_path / "bare.lib"
    bare.write_text(BUILT_IN.read_text().replace("cell_rise", "rise").replace("cell_fall", "fall"))
    net = {"direction": "input", "bits": [2]}, {"direction": "output", "bits": [3]}
    inverter = {"type": "INV_X1", "connections": {"A": [2], "Y": [3]}}
    module = {"ports": dict(zip("ay", net)), "cells": {"u": inverter}, "netnames": {}}
    assert longest_path(Delays(load(BUILT_IN)), module) is not None
    assert longest_path(Delays(load(bare)), module) is None


def test_combinational_loop_has_no_path():
    pins = [{"A": [2], "Y": [3]}, {"A": [3], "Y": [2]}]
    cells = {str(i): {"type": "INV_X1", "connections": wires} for i, wires in enumerate(pins)}
    module = {"ports": {}, "cells": cells, "netnames": {}}
    assert longest_path(Delays(load(BUILT_IN)), module) is None


def test_adder_cells_are_used_where_smaller(tmp_path: Path):
    library = load(BUILT_IN)
    tried = {each.adders: each for each in variants(PIPELINE, "unit", library, ("area",))}
    assert set(tried) == {"gates", "full"}, "no half adder is instantiated"
    assert "FA_X1" not in tried["gates"].cells
    assert tried["full"].cells["FA_X1"] == 8
    assert tried["full"].area < tried["gates"].area
    assert tried["gates"].abc_delay is not None and tried["full"].abc_delay is None
    assert tried["full"].path is not None and "FA_X1" in tried["full"].path.cells
    assert area(PIPELINE, "unit", library).adders == "full"

    planted = tmp_path / "planted.lib"
    text = re.sub(r"(cell \(FA_X1\) {\s*area : )7;", r"\g<1>70;", BUILT_IN.read_text())
    planted.write_text(text)
    assert area(PIPELINE, "unit", planted).adders == "gates"


def test_adder_with_a_constant_dissolves():
    body = "full_adder u (.a(a), .b(b), .c(1'b0), .s(y), .co());"
    mapped = area(ADDERS + gate(body), "top", BUILT_IN, adders="full")
    assert dict(mapped.cells) == {"XOR2_X1": 1}


def test_breakdown_adds_up_and_counts_instances():
    result = synthesize(PIPELINE, "unit", PARTS, BUILT_IN)
    parts = result["breakdown"]["parts_ge"]
    assert list(parts) == ["products", "reduction", "accumulator", "registers"]
    assert parts["products"] == 2 * 7 * 1.5
    assert parts["reduction"] == 2 * 4 * 7
    assert parts["registers"] == 4 * 6
    assert result["breakdown"]["total_ge"] == pytest.approx(sum(parts.values()))
    area_recipe = result["recipes"][0]
    assert result["breakdown"]["recipe_total_ge"] == area_recipe["area_ge"]["total"]


def test_result_is_plain_complete_and_repeatable():
    result = synthesize(PIPELINE, "unit", PARTS, BUILT_IN)
    assert json.loads(json.dumps(result)) == result
    assert synthesize(PIPELINE, "unit", PARTS, BUILT_IN) == result
    assert set(result) == {
        *("top", "library", "tools", "flattened", "method", "stimuli", "recipes", "breakdown")
    }
    assert result["library"]["nand2"] == {"cell": "NAND2_X1", "area_library": 1.0}
    assert [recipe["recipe"] for recipe in result["recipes"]] == ["area", "delay"]
    for recipe in result["recipes"]:
        areas = recipe["area_ge"]
        assert areas["total"] == pytest.approx(areas["combinational"] + areas["sequential"])
        assert recipe["longest_path"]["ns"] > recipe["combinational_path"]["ns"] > 0
        assert {each["adders"] for each in recipe["tried"]} == {"gates", "full"}


def test_broken_verilog_is_told_in_yosys_words():
    with pytest.raises(yosys.YosysError, match="syntax error"):
        area("module top(; endmodule", "top", BUILT_IN)


def test_latch_without_a_cell():
    verilog = gate("reg q; always @* if (a) q = b; assign y = q;")
    with pytest.raises(UsageError, match=r"^LIB .* cannot be used: .* latches are not supported$"):
        area(verilog, "top", BUILT_IN)

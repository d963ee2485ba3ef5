"""Synthesis module by module: counts, and the very paths of the flattened netlist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gen import synth, yosys
from gen.cells import BUILT_IN
from gen.config import Configuration
from gen.delays import Delays
from gen.flow import RECIPES, Flow
from gen.hierarchy import MOST_CELLS, instances, outermost
from gen.liberty import load
from gen.measure import synthesize
from gen.timing import Path as TimingPath
from gen.timing import longest_path
from verif.synth_designs import PARTS, PIPELINE

# Ways through a module: logic, a register, a wire, a constant; and one that comes back.
MIXED = """
module inner (input clk, input [3:0] a, b, output [3:0] sum, wired, output reg [3:0] held,
              output fixed);
  assign sum = a + b;
  assign wired = {b[0], b[3:1]};
  assign fixed = 1'b1;
  reg [3:0] first;
  always @(posedge clk) begin
    first <= a * b;
    held <= first ^ {4{first[0]}};
  end
endmodule
module mixed (input clk, input [3:0] x, y, output [3:0] o, p, q, output reg [3:0] r);
  wire [3:0] s0, w0, h0, s1, w1, h1;
  wire f0, f1;
  inner i0 (.clk(clk), .a(x), .b(y), .sum(s0), .wired(w0), .held(h0), .fixed(f0));
  inner i1 (.clk(clk), .a(s0 ^ h1), .b(w0), .sum(s1), .wired(w1), .held(h1), .fixed(f1));
  assign o = s1 & {4{f0}}, p = w1 ^ h0, q = w0;
  always @(posedge clk) r <= s1 * (h1 + h0);
endmodule
"""
DESIGNS = {"unit": (PIPELINE, ["count", "mask"]), "mixed": (MIXED, ["inner"])}


def flattened(modules: dict[str, dict], top: str, folder: Path) -> dict:
    """A mapped netlist without its hierarchy."""
    (folder / "mapped.json").write_text(json.dumps({"modules": modules}))
    lines = ["read_json mapped.json", "setattr -mod -unset keep_hierarchy *"]
    yosys.run([*lines, f"flatten {top}", "write_json flat.json"], folder)
    return yosys.netlist(folder / "flat.json")[top]


@pytest.mark.parametrize("top", DESIGNS)
def test_paths_are_those_of_the_flattened_netlist(top: str, tmp_path: Path):
    library = load(BUILT_IN)
    delays = Delays(library)
    verilog, kept = DESIGNS[top]
    with Flow(verilog, top, library, kept) as flow:
        mapped = flow.map([(recipe, "gates") for recipe in RECIPES])
    for modules, abc_delay in mapped:
        assert set(modules) == {*kept, top} and abc_delay is None
        flat = flattened(modules, top, tmp_path)
        assert len(flat["cells"]) > len(modules[top]["cells"])
        for registers in (True, False):
            have = longest_path(delays, modules[top], registers, modules)
            want = longest_path(delays, flat, registers)
            assert isinstance(have, TimingPath) and isinstance(want, TimingPath)
            assert have.nanoseconds == pytest.approx(want.nanoseconds, rel=1e-9)
            assert len(have.cells) == len(want.cells) > 3


def test_a_part_that_takes_bits_of_a_signed_port_for_a_later_module_is_kept():
    later = """
    module part (input signed [1:0] a, output y);
      later u (.a(a[0]), .y(y));
    endmodule
    module later (input a, output y);
      assign y = ~a;
    endmodule
    module top (input [1:0] a, output y);
      part u (.a(a), .y(y));
    endmodule
    """
    with Flow(later, "top", load(BUILT_IN), ["part"]) as flow:
        ((modules, _),) = flow.map([("area", "gates")])
    assert set(modules) == {"part", "top"}


def test_a_loop_through_modules_has_no_path():
    inverter = {
        "ports": {
            "a": {"direction": "input", "bits": [2]},
            "y": {"direction": "output", "bits": [3]},
        },
        "cells": {"u": {"type": "INV_X1", "connections": {"A": [2], "Y": [3]}}},
        "netnames": {},
    }
    pins = [{"a": [2], "y": [3]}, {"a": [3], "y": [2]}]
    cells = {str(i): {"type": "box", "connections": wires} for i, wires in enumerate(pins)}
    loop = {"ports": {}, "cells": cells, "netnames": {}}
    delays = Delays(load(BUILT_IN))
    assert longest_path(delays, inverter) is not None
    assert longest_path(delays, loop, modules={"box": inverter}) is None


def test_modules_are_counted():
    result = synthesize(PIPELINE, "unit", PARTS, BUILT_IN, flatten=False)
    assert not result["flattened"]
    for recipe in result["recipes"]:
        modules = recipe["modules"]
        counts = {name: module["instances"] for name, module in modules.items()}
        assert counts == {"count": 2, "mask": 2, "unit": 1}
        total = sum(module["instances"] * module["area_ge"] for module in modules.values())
        assert total == pytest.approx(recipe["area_ge"]["total"])
        assert sum(recipe["cells"].values()) > 2 * 11
    flat = synthesize(PIPELINE, "unit", PARTS, BUILT_IN)
    assert list(flat["recipes"][0]["modules"]) == ["unit"]


def test_outermost_parts_of_a_tile_are_decoders_and_cells():
    verilog, description = synth.emit(Configuration.parse("amxfp4:mxfp4", "tile", m=2, n=3))
    kept = outermost(verilog, description["top"], description["parts"])
    assert [name.split("_")[0] for name in kept] == ["cell", "operand", "operand"]


def test_instances_multiply_down_the_hierarchy():
    def module(*kinds: str) -> dict:
        return {"cells": {str(i): {"type": kind} for i, kind in enumerate(kinds)}}

    modules = {"t": module("a", "a", "b"), "a": module("b", "b", "NAND"), "b": module("INV")}
    assert instances(modules, "t") == {"t": 1, "a": 2, "b": 5}


@pytest.mark.parametrize(
    ("flatten", "n", "flat"), [(None, 2, True), (None, 3, False), (True, 3, True)]
)
def test_what_is_large_is_not_flattened(flatten, n, flat, monkeypatch, tmp_path, capsys):
    description = {"top": "unit", "parts": PARTS, "digest": "0"}
    monkeypatch.setattr(synth, "emit", lambda configuration: (PIPELINE, description))
    configuration = Configuration.parse("mxfp4", "tile", m=2, n=n)
    assert (2 * n <= MOST_CELLS) == (n == 2)
    (result,) = synth.run(configuration, folder=tmp_path, flatten=flatten)
    assert result["flattened"] == flat
    assert result["command"].endswith(" FLATTEN=1") == (flatten is not None)
    assert ("instances" in capsys.readouterr().out) != flat

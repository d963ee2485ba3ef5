"""FPGA targets: counts known by hand, no DSPs, and one sentence for what cannot be."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from gen import synth
from gen.cli import main
from gen.config import Configuration
from gen.errors import UsageError
from gen.fpga import TARGETS, counts, synthesize
from gen.verilog import emit
from verif.synth_designs import PARTS, PIPELINE

SMALL = """
module top(input clk, input [15:0] a, b, output reg [15:0] sum, output [31:0] product, output y);
  always @(posedge clk) sum <= a + b;
  assign product = a * b;
  assign y = a[0] & b[0];
endmodule
"""

LOOP = """
module top(input clk, input [31:0] a, b, output reg signed [10:0] o);
  integer k; reg signed [10:0] s; reg signed [3:0] x, y;
  always @* begin
    s = 0;
    for (k = 0; k < 8; k = k + 1) begin x = a[4*k +: 4]; y = b[4*k +: 4]; s = s + x * y; end
  end
  always @(posedge clk) o <= s;
endmodule
"""
TREE = """
module top(input clk, input [31:0] a, b, output reg signed [10:0] o);
  genvar k;
  generate
    for (k = 0; k < 8; k = k + 1) begin : p
      wire signed [3:0] x = a[4*k +: 4], y = b[4*k +: 4];
      (* keep *) wire signed [7:0] m = x * y;
    end
    for (k = 0; k < 4; k = k + 1) begin : q
      (* keep *) wire signed [8:0] s = p[2*k].m + p[2*k+1].m;
    end
    for (k = 0; k < 2; k = k + 1) begin : r
      (* keep *) wire signed [9:0] s = q[2*k].s + q[2*k+1].s;
    end
  endgenerate
  always @(posedge clk) o <= r[0].s + r[1].s;
endmodule
"""


@pytest.mark.parametrize("target", TARGETS)
def test_small_design(target: str):
    found = synthesize(SMALL, "top", target)
    assert found["flip_flops"] == 16
    assert found["luts"] > 200, "the multiplier is made of LUTs"
    assert found["dsps"] == found["memories"] == found["other"] == 0
    assert found["carries"] >= {"ice40": 15, "ecp5": 8, "xilinx": 4}[target]
    resources = sum(found[name] for name in TARGETS[target].resources)
    assert resources == sum(found["cells"].values())


def test_one_gate_is_one_lut():
    found = synthesize(
        "module top(input a, b, c, output y); assign y = a & b ^ c; endmodule", "top", "ice40"
    )
    assert found["cells"] == {"SB_LUT4": 1}


def test_compressor_trees_take_fewer_luts_than_other_forms():
    """Than a loop, and than a tree of adders, which are carry chains."""
    verilog, description = emit(Configuration.parse("int4", "dot", 8))
    ours = synthesize(verilog, description["top"], "ice40")
    loop, tree = (synthesize(other, "top", "ice40") for other in (LOOP, TREE))
    assert tree["carries"] > 50
    assert 200 < ours["luts"] < min(loop["luts"], tree["luts"])


def test_what_no_pattern_takes_is_other():
    found = counts(TARGETS["xilinx"], Counter(LUT6=2, MUXF7=1, FDRE=3, DSP48E1=1, ODDR=4))
    assert found == {
        "luts": 2,
        "carries": 0,
        "flip_flops": 3,
        "wide_muxes": 1,
        "dsps": 1,
        "memories": 0,
        "other": 4,
    }


def test_run_writes_a_file_and_a_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
):
    description = {"top": "unit", "parts": PARTS, "digest": "0"}
    monkeypatch.setattr(synth, "emit", lambda configuration: (PIPELINE, description))
    result = synth.run_fpga(Configuration.parse("mxfp4"), "ice40", tmp_path)
    path = tmp_path / "mac_mxfp4_k32_fp32.ice40.json"
    assert json.loads(path.read_text()) == result
    assert result["command"] == "make synth FMT=mxfp4 UNIT=mac K=32 ACC=fp32 TARGET=ice40"
    assert result["flip_flops"] == 4
    printed = capsys.readouterr().out
    for word in ("Lattice iCE40", "LUTs", "carry cells", "flip-flops", "DSPs", path.name):
        assert word in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--target", "gowin"], "TARGET must be one of ice40, ecp5, xilinx, not 'gowin'."),
        (
            ["--target", "ice40", "--lib", "x.lib"],
            "LIB must be left out with TARGET, which is an FPGA's.",
        ),
    ],
)
def test_refused(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture):
    assert main(["synth", "--fmt", "mxfp4", *arguments]) == 2
    assert capsys.readouterr().err == f"mxforge: {sentence}\n"


def test_unknown_target_before_anything_is_written(tmp_path: Path):
    with pytest.raises(UsageError, match="^TARGET must be one of "):
        synth.run_fpga(Configuration.parse("mxfp4"), "", tmp_path / "out")
    assert not (tmp_path / "out").exists()

"""Registers, conditions and hierarchies through the Verilog writer; planted faults; bad input."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gen.rtlil import RTLILError, parse
from gen.writer import verilog
from verif.equivalence import unproven
from verif.small_designs import controller, hierarchy, instance, logic, nested

CONTROLLER = """\
    always @(posedge clk) begin
        if (rst) begin
            busy <= 1'b0;
            count <= 4'd3;
        end else if (en) begin
            busy <= load;
            if (load) begin
                count <= data;
            end else begin
                count[1:0] <= data[3:2];
            end
        end
    end

    always @(posedge clk) begin
        delayed <= last;
        if (en) begin
            if (load) begin
                last <= count;
            end
        end
    end
endmodule
"""


def check(rtlil_text: str, folder: Path) -> str:
    """Write a design as Verilog, prove the two equivalent, and return the Verilog."""
    written = verilog(rtlil_text)
    assert unproven(rtlil_text, written, folder) == []
    return written


def test_registers_of_one_reset_share_a_block(tmp_path: Path):
    written = check(controller(), tmp_path)
    blocks = written[written.index("    always") :]
    assert blocks == CONTROLLER
    assert "initial" not in written


def test_nested_conditions(tmp_path: Path):
    written = check(nested(), tmp_path)
    assert "casez (s)" in written and "3'b1?0: begin" in written and "3'b001, 3'b010" in written
    assert "if (o_equal) begin" in written and "end else if (b[0]) begin" in written


def test_hierarchy_and_names(tmp_path: Path):
    written = check(hierarchy(), tmp_path)
    assert "outer_cell cell_instance (" in written
    assert re.search(r"\bword_0__value = ", written) and not re.search(r"\bpacked\b", written)


FAULTS = [
    (controller, "busy <= load", "busy <= en"),
    (controller, "count <= 4'd3", "count <= 4'd2"),
    (controller, "end else if (en)", "end if (en)"),
    (controller, "count[1:0] <=", "count[2:1] <="),
    (nested, "3'b1?0", "3'b1?1"),
    (nested, "3'b001, 3'b010", "3'b001"),
    (nested, "else if (b[0])", "else if (b[1])"),
    (lambda: logic("x", lambda a, b, s: b < -3), "$signed(b)", "$unsigned(b)"),
    (lambda: logic("x", lambda a, b, s: b >> s), "$signed(b)", "$unsigned(b)"),
    (lambda: logic("x", lambda a, b, s: b * a), "b[4]", "b[3]"),
    (lambda: logic("x", lambda a, b, s: a + s), "1'b0", "1'b1"),
]


@pytest.mark.parametrize(("design", "right", "wrong"), FAULTS)
def test_planted_fault_is_found(design, right: str, wrong: str, tmp_path: Path):
    text = design()
    written = verilog(text)
    assert right in written
    (module,) = parse(text)
    assert unproven(text, written.replace(right, wrong, 1), tmp_path) == [module.name]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module \\m\n  wire width 1 \\a\n", "must close every module, cell, process"),
        ("module \\m\n  memory width 1 size 2 \\a\nend\n", "line 2 must be what Amaranth writes"),
        (
            "module \\m\n  wire width 1 \\a\n  connect \\a 1'x\nend\n",
            'not "connect \\\\\\\\a 1\'x"',
        ),
        ("module \\m\n  connect \\a 1'0\nend\n", "line 2 must be what Amaranth writes"),
        ("nonsense\n", "line 1 must be what Amaranth writes, not 'nonsense'"),
        ("module \\wire\nend\n", "must be a Verilog identifier and no keyword, not 'wire'"),
        (instance("no-name"), "must be a Verilog identifier and no keyword, not 'no-name'"),
        (
            "module \\m\n wire width 1 \\y\n cell $pow $1\n connect \\Y \\y\n end\nend\n",
            r"Cell of m must be one that the writer knows, not \$pow",
        ),
        (
            "module \\m\n wire width 1 \\y\n cell $not $1\n parameter \\A_WIDTH 1\n"
            " parameter \\Y_WIDTH 1\n connect \\A \\y [0]\n connect \\Y \\y\n end\nend\n",
            "Logic of m must have no loop, not y, y",
        ),
    ],
)
def test_bad_input(text: str, message: str):
    with pytest.raises(RTLILError, match=message):
        verilog(text)

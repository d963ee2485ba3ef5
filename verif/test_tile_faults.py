"""The testbench of tiles can fail: faults planted into control, rows and the exact accumulator."""

import re

import pytest

from gen import verilog
from gen.config import Configuration
from verif.test_rtl_faults import outcome


@pytest.fixture(scope="module")
def design():
    """A small tile, its Verilog and its description."""
    options = {"k": 2, "m": 3, "n": 2, "acc": "exact", "window": "-12:12:4"}
    configuration = Configuration.parse("fp8_e4m3", "tile", **options)
    return configuration, *verilog.emit(configuration)


def test_unchanged(design, tmp_path):
    assert outcome(tmp_path, design, design[1]) == "equal"


FAULTS = {
    "rows overwritten": (r"wire take = done_1 & free;", "wire take = done_1;"),
    "no stall": (r"assign i_ready = ~done_1 \| free;", "assign i_ready = 1'b1;"),
    "no double buffer": (r"(assign i_ready = ~done_1) \| free;", r"\1;"),
    "last row is not": (r"assign o_last = left == 2'd1;", "assign o_last = left == 2'd2;"),
    "flags of row 1 lost": (r"\.below_overflow\(row1_o_overflow\)", ".below_overflow(2'd0)"),
    "a column twice": (r"\.b\(b\[41:21\]\)", ".b(b[20:0])"),
    "flag a step late": (r"overflow <= lost;", "overflow <= overflow;"),
    "flag not sticky": (r"\(first \? ([^:]+) :\s+lost\)", r"(first & \1)"),
    "flag for ever": (r"\(first \? ([^:]+) :\s+lost\)", r"(first & \1 | lost)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_caught(fault, design, tmp_path):
    pattern, instead = FAULTS[fault]
    changed, count = re.subn(pattern, instead, design[1], count=1, flags=re.DOTALL)
    assert count == 1
    assert outcome(tmp_path, design, changed) != "equal"

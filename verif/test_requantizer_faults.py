"""The testbench of a requantizing tile can fail: faults planted where tile and quantizer meet."""

import pytest

from gen import verilog
from gen.configure import configure
from verif.test_rtl_faults import check_slips, outcome

PARTS = ("scaling", "accumulator", "thresholds")
FAULTS = {
    "rows ignore stalls": (".o_ready(rows_ready)", ".o_ready(1'b1)"),
    "scale not kept": (".i_scale(q_scale_o)", ".i_scale(i_scale)"),
    "scale of every step": (".put(i_valid & i_ready & i_last)", ".put(i_valid & i_ready)"),
    "scale of a stalled step": (".put(i_valid & i_ready & i_last)", ".put(i_valid & i_last)"),
    "scale of the first product for ever": (".take(take)", ".take(1'b0)"),
    "scale of every row": ("tile_o_valid & rows_ready & tile_o_last", "tile_o_valid & rows_ready"),
    "elements swapped": (".i_x(tile_o_row)", ".i_x({tile_o_row[31:0], tile_o_row[127:32]})"),
    "no last row": (".i_last(tile_o_last)", ".i_last(1'b0)"),
    "a threshold not reached": ("x[30:0] >= thresholds[61:31]", "x[30:0] > thresholds[61:31]"),
    "row 1 twice": (".below_acc(row1_o_acc)", ".below_acc(o_row)"),
}


@pytest.fixture(scope="module")
def requantizer():
    """A configuration, its Verilog and its description."""
    configuration = configure("requantize", fmt="fp8_e5m2", following="int4", m=2, n=4, k=1)
    return configuration, *verilog.emit(configuration)


def test_unchanged(requantizer, tmp_path):
    assert outcome(tmp_path, requantizer, requantizer[1]) == "equal"


@pytest.mark.parametrize("part", PARTS)
def test_slips_are_caught(part, requantizer, tmp_path):
    check_slips(part, requantizer, tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_between_tile_and_quantizer_are_caught(fault, requantizer, tmp_path):
    old, new = FAULTS[fault]
    changed = requantizer[1].replace(old, new, 1)
    assert changed != requantizer[1]
    assert outcome(tmp_path, requantizer, changed) != "equal"

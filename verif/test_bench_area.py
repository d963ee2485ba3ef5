"""The area benchmark: one small row runs, on results that are exact."""

from __future__ import annotations

import pytest

from gen.bench_area import ROWS, run
from gen.cells import BUILT_IN


def test_small_row(capsys):
    (result,) = run(["dot_e2m1_k16"], BUILT_IN, count=500)
    assert result.exact > 500
    assert result.area > 0 == result.sequential
    printed = capsys.readouterr().out
    assert "dot_e2m1_k16" in printed


def test_names_and_bounds():
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [row.bound for row in ROWS if row.name == "dot_e2m1_k32"] == [pytest.approx(3833.6)]

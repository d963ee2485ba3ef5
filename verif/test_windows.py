"""Products of wide range: which are added two lanes at a time, their bits, and their sum."""

import random

import pytest

from gen.cells import BUILT_IN
from gen.liberty import load
from gen.mapping import area
from gen.verilog import emit_part
from golden.elements import FloatFormat
from golden.formats import get_format
from hdl.decode import largest_shift, least_shift, significand_width
from hdl.heap import Reduction
from hdl.lane import Form, lane_layout
from hdl.lanes import generator, sum_shape
from hdl.window import WindowPair, WindowProduct
from verif.netlists import mapped

COUNT = 400
E5M1 = FloatFormat("e5m1", 7, 5, 1, 15)
E5M2 = get_format("fp8_e5m2").element


@pytest.mark.parametrize(
    ("pair", "kind", "low"),
    [
        ("fp8_e5m2:fp8_e5m2", WindowPair, 4),
        ("mxfp8_e5m2:mxfp8_e4m3", WindowProduct, 3),
        ("mxfp8_e5m2:mxfp6_e2m3", WindowProduct, 3),
        ("mxfp8_e4m3:mxfp8_e4m3", WindowProduct, 3),
        ("mxfp6_e3m2:mxfp6_e3m2", WindowProduct, 4),
    ],
)
def test_which_are_added_in_pairs(pair, kind, low):
    a, b = map(get_format, pair.split(":"))
    cell = generator(a, b, lane_layout(a.element, Form.FIELDS).members)
    assert type(cell) is kind and cell.low == low


def decoded(element, rng) -> dict[str, int]:
    """Fields of an element, as Decode gives them, often at the ends of its range."""
    least, largest = least_shift(element), largest_shift(element)
    shift = rng.choice((least, least + 1, rng.randint(least, largest), largest))
    leading = 1 << significand_width(element) - 1
    sig = rng.randrange(leading, 2 * leading) if shift > least else rng.randrange(2 * leading)
    return {"neg": rng.randrange(2), "sig": sig, "shift": shift}


@pytest.mark.parametrize(("a", "b"), [(E5M2, E5M2), (E5M1, E5M1), (E5M2, E5M1)])
def test_two_lanes(a, b, seed):
    """The bits by their factors: lanes in one window, side by side, and far apart."""
    cell = WindowPair(a, b)
    run, rng, windows = mapped(cell), random.Random(seed), set()
    least = least_shift(a) + least_shift(b)
    for i in range(COUNT):
        lanes = [[decoded(element, rng) for element in (a, b)] for _ in "xy"]
        if i % 3 == 0:
            for x, y in zip(*lanes):
                y["shift"] = x["shift"]
        inputs = {
            f"{name}_{operand}_{field}": value
            for name, lane in zip("xy", lanes)
            for operand, fields in zip("ab", lane)
            for field, value in fields.items()
        }
        bits = run(**inputs)
        shifts = [x["shift"] + y["shift"] for x, y in lanes]
        products = [(-1) ** (x["neg"] ^ y["neg"]) * x["sig"] * y["sig"] for x, y in lanes]
        found = sum(factor for j, factor in enumerate(cell.factors) if bits["o"] >> j & 1)
        assert found << least == sum(p << s for p, s in zip(products, shifts)), inputs
        assert [bits[f"{name}_nonzero"] for name in "xy"] == [int(p != 0) for p in products]
        windows.add(tuple(shift >> cell.low for shift in shifts))
    count = sum(factor < 0 for factor in cell.factors)
    assert {x for x, _ in windows} == set(range(count))
    assert {x - y for x, y in windows} >= {-1, 0, 1}


def test_late_carries_meet():
    """The sum of 16 pairs, whose columns differ in height: one carry goes up, not two."""
    cell, library = WindowPair(E5M2, E5M2), load(BUILT_IN)
    assert cell.halves_first
    shape = sum_shape(*2 * [get_format("fp8_e5m2")], 32)
    paths = []
    for halves_first in (False, True):
        total = Reduction(16, cell.factors, 0, shape, cell.key, halves_first=halves_first)
        mapped_total = area(*emit_part(total), library, adders="full and half")
        paths.append(mapped_total.combinational_path.nanoseconds)
    assert paths[1] < 0.75 * paths[0]

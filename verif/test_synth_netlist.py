"""The mapped netlist computes what the Verilog says, adder cells included: every input is tried."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import gen.flow
from gen.adders import Adder, full_adder, kind
from gen.cells import BUILT_IN
from gen.flow import RECIPES, Flow
from gen.liberty import Library, load
from gen.polarity import assign_polarities
from verif.netlists import outputs
from verif.synth_designs import ADDERS, PIPELINE


def inverted(text: str) -> str:
    """The library with a full adder that gives the inverse of sum and carry."""
    for function in ("A^B^CI", "(A*B)+(A*CI)+(B*CI)"):
        text, count = re.subn(re.escape(f'"{function}"'), f'"!({function})"', text)
        assert count == 1
    return text


def without(*names: str) -> Callable[[str], str]:
    """What makes a library that must not take the cells `names`."""

    def change(text: str) -> str:
        for name in names:
            assert f"cell ({name}) {{" in text
            text = text.replace(f"cell ({name}) {{", f"cell ({name}) {{\n    dont_use : true;")
        return text

    return change


LIBRARIES: dict[str, tuple[Callable[[str], str], dict[str, int]]] = {
    "plain": (str, {"FA_X1": 1}),
    "inverted": (inverted, {"FA_X1": 1}),
    "and-or": (without("FA_X1", "OAI22_X1"), {"X": 2, "AOI22_X1": 1}),
    "or-and": (without("FA_X1", "AOI22_X1"), {"X": 2, "OAI22_X1": 1}),
    "one-polarity": (without("FA_X1", "XNOR2_X1"), {"XOR2_X1": 2, "AOI22_X1": 1}),
}
"""Changes of the built-in library, and the cells of its full adder then; X: exclusive ors of either
polarity."""
EXCLUSIVE_ORS = ("XOR2_X1", "XNOR2_X1")


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Library:
    """The built-in library after a change."""
    change, _ = LIBRARIES[request.param]
    path = tmp_path / f"{request.param}.lib"
    path.write_text(change(BUILT_IN.read_text()))
    return load(path)


@pytest.mark.parametrize("choice", ["gates", "full"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_netlist_counts_ones(library: Library, recipe: str, choice: str):
    with Flow(PIPELINE, "count", library) as flow:
        ((modules, _),) = flow.map([(recipe, choice)])
    module = modules["count"]
    kinds = Counter(cell["type"] for cell in module["cells"].values())
    if choice == "full":
        cells = LIBRARIES[library.path.stem][1]
        kinds["X"] = sum(kinds[name] for name in EXCLUSIVE_ORS)
        assert {name: kinds[name] for name in cells} == {name: 4 * n for name, n in cells.items()}
        assert set(kinds) - set(cells) <= {"X", "INV_X1", *EXCLUSIVE_ORS}
    for x in range(128):
        assert outputs(module, library, {"x": x}) == {"n": x.bit_count()}


def heap(bits: int) -> tuple[str, list[int]]:
    """A module that adds two columns of `bits` bits down to at most two bits a column, and the
    weights of the bits that are left."""
    lines: list[str] = []
    columns = {0: [f"x[{i}]" for i in range(bits)], 1: [f"x[{bits + i}]" for i in range(bits)]}
    weight = 0
    while weight in columns:
        column = columns[weight]
        while len(column) > 2:
            a, b, c = (column.pop(0) for _ in range(3))
            i = len(lines)
            lines.append(f"full_adder f{i} (.a({a}), .b({b}), .c({c}), .s(s[{i}]), .co(c[{i}]));")
            column.append(f"s[{i}]")
            columns.setdefault(weight + 1, []).append(f"c[{i}]")
        weight += 1
    left = [(bit, 1 << weight) for weight, column in columns.items() for bit in column]
    text = (
        f"{ADDERS}module heap(input [{2 * bits - 1}:0] x, output [{len(left) - 1}:0] y);\n"
        f"  wire [{len(lines) - 1}:0] s, c;\n  " + "\n  ".join(lines) + "\n"
        f"  assign y = {{{', '.join(bit for bit, _ in reversed(left))}}};\nendmodule\n"
    )
    return text, [weight for _, weight in left]


def test_heap_adds(library: Library, seed: int):
    text, weights = heap(12)
    with Flow(text, "heap", library) as flow:
        ((modules, _),) = flow.map([("area", "full")])
    module = modules["heap"]
    rng = random.Random(seed)
    for x in [0, (1 << 24) - 1, *(rng.getrandbits(24) for _ in range(200))]:
        y = outputs(module, library, {"x": x})["y"]
        total = sum(weight for i, weight in enumerate(weights) if y >> i & 1)
        assert total == (x & 4095).bit_count() + 2 * (x >> 12).bit_count()


@pytest.mark.parametrize("library", ["and-or", "or-and"], indirect=True)
def test_heap_of_every_kind_of_full_adder(library: Library, monkeypatch: pytest.MonkeyPatch):
    """The heap that is added above has all four."""
    adder, found = full_adder(library), set()

    def noted(module: dict, same: Adder) -> None:
        assign_polarities(module, same)
        found.update(cell["type"] for cell in module["cells"].values())

    monkeypatch.setattr(gen.flow, "assign_polarities", noted)
    with Flow(heap(12)[0], "heap", library) as flow:
        flow.map([("area", "full")])
    assert adder is not None and adder.other is not None
    assert {kind(c, o) for c in (False, True) for o in (False, True)} <= found


def test_carries_need_few_inverters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Fewer than where all adders are alike."""
    path = tmp_path / "gates.lib"
    path.write_text(without("FA_X1")(BUILT_IN.read_text()))
    inverters = []
    for assign in (assign_polarities, lambda module, adder: None):
        monkeypatch.setattr(gen.flow, "assign_polarities", assign)
        with Flow(heap(12)[0], "heap", load(path)) as flow:
            ((modules, _),) = flow.map([("area", "full")])
        kinds = Counter(cell["type"] for cell in modules["heap"]["cells"].values())
        assert set(kinds) <= {*EXCLUSIVE_ORS, "OAI22_X1", "INV_X1"}
        inverters.append(kinds["INV_X1"])
    few, many = inverters
    assert few < many / 3

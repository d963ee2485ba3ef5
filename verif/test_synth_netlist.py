"""The mapped netlist computes what the Verilog says, adder cells included: every input is tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gen.cells import BUILT_IN
from gen.flow import ADDERS as CHOICES
from gen.flow import RECIPES, Flow
from gen.liberty import Library, load
from verif.synth_designs import PIPELINE


def outputs(module: dict, library: Library, inputs: dict[str, int]) -> dict[str, int]:
    """Evaluate a combinational netlist by the truth tables of its cells."""
    values: dict[int | str, int] = {"0": 0, "1": 1}
    for name, port in module["ports"].items():
        if port["direction"] == "input":
            values |= {bit: inputs[name] >> i & 1 for i, bit in enumerate(port["bits"])}
    waiting = [cell for cell in module["cells"].values() if cell["type"] in library.cells]
    while waiting:
        later = []
        for instance in waiting:
            cell = library.cells[instance["type"]]
            nets = {pin: bits[0] for pin, bits in instance["connections"].items()}
            if any(nets[pin] not in values for pin in cell.inputs):
                later.append(instance)
                continue
            row = sum(values[nets[pin]] << i for i, pin in enumerate(cell.inputs))
            for pin, table in cell.functions.items():
                assert table is not None
                if pin in nets:
                    values[nets[pin]] = table >> row & 1
        assert len(later) < len(waiting), "the netlist has a loop"
        waiting = later
    return {
        name: sum(values[bit] << i for i, bit in enumerate(port["bits"]))
        for name, port in module["ports"].items()
        if port["direction"] == "output"
    }


@pytest.fixture(params=["plain", "inverted"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Library:
    """The built-in library, and one whose full adder gives the inverse of sum and carry."""
    if request.param == "plain":
        return load(BUILT_IN)
    text = BUILT_IN.read_text()
    for function in ("A^B^CI", "(A*B)+(A*CI)+(B*CI)"):
        text, count = re.subn(re.escape(f'"{function}"'), f'"!({function})"', text)
        assert count == 1
    path = tmp_path / "inverted.lib"
    path.write_text(text)
    return load(path)


@pytest.mark.parametrize("choice", ["gates", "full"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_netlist_counts_ones(library: Library, recipe: str, choice: str):
    with Flow(PIPELINE, "count", library) as flow:
        ((modules, _),) = flow.map([(recipe, choice)])
    module = modules["count"]
    kinds = [cell["type"] for cell in module["cells"].values()]
    assert kinds.count("FA_X1") == 4 * len(CHOICES[choice])
    for x in range(128):
        assert outputs(module, library, {"x": x}) == {"n": x.bit_count()}

"""Which full adders work on complements: small heaps as Yosys's JSON has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gen.adders import Adder, full_adder, kind
from gen.cells import BUILT_IN
from gen.flow import Flow
from gen.liberty import load
from gen.polarity import assign_polarities
from verif.netlists import outputs
from verif.synth_designs import ADDERS
from verif.test_synth_netlist import without


@pytest.fixture
def adder(tmp_path: Path) -> Adder:
    """A full adder of the built-in library's gates."""
    path = tmp_path / "gates.lib"
    path.write_text(without("FA_X1")(BUILT_IN.read_text()))
    found = full_adder(load(path))
    assert found is not None and found.other is not None
    return found


def cells(**adders: str) -> dict:
    """A module of full adders, each by its nets at a, b, c, s and co; capitals are ands' outputs,
    0 and 1 constants."""
    module = {
        name: {
            "type": "full_adder",
            "connections": {
                port: [net if net in "01" else ord(net)]
                for port, net in zip(("a", "b", "c", "s", "co"), nets, strict=True)
            },
        }
        for name, nets in adders.items()
    }
    for net in range(ord("A"), ord("Z") + 1):
        gate = {"type": "$_AND_", "connections": {"A": [1], "B": [1], "Y": [net]}}
        module[f"gate{net}"] = gate
    return {"cells": module}


def kinds(module: dict) -> dict[str, str]:
    return {
        name: cell["type"]
        for name, cell in module["cells"].items()
        if cell["type"].startswith("full_adder")
    }


def test_carries_and_sums_alternate(adder: Adder):
    module = cells(x="ABCsc", y="DEctd", z="FGduv")
    assign_polarities(module, adder)
    assert kinds(module) == {"x": kind(True, True), "y": kind(False), "z": kind(True, True)}


def test_sum_has_the_polarity_that_its_readers_want(adder: Adder):
    module = cells(x="ABCsc", y="DEFtd", z="Gcsuv", w="Htdpq")
    assign_polarities(module, adder)
    assert kinds(module)["x"] == kind(True, True) and kinds(module)["z"] == kind(False)
    alone = cells(x="ABCsc", y="DEctd", z="Gstuv")
    assign_polarities(alone, replace(adder, other=None))
    assert set(kinds(alone).values()) <= {kind(True), kind(False)}


@pytest.mark.parametrize(
    ("readers", "is_other"),
    [
        (["$_AND_"], True),
        (["$_OR_"], True),
        (["$_MUX_"], True),
        (["$_XOR_"], False),
        (["$_AND_", "$_XOR_"], False),
        (["port"], False),
        (["direct"], False),
        (["$_AND_", "direct"], False),
    ],
)
def test_sum_is_complemented_for_gates_that_choose(
    adder: Adder, readers: list[str], is_other: bool
):
    """Readers of the sum's complement, and a gate that reads the sum itself."""
    module, plain = cells(x="ABCsc"), cells(x="ABCsc")
    inverter = {"type": "$_NOT_", "connections": {"A": [ord("s")], "Y": [ord("t")]}}
    module["cells"]["inverter"] = inverter
    for number, reader in enumerate(readers):
        if reader == "port":
            module["ports"] = {"o": {"bits": [ord("t")]}}
            continue
        net = "s" if reader == "direct" else "t"
        connections = {"A": [ord(net)], "B": [1], "Y": [500 + number]}
        kind_of = "$_AND_" if reader == "direct" else reader
        module["cells"][reader] = {"type": kind_of, "connections": connections}
    assign_polarities(module, adder)
    assign_polarities(plain, adder)
    assert (kinds(module) != kinds(plain)) == is_other


def test_constants_and_missing_ports_are_left_alone(adder: Adder):
    module = cells(x="AB0sc", y="DEctd")
    del module["cells"]["y"]["connections"]["co"]
    assign_polarities(module, adder)
    assert kinds(module) == {"x": "full_adder", "y": kind(False)}


def test_loop_of_adders(adder: Adder):
    module = cells(x="ABdsc", y="DEctd")
    assign_polarities(module, adder)
    first, second = (each.startswith(kind(True)) for each in kinds(module).values())
    assert first != second


@pytest.mark.parametrize("choice", ["full", "full and half"])
def test_half_adders_alone(choice: str):
    text = (
        f"{ADDERS}module top(input [1:0] x, output [1:0] y);\n  wire s;\n"
        "  half_adder g (.a(x[0]), .b(x[1]), .s(s), .co(y[1]));\n"
        "  half_adder h (.a(s), .b(x[1]), .s(y[0]), .co());\nendmodule\n"
    )
    library = load(BUILT_IN)
    with Flow(text, "top", library) as flow:
        assert flow.choices == ["gates", "full and half"]
        ((modules, _),) = flow.map([("area", choice)])
    for x in range(4):
        low, high = x & 1, x >> 1
        wanted = {"y": (low & high) << 1 | (low ^ high ^ high)}
        assert outputs(modules["top"], library, {"x": x}) == wanted

"""Power: energies by hand and against OpenSTA; what the reports say."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from gen import opensta, synth
from gen.activity import Gate, Trace, simulate
from gen.behaviour import behaviour
from gen.cells import BUILT_IN
from gen.cli import main
from gen.config import Configuration
from gen.errors import UsageError
from gen.liberty import Library, load
from gen.measure import MEGAHERTZ, synthesize
from gen.power import Power, power
from gen.stimuli import stimuli
from gen.verilog import emit
from verif.synth_designs import PARTS, PIPELINE

OSU = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
SEED = 3

SMALL = """
library (small) {
  nom_voltage : 2; capacitive_load_unit (1, ff); leakage_power_unit : "1uW";
  power_lut_template (two) { variable_1 : total_output_net_capacitance;
    variable_2 : input_transition_time; index_1 ("0, 10"); index_2 ("0, 1"); }
  cell (NOT) { area : 1; cell_leakage_power : 3;
    pin (A) { direction : input; capacitance : 4; }
    pin (Y) { direction : output; function : "!A";
      internal_power () { related_pin : "A";
        rise_power (two) { values ("10, 10", "20, 20"); }
        fall_power (two) { values ("1, 1", "2, 2"); } } } }
  cell (NAND) { area : 1;
    leakage_power () { when : "A B"; value : 8; } leakage_power () { value : 1; }
    pin (A) { direction : input; capacitance : 5; } pin (B) { direction : input; capacitance : 6; }
    pin (Y) { direction : output; function : "!(A B)";
      internal_power () { related_pin : "A"; power (scalar) { values ("100"); } }
      internal_power () { related_pin : "B"; when : "A"; power (scalar) { values ("40"); } } } }
  cell (FLOP) { area : 1;
    ff (IQ, IQN) { clocked_on : "C"; next_state : "D"; }
    pin (C) { direction : input; clock : true; capacitance : 7;
      internal_power () { rise_power (scalar) { values ("30"); }
        fall_power (scalar) { values ("12"); } } }
    pin (D) { direction : input; capacitance : 8;
      internal_power () { when : "Q"; power (scalar) { values ("2"); } }
      internal_power () { power (scalar) { values ("3"); } } }
    pin (Q) { direction : output; function : "IQ";
      internal_power () { related_pin : "C"; power (scalar) { values ("50"); } } } }
}"""


def module(inputs: str, output: int, *cells: tuple[str, dict[str, int]]) -> dict:
    """A module of ports ``clk`` (net 2) and others from net 3 on, one output net, and cells."""
    nets = dict(zip(inputs.split(), range(2, 99)))
    ports = {name: {"direction": "input", "bits": [net]} for name, net in nets.items()}
    ports["y"] = {"direction": "output", "bits": [output]}
    instances = {
        str(i): {"type": kind, "connections": {pin: [net] for pin, net in pins.items()}}
        for i, (kind, pins) in enumerate(cells)
    }
    return {"ports": ports, "cells": instances, "netnames": {}}


def measured(tmp_path: Path, design: dict, **inputs: str) -> Power:
    """Power of a module on the small library; inputs are strings of a bit a cycle."""
    path = tmp_path / "small.lib"
    path.write_text(SMALL)
    library = load(path)
    columns = {name: [[int(bit) * 0xFF for bit in bits]] for name, bits in inputs.items()}
    return power(library, design, simulate(library, design, columns, lanes=8, skipped=0))


def femto(value: float) -> float:
    return value * 1e15


def test_inverters(tmp_path: Path):
    """Two in a row: a rise and two falls of the input in four steps."""
    design = module("clk a", 5, ("NOT", {"A": 3, "Y": 4}), ("NOT", {"A": 4, "Y": 5}))
    found = measured(tmp_path, design, a="10100")
    # Of net 4, with 4 fF: two rises at 14, a fall at 1.4; of net 5, unloaded: two falls, a rise.
    # The library's unit of energy is fF V^2.
    assert femto(found.internal) == pytest.approx((2 * 14 + 1.4 + 2 * 1 + 10) / 4)
    assert femto(found.switching) == pytest.approx(3 * 0.5 * 4 * 2**2 / 4)
    assert femto(found.inputs) == pytest.approx(3 * 0.5 * 4 * 2**2 / 4)
    assert found.clock == 0
    assert found.leakage == pytest.approx(2 * 3e-6)


def test_cause_and_condition_choose_the_energy(tmp_path: Path):
    design = module("clk a b", 5, ("NAND", {"A": 3, "B": 4, "Y": 5}))
    # By A alone, 100; by B alone with A high, 40; by both at once, the mean.
    for a, b, energies in (("01", "11", 100), ("11", "01", 40), ("01", "01", 70), ("11", "11", 0)):
        assert femto(measured(tmp_path, design, a=a, b=b).internal) == pytest.approx(energies)
    # B's group holds with A high only, so that A alone explains a rise in which A falls.
    assert femto(measured(tmp_path, design, a="10", b="10").internal) == pytest.approx(100)
    leakage = measured(tmp_path, design, a="01101", b="00111").leakage
    assert leakage == pytest.approx((2 * 8 + 2 * 1) / 4 * 1e-6)


def test_flip_flop(tmp_path: Path):
    """D rises while Q is low and falls while it is high; the clock has both edges every cycle."""
    design = module("clk d", 4, ("FLOP", {"C": 2, "D": 3, "Q": 4}))
    found = measured(tmp_path, design, d="01100")
    assert femto(found.clock) == pytest.approx(30 + 12 + 2 * 0.5 * 7 * 2**2)
    # Q follows a cycle later: d 01100, q 00110. An energy holds in the state after the edge.
    assert femto(found.internal) == pytest.approx((3 + 2 + 2 * 50) / 4)


def test_library_without_a_voltage(tmp_path: Path):
    path = tmp_path / "bare.lib"
    path.write_text(re.sub(r"nom_voltage : \S+", "", BUILT_IN.read_text()))
    with pytest.raises(UsageError, match=r"^LIB .* must have a nominal voltage for POWER, and has"):
        synth.run(Configuration.parse("int4", "dot", 2), [path], tmp_path / "out", power=True)
    assert not (tmp_path / "out").exists()


needs_osu = pytest.mark.skipif(
    not OSU.exists() or opensta.release() is None, reason="needs opensta and qflow-tech-osu018"
)
CHAIN = (
    ("INVX1", {"A": 3, "Y": 5}),
    ("NAND2X1", {"A": 4, "B": 5, "Y": 6}),
    ("BUFX2", {"A": 6, "Y": 7}),
    ("NOR2X1", {"A": 7, "B": 3, "Y": 8}),
    ("INVX4", {"A": 8, "Y": 9}),
    ("INVX8", {"A": 9, "Y": 10}),
)


@needs_osu
def test_energies_are_those_of_opensta():
    """An edge every other cycle on every net: leakage within 0.1%, the rest within 2%.

    Debian's OpenSTA, of 2019, counts for an edge of an output the energies of both a rise and a
    fall, for each input half as often as the other allows: for these cells, twice of what it is.
    """
    library, flat = load(OSU), module("clk a b", 10, *CHAIN)
    found = power(library, flat, uniform(library, flat), glitches=False)
    commands = ["set_power_activity -global -activity 0.5 -duty 0.5", "report_power -digits 8"]
    report = opensta.script(library, {"top": flat}, "top", commands)
    assert report is not None
    total = re.search(r"^Total +(\S+) +(\S+) +(\S+)", report, re.MULTILINE)
    assert total is not None
    internal, switching, leakage = map(float, total.groups())
    cycles = 1e9 / opensta.PERIOD
    assert found.leakage == pytest.approx(leakage, rel=1e-3)
    assert found.switching * cycles == pytest.approx(switching, rel=0.02)
    assert found.internal * cycles == pytest.approx(internal / 2, rel=0.02)


def uniform(library: Library, flat: dict, lanes: int = 1 << 15) -> Trace:
    """A trace in which every net is random: an edge every other cycle."""
    rng = random.Random(SEED)
    gates_ = [
        Gate(
            c["type"], behaviour(library, c["type"]), {p: b[0] for p, b in c["connections"].items()}
        )
        for c in flat["cells"].values()
        if c["type"] in library.cells
    ]
    nets = {net for gate in gates_ for net in gate.nets.values()} - set(
        flat["ports"]["clk"]["bits"]
    )
    return Trace(gates_, {net: rng.getrandbits(4 * lanes) for net in nets}, lanes, 4)


@pytest.mark.parametrize(
    ("fmt", "unit", "k", "options"),
    [
        ("amxfp4:mxfp4", "tile", 32, {"m": 2, "n": 1}),
        ("nvfp4", "mac", 16, {}),
        ("mxfp4_mbs", "tile", 32, {"m": 1, "n": 2}),
        ("bf16", "mac", 4, {}),
        ("fp8_e5m2", "dot", 2, {}),
        ("int8", "tile", 8, {"m": 20, "n": 1}),
    ],
)
def test_every_port_is_driven(fmt: str, unit: str, k: int, options: dict):
    configuration = Configuration.parse(fmt, unit, k, **options)
    _, description = emit(configuration)
    found = stimuli(configuration, description, seed=SEED)
    widths = {p["name"]: p["width"] for p in description["ports"] if p["direction"] == "input"}
    assert {name: len(bits) for name, bits in found.inputs.items()} | {"clk": 1} == widths
    length = {len(bit) for bits in found.inputs.values() for bit in bits}
    assert len(length) == 1 and length.pop() > found.skipped + 16
    for name, bits in found.inputs.items():
        changes = {value for bit in bits for value in bit}
        constant = name in ("i_c", "o_ready")
        assert len(changes) == 1 if constant else len(changes) > 1, name
    again = stimuli(configuration, description, seed=SEED)
    other = stimuli(configuration, description, seed=SEED + 1)
    assert again.inputs == found.inputs != other.inputs


def test_power_is_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture):
    """The built-in cells have neither energies nor leakage, which is told apart from none."""
    configuration = Configuration.parse("int4", "dot", 2)
    rng = np.random.default_rng(SEED)
    data = tmp_path / "x.npz"
    a, b = rng.standard_normal((2, 5, 6)).astype(np.float32)
    np.savez(data, a=a, b=b)
    (plain,) = synth.run(configuration, [], tmp_path, power=True)
    (tensors,) = synth.run(configuration, [], tmp_path, power=True, data=data)
    assert tensors["command"] == "make synth FMT=int4 UNIT=dot K=2 POWER=1 DATA=x.npz"
    assert plain["stimuli"]["operands"] == "standard normal"
    assert tensors["stimuli"]["operands"] == "x.npz"
    for result in (plain, tensors):
        for recipe in result["recipes"]:
            found = recipe["power"]
            energies = found["energy_pj"]
            assert energies["internal"] is None and found["leakage_uw"] is None
            assert min(energies[name] for name in ("switching", "glitches", "clock")) > 0
            total = energies["switching"] + energies["glitches"] + energies["clock"]
            assert energies["total"] == pytest.approx(total, abs=2e-4)
            assert found["milliwatts"] == pytest.approx(total * MEGAHERTZ * 1e-3, abs=2e-4)
            assert found["femtojoules_per_mac"] == pytest.approx(total * 1e3 / 2, rel=1e-2)
    assert plain["recipes"][0]["power"] != tensors["recipes"][0]["power"]
    printed = capsys.readouterr().out
    for word in ("energy a step, pJ", "at 100 MHz, mW", "x.npz operands"):
        assert word in printed


def test_no_power_unless_asked():
    result = synthesize(PIPELINE, "unit", PARTS, BUILT_IN)
    assert result["stimuli"] is None
    assert [recipe["power"] for recipe in result["recipes"]] == [None, None]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data", "x.npz"], "DATA must come with POWER=1, which it drives, and x.npz does not."),
        (
            ["--power", "1", "--target", "ice40"],
            "POWER must be left out with TARGET, which is an FPGA's.",
        ),
    ],
)
def test_refused(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture):
    assert main(["synth", "--fmt", "int4", "--unit", "dot", "--k", "2", *arguments]) == 2
    assert capsys.readouterr().err == f"mxforge: {sentence}\n"

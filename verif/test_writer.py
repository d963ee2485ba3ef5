"""The Verilog of whole configurations: equivalent to its RTLIL, clean, readable, deterministic."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest

from gen.config import Configuration
from gen.tools import icarus, verilator
from gen.verilog import elaborate, emit
from golden.formats import ELEMENTS
from hdl.decode import Decode
from hdl.shared import Library
from verif.equivalence import unproven

PAIRS = "mxfp4 nvfp4 amxfp4 amxfp4:mxfp4 mxfp8_e4m3 mxfp8_e5m2 mxint8 mxfp6_e3m2 mxint8:mxfp4"
PAIRS = [*PAIRS.split(), "mxfp8_e4m3:mxint8", "amxfp4:mxfp8_e4m3"]
LINT = Path(__file__).with_name("lint.vlt")


# One mac of every kind of addend and of sides; every dot, as they are quick.
PROVEN = [f"mac {pair}" for pair in ("nvfp4", "amxfp4:mxfp4", "mxfp8_e4m3", "mxint8:mxfp4")]
PROVEN += [f"dot {pair}" for pair in PAIRS]


def configuration(name: str) -> Configuration:
    unit, pair = name.split()
    return Configuration.parse(pair, unit=unit)


@cache
def emitted(name: str) -> tuple[str, dict]:
    return emit(configuration(name))


@cache
def rtlil_of(name: str) -> str:
    return "\n".join(text for _, text in elaborate(configuration(name).component(), Library()))


@pytest.mark.parametrize("name", PROVEN)
def test_equivalent_to_its_rtlil(name: str, tmp_path: Path):
    text, description = emitted(name)
    modules = re.findall(r"^module (\w+)", text, re.MULTILINE)
    assert len(modules) == len(set(modules)) and set(description["parts"]) <= set(modules)
    assert unproven(rtlil_of(name), text, tmp_path) == []


def test_one_name_is_one_part():
    library, first, second = Library(), Decode(ELEMENTS["e2m1"]), Decode(ELEMENTS["e2m3"])
    assert library.add(first) == library.add(Decode(ELEMENTS["e2m1"]))
    second.module_name = first.module_name
    with pytest.raises(ValueError, match="^Ports of every decode_e2m1 must be the same$"):
        library.add(second)


FAULTS = [
    ("full_adder", "assign s = a ^ b ^ c;", "assign s = a ^ b;"),
    ("half_adder", "assign co = a & b;", "assign co = a | b;"),
    ("sum32_e2m1_e2m1", r"\.s\((\w+)\), \.co\((\w+)\)\);", r".s(\2), .co(\1));"),
    ("sum32_e2m1_e2m1", r"\.a\((i\[\d+\])\), \.b\((i\[\d+\])\)", r".a(\1), .b(\1)"),
    ("dot_mxfp4_k32_core", "o_sum <= 14'd0", "o_sum <= 14'd1"),
    ("dot_mxfp4_k32_core", "else if (en)", "else if (i_valid)"),
    ("dot_mxfp4_k32", "~o_valid | o_ready", "o_valid | o_ready"),
]


@pytest.mark.parametrize(("module", "right", "wrong"), FAULTS)
def test_planted_fault_is_found(module: str, right: str, wrong: str, tmp_path: Path):
    text, _ = emitted("dot mxfp4")
    start = text.index(f"module {module} (")
    right = right if "\\" in right else re.escape(right)
    faulty, count = re.subn(right, wrong, text[start:], count=1)
    assert count == 1
    assert unproven(rtlil_of("dot mxfp4"), text[:start] + faulty, tmp_path) == [module]


@pytest.mark.parametrize("unit", ["mac", "dot"])
@pytest.mark.parametrize("pair", PAIRS)
def test_clean_and_readable(unit: str, pair: str, tmp_path: Path):
    text, description = emitted(f"{unit} {pair}")
    top = description["top"]
    path = tmp_path / f"{top}.v"
    path.write_text(text)
    compiled = subprocess.run(
        [icarus(), "-g2005", "-Wall", "-t", "null", path], capture_output=True, text=True
    )
    assert (compiled.returncode, compiled.stdout + compiled.stderr) == (0, "")
    binary, environment = verilator()
    lint = subprocess.run(
        [binary, "--lint-only", "-Wall", "--top-module", top, LINT, path],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert lint.returncode == 0 and "%Warning" not in lint.stderr, lint.stdout + lint.stderr
    assert max(map(len, text.splitlines())) <= 100
    assert "initial" not in text and not re.search(r"\\|\$(?!signed)|_\d+_\b", text)


def test_ports_are_in_the_order_of_the_description():
    text, description = emitted("mac amxfp4:mxfp4")
    header = text[text.index("module mac_") :].partition(");")[0]
    ports = re.findall(r"(input|output) +(?:wire|reg) *(signed)? *(?:\[(\d+):0\])? *(\w+)", header)
    assert [
        {"name": n, "direction": d, "width": int(high or 0) + 1, "signed": bool(s)}
        for d, s, high, n in ports
    ] == description["ports"]


def test_modules_say_what_they_are():
    text, _ = emitted("dot mxfp4")
    assert (
        "// One-bit half adder.\n// Function: 2 * co + s = a + b.\nmodule half_adder (\n"
        "    input  wire a,\n    input  wire b,\n    output wire s,\n    output wire co\n);\n\n"
        "    assign s = a ^ b;\n    assign co = a & b;\nendmodule\n"
    ) in text


def test_deterministic_to_the_byte():
    names = ["mac nvfp4", "dot amxfp4"]
    code = f"""
        import hashlib
        from verif.test_writer import emitted
        for name in {names}:
            print(hashlib.sha256(emitted(name)[0].encode()).hexdigest())
    """
    digests = set()
    for seed in ("0", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1 and len(digests.pop().split()) == len(names)

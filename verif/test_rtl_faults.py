"""The testbench can fail: faults planted into the Verilog, and a golden of another format."""

import contextlib
import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gen import verilog
from gen.config import Configuration
from gen.configure import configure
from gen.job import Job
from gen.sim import testbench as bench_of
from gen.simulator import BuildError, Simulation
from golden.formats import INT4, UE4M3

COUNT = 64
COUNT_OF_BLOCKS = 400  # rarely used bits of a quantizer decide few of them
LIMIT = 60  # seconds; a fault can close a combinational loop
PARTS = ("decode", "products", "reduction", "scaling", "accumulator")
QUANTIZER_PARTS = ("maximum", "scale", "thresholds", "elements")
DEQUANTIZER_PARTS = ("decode", "scale", "elements")
FAULTS_PER_PART = 3
# What a slip would look like, in text that any writer of Verilog emits.
SLIPS = (
    (" ^ ", " | "),
    (" & ", " | "),
    (" | ", " & "),
    (" + ", " - "),
    (" - ", " + "),
    ("~", ""),
    ("[0]", "[1]"),
    ("[1]", "[0]"),
    ("[2]", "[1]"),
)


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    """A configuration, its Verilog and its description."""
    configuration = Configuration.parse("amxfp4", "mac")
    text, description = verilog.emit(configuration)
    return configuration, text, description


def outcome(folder, design, text: str, job_configuration=None, count=COUNT) -> str:
    """What the testbench says of a text: "equal", "mismatch" or "refused"."""
    configuration, _, description = design
    folder.mkdir(exist_ok=True)
    path = folder / f"{configuration.name}.v"
    path.write_text(text)
    simulation = Simulation(path, "icarus", folder)
    simulation.limit = LIMIT
    simulation.build()
    job = Job(job_configuration or configuration, description, seed=1, count=count, most=count)
    try:
        report = simulation.run(bench_of(configuration), job)
    except BuildError:
        return "refused"
    return "equal" if report.mismatch is None else "mismatch"


def modules(text: str) -> dict[str, tuple[int, int]]:
    """Where every module's body is."""
    found = re.finditer(r"^module (\w+).*?^endmodule", text, re.MULTILINE | re.DOTALL)
    return {match[1]: match.span() for match in found}


def slips(text: str, description: dict, part: str) -> Iterator[str]:
    """Texts with one slip each, in the modules of one part, in random order."""
    spans = modules(text)
    places = []
    for name, of in description["parts"].items():
        if of != part or name not in spans:
            continue
        start, end = spans[name]
        body = text.index(");", start)  # the ports stay as they are
        for old, new in SLIPS:
            for match in re.finditer(re.escape(old), text[body:end]):
                line = text[text.rindex("\n", 0, body + match.start()) : body + match.end()]
                if "//" not in line:
                    places.append((body + match.start(), old, new))
    random.Random(7).shuffle(places)
    return (text[:at] + new + text[at + len(old) :] for at, old, new in places)


def test_unchanged(design, tmp_path):
    assert outcome(tmp_path, design, design[1]) == "equal"


@pytest.fixture(scope="module")
def quantizer():
    """As ``design``, a quantizer."""
    configuration = configure("quantizer", fmt="nvfp4", source="fp32", lanes=4)
    return configuration, *verilog.emit(configuration)


def test_unchanged_quantizer(quantizer, tmp_path):
    assert outcome(tmp_path, quantizer, quantizer[1]) == "equal"


@pytest.mark.parametrize("part", QUANTIZER_PARTS)
def test_slips_in_a_quantizer_are_caught(part, quantizer, tmp_path):
    check_slips(part, quantizer, tmp_path, COUNT_OF_BLOCKS)


@pytest.fixture(scope="module")
def dequantizer():
    """As ``design``, a dequantizer."""
    configuration = configure("dequantizer", fmt="int8", k=4)
    return configuration, *verilog.emit(configuration)


@pytest.mark.parametrize("part", DEQUANTIZER_PARTS)
def test_slips_in_a_dequantizer_are_caught(part, dequantizer, tmp_path):
    check_slips(part, dequantizer, tmp_path)


@pytest.mark.parametrize("part", PARTS)
def test_slips_in_the_verilog_are_caught(part, design, tmp_path):
    check_slips(part, design, tmp_path)


def check_slips(part, design, tmp_path, count=COUNT):
    """One slip of a part's may happen to change no result; more may not."""
    _, text, description = design
    results = []
    for i, changed in enumerate(slips(text, description, part)):
        with contextlib.suppress(BuildError):  # Icarus does not take the text
            results.append(outcome(tmp_path / str(i), design, changed, count=count))
        if len(results) == FAULTS_PER_PART:
            break
    assert len(results) > 1
    assert results.count("equal") <= 1, results


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        (r"assign i_ready = [^;]*;", "assign i_ready = 1'b1;"),
        (r"assign i_ready = [^;]*;", "assign i_ready = ~o_valid;"),
        (r"\.rst\(rst\)", ".rst(1'b0)"),
        (r"\.i_first\(i_first\)", ".i_first(1'b1)"),
        (r"\.i_last\(i_last\)", ".i_last(1'b1)"),
        (r"\.i_valid\(i_valid\)", ".i_valid(1'b1)"),
    ],
    ids=["stall ignored", "half throughput", "no reset", "no chain", "always last", "always valid"],
)
def test_faults_of_the_stream_are_caught(pattern, fault, design, tmp_path):
    changed, count = re.subn(pattern, fault, design[1], count=1)
    assert count == 1
    assert outcome(tmp_path, design, changed) != "equal"


@pytest.mark.parametrize(
    "changes", [{"element": INT4}, {"scale": UE4M3}], ids=["other element", "other scale"]
)
def test_another_golden_is_caught(changes, design, tmp_path):
    configuration = design[0]
    other = replace(configuration, b=replace(configuration.b, **changes))
    assert outcome(tmp_path, design, design[1], other) == "mismatch"

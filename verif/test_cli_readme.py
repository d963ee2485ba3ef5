"""README says what is so: its tables are what the project prints, its commands exist."""

import re
import shlex
import subprocess

import pytest

from verif import readme

COMMANDS = sorted(set(re.findall(r"^ {4}(make \w+[^#\n]*)", readme.README.read_text(), re.M)))


@pytest.mark.parametrize("name", ["head", "ports", "formats", "refusal"])
def test_table(name):
    assert readme.shown(name) == readme.TABLES[name]()


def test_synthesis_table():
    """One row is measured again; all of them were measured on what there is now."""
    assert readme.synth_row("mxfp4") in readme.shown("synth")
    assert readme.fingerprint() in readme.shown("synth")
    for fmt in readme.SYNTHESIZED:
        assert any(f"`make synth FMT={fmt}`" in line for line in readme.shown("synth"))


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_targets(command, clean_environment):
    line = [*shlex.split(command), "-n", "-o", ".venv/ready"]
    subprocess.run(line, cwd=readme.README.parent, check=True, capture_output=True)

"""What all tests share: the seed, printed at the top of every run, and generators made from it."""

import os
import zlib

import hypothesis
import numpy as np
import pytest

DEFAULT_SEED = 20260  # fixed, so that a run can be repeated; `make test SEED=7` looks elsewhere

collect_ignore_glob = ["tb_*.py"]  # cocotb imports these, inside a simulator

hypothesis.settings.register_profile("mxforge", deadline=None, derandomize=True)
hypothesis.settings.load_profile("mxforge")


def _seed() -> int:
    return int(os.environ.get("SEED") or DEFAULT_SEED)


def pytest_report_header() -> str:
    return f"seed: {_seed()} (repeat with: make test SEED={_seed()})"


@pytest.fixture(scope="session")
def seed() -> int:
    """The run's seed, from the environment's SEED."""
    return _seed()


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator of the test's own: the same for the same seed, whatever runs beside it."""
    return np.random.default_rng([seed, zlib.crc32(request.node.nodeid.encode())])


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what an outer ``make`` hands down: its flags, and variables given to it."""
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "GNUMAKEFLAGS"):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "FMT",
        "UNIT",
        "M",
        "N",
        "K",
        "ACC",
        "PIPELINE",
        "SIM",
        "COUNT",
        "DATA",
        "LIB",
        "SEED",
        "WAVES",
        "PLAN",
        "JOBS",
        "SCHEDULER",
    ):
        monkeypatch.delenv(name, raising=False)

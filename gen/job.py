"""What a testbench is told, and what it tells: two files in the build folder."""

import json
import os
import pickle
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .configure import AnyConfiguration

JOB, REPORT = "MXFORGE_JOB", "MXFORGE_REPORT"  # environment variables that hold their paths


@dataclass
class Job:
    """One simulation.

    ``configuration``, ``description``: what is under test, and its NAME.json. ``seed``: of every
    random choice. ``count``: random dot products, or the most to take from ``tensors``, a pair of
    float32 arrays (M, K) and (N, K) that are driven in place of corners and random stimuli.
    ``most``: dot products of any kind of corner, None for all. ``vectors``: what
    ``verif.tb_vectors`` drives, matrix products computed elsewhere.
    """

    configuration: AnyConfiguration
    description: dict
    seed: int
    count: int
    tensors: tuple[np.ndarray, np.ndarray] | None = None
    most: int | None = None
    vectors: list[dict[str, np.ndarray]] | None = None

    @classmethod
    def current(cls) -> "Job":
        """The job of this process, which a simulator runs."""
        return pickle.loads(Path(os.environ[JOB]).read_bytes())

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers of one part of the testbench, which no other part disturbs."""
        return np.random.default_rng([self.seed, *name.encode()])


@dataclass
class Report:
    """What was checked, written after every part, so that a part that dies leaves those before.

    ``parts``: dicts of name, checked (results compared), steps and cycles. ``mismatch``: the first
    one, decoded. ``values``: what was measured besides.
    """

    parts: list[dict] = field(default_factory=list)
    mismatch: str | None = None
    values: dict = field(default_factory=dict)

    @property
    def checked(self) -> int:
        """How many results were compared."""
        return sum(part["checked"] for part in self.parts)

    def add(self, name: str, checked: int, steps: int, cycles: int) -> None:
        """``checked`` results of ``steps`` steps are equal to golden's."""
        part = {"name": name, "checked": checked, "steps": steps, "cycles": cycles}
        self.parts.append(part)
        self.write()

    def fail(self, mismatch: str) -> None:
        """Results differ. The first mismatch stays; testbenches run on after one."""
        self.mismatch = self.mismatch or mismatch
        self.write()

    def merge(self, name: str) -> None:
        """Make one part of all."""
        keys = ("checked", "steps", "cycles")
        total = {key: sum(part[key] for part in self.parts) for key in keys}
        self.parts = [{"name": name, **total}]
        self.write()

    def write(self) -> None:
        """Leave the report for the process that started the simulator."""
        Path(os.environ[REPORT]).write_text(json.dumps(vars(self)))

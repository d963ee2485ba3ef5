"""What a testbench is told, and what it tells: files in the build folder, named by two environment variables."""

import json
import os
import pickle
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gen.config import Configuration

JOB, RESULT = "MXFORGE_JOB", "MXFORGE_RESULT"


@dataclass
class Job:
    """One simulation: what is under test, the random seed, how many random dot products, and the user's tensors."""

    configuration: Configuration
    latency: int
    seed: int
    count: int
    pairs: bool = True
    tensors: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def current(cls) -> "Job":
        """The job of this process, which a simulator runs."""
        return pickle.loads(Path(os.environ[JOB]).read_bytes())

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers of one part of the testbench; other parts do not disturb them."""
        return np.random.default_rng([self.seed, *name.encode()])


@dataclass
class Report:
    """What was checked so far, written after every part, so that a part that dies leaves those before it."""

    parts: list[dict] = field(default_factory=list)
    mismatch: str | None = None
    values: dict = field(default_factory=dict)

    def add(self, name: str, checked: int, steps: int, cycles: int) -> None:
        """``checked`` results of ``steps`` steps equal golden's."""
        self.parts.append({"name": name, "checked": checked, "steps": steps, "cycles": cycles})
        self.write()

    def write(self) -> None:
        """Leave it for the process that started the simulator."""
        Path(os.environ[RESULT]).write_text(json.dumps(vars(self)))

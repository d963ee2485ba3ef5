"""Where a sweep's jobs run: the cores of this machine, or a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from gen.errors import UsageError


@dataclass(frozen=True)
class Pool:
    """An executor, what turns large data into an argument for its jobs, and the cores of a worker's
    machine that its jobs share."""

    executor: Executor
    share: Callable[[bytes], Any]
    cores: int = 1

    def spare(self, jobs: int) -> int:
        """How many processes a job may start when there are that many jobs."""
        return max(1, self.cores // max(1, jobs))


def pool(scheduler: str | None = None, jobs: int | None = None):
    """The context in which jobs run: a cluster with `scheduler`, else `jobs` processes here.

    When it ends, for whatever reason, what still runs is stopped.
    """
    return _cluster(scheduler) if scheduler else _cores(jobs or os.cpu_count() or 1)


@contextmanager
def _cores(workers: int) -> Iterator[Pool]:
    """Processes of this machine, which die with this one, along with all that they started."""
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="mxforge-sweep-") as scratch:
        executor = ProcessPoolExecutor(workers, context, _tether, (reader, scratch))
        try:
            yield Pool(executor, lambda data: data, workers)
        finally:
            writer.close()
            executor.shutdown(cancel_futures=True)
            reader.close()


def _tether(lifeline: Connection, scratch: str) -> None:
    """Make a worker and its children a group that dies when the sweep's end of the pipe closes."""
    os.setpgid(0, 0)
    tempfile.tempdir = scratch

    def watch() -> None:
        lifeline.poll(None)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _cluster(scheduler: str) -> Iterator[Pool]:
    """A Dask cluster whose workers have mxforge installed."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "SCHEDULER needs the Python package distributed; type: pip install distributed"
        ) from None
    try:
        client = Client(scheduler, timeout=5, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"SCHEDULER must be a Dask scheduler, not {scheduler}: {error}") from None
    with client:
        executor = client.get_executor(pure=False, retries=2)
        try:
            yield Pool(executor, client.scatter)
        finally:
            executor.shutdown(wait=False)

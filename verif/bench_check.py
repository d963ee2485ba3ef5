"""What every testbench does with its stimuli: drive them, compare, report; stalls and resets."""

import numpy as np

from gen.job import Job, Report
from verif.bench import Bench

STALLS = ((0.3, 1), (1, 0.3), (0.5, 0.5), (0.9, 0.8))  # rows offered, results taken, per cycle
RESETS = 8


class Checker:
    """Drives stimuli into a unit and compares every bit of every result with golden's.

    Stimuli have ``columns()``, ``outputs``, ``expectations()``, ``results``, ``describe()`` and a
    length. A difference raises AssertionError and stays in ``report``.
    """

    def __init__(self, job: Job, report: Report):
        self._job, self._report = job, report

    async def bench(self, dut, stimuli) -> Bench:
        """The unit after a reset, ready for such stimuli."""
        bench = Bench(dut, stimuli.columns(), stimuli.outputs)
        await bench.start()
        return bench

    async def check(self, dut, name: str, stimuli, **options) -> int:
        """Reset, drive and compare; ``options`` go to Bench.stream. Returns the cycles it took."""
        return await self.compare(await self.bench(dut, stimuli), name, stimuli, **options)

    async def corner(self, dut, name: str, stimuli) -> None:
        """Check corners, a random sample of them if the job allows no more."""
        most = self._job.most
        if most is not None and most < len(stimuli):
            name = f"{name}, {most:,} of {len(stimuli):,}"
            stimuli = stimuli.slice(self._job.rng(name).permutation(len(stimuli))[:most])
        await self.check(dut, name, stimuli)

    async def compare(self, bench: Bench, name: str, stimuli, **options) -> int:
        """Drive and compare on a running bench. Returns the cycles it took."""
        got, cycles = await bench.stream(stimuli.columns(), stimuli.results, **options)
        expected = stimuli.expectations()
        if got != expected:
            assert len(got) == len(expected), f"{name}: {len(got)} results, not {len(expected)}"
            wrong = [i for i, pair in enumerate(zip(got, expected)) if pair[0] != pair[1]]
            count = f"{len(wrong)} of {len(expected)} results differ"
            mismatch = (
                f"{name}: {count}, first result {wrong[0] + 1}:\n"
                f"{stimuli.describe(wrong[0], got[wrong[0]])}"
            )
            self._report.fail(mismatch)
            raise AssertionError(mismatch)
        self._report.add(name, len(got), len(stimuli), cycles)
        return cycles

    async def full_throughput(self, dut, name: str, stimuli) -> None:
        """Never stalled, a unit takes one row a cycle and answers after its latency."""
        cycles = await self.check(dut, name, stimuli)
        most = len(stimuli) + self._job.description["latency"]
        assert cycles == most, f"{name}: {len(stimuli)} rows must take {most} cycles, not {cycles}"

    async def stalls(self, dut, make) -> None:
        """Random stalls on both sides; ``make(name)`` gives the stimuli."""
        for offered, taken in STALLS:
            name = f"stalls, offered {offered:.0%}, taken {taken:.0%}"
            draw = self._job.rng(name).random
            offer, take = (
                None if p == 1 else (lambda p=p, draw=draw: draw() < p) for p in (offered, taken)
            )
            await self.check(dut, name, make(name), offer=offer, take=take)

    async def resets(self, dut, make, held: int | None = None) -> None:
        """Reset in mid-stream, every other time with results that wait: nothing stale comes out.

        ``held``: rows that the unit takes while nothing leaves, its latency if None.
        """
        held = held or self._job.description["latency"]
        bench, rng = None, self._job.rng("reset")
        for turn in range(RESETS):
            lost, after = make(f"lost {turn}"), make(f"after reset {turn}")
            bench = bench or await self.bench(dut, lost)
            stalled = turn % 2 == 1
            stop = held if stalled else int(rng.integers(3, len(lost)))
            take = (lambda: False) if stalled else None
            await bench.stream(lost.columns(), lost.results, take=take, stop=stop)
            await bench.reset()
            await self.compare(bench, f"after reset {turn + 1}", after)


def error_against(product: np.ndarray, reference: np.ndarray) -> dict[str, str]:
    """Relative Frobenius error and SQNR of a product, over the entries where both are finite."""
    finite = np.isfinite(product) & np.isfinite(reference)
    noise = np.linalg.norm(np.where(finite, product - reference, 0))
    signal = np.linalg.norm(np.where(finite, reference, 0))
    relative = noise / signal if signal else float("nan")
    sqnr = "infinite" if noise == 0 else f"{-20 * np.log10(relative):.2f} dB"
    values = {"relative Frobenius error": f"{relative:.4g}", "SQNR": sqnr}
    if not finite.all():
        values["not finite"] = f"{(~finite).sum()} of {finite.size} outputs, left out"
    return values


def evenly(count: int, rows: int) -> np.ndarray:
    """At most ``count`` of ``rows`` row numbers, evenly spread.

    >>> evenly(3, 9).tolist(), evenly(5, 2).tolist()
    ([0, 4, 8], [0, 1])
    """
    return np.linspace(0, rows - 1, min(count, rows)).round().astype(int)

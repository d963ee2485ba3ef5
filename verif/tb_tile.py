"""Testbench of a tile, or a mac as a 1 x 1 tile: its Verilog against golden.matmul, every bit of
every row."""

import time

import cocotb
import numpy as np

from gen.job import Job, Report
from golden import rescale
from verif.bench_check import STALLS, Checker, error_against
from verif.bench_matrices import LONGEST, MatrixStimuli
from verif.bench_tensors import chosen, tiled
from verif.bench_tile import Products

JOB = Job.current()
REPORT = Report()
CONFIGURATION = JOB.configuration
STARTED = time.monotonic()
CHUNK = 4096  # steps that are held at a time


class TileChecker(Checker):
    """Counts the dot products of K elements that the compared rows are made of."""

    async def compare(self, bench, name: str, stimuli, **options) -> int:
        cycles = await super().compare(bench, name, stimuli, **options)
        REPORT.parts[-1]["checked"] = stimuli.dot_products
        outputs = REPORT.values.get("outputs", 0) + stimuli.results * CONFIGURATION.n
        seconds = time.monotonic() - STARTED
        rate = f"{REPORT.checked / seconds:,.0f} a second, testbench included"
        REPORT.values |= {"outputs": outputs, f"dot products of {CONFIGURATION.k} elements": rate}
        REPORT.write()
        return cycles

    async def full_throughput(self, dut, name: str, stimuli) -> None:
        """One step a cycle; behind the last one the latency and the other rows of its product."""
        cycles = await self.check(dut, name, stimuli)
        most = len(stimuli) + JOB.description["latency"] + CONFIGURATION.m - 1
        assert cycles == most, f"{name}: {len(stimuli)} steps must take {most} cycles, not {cycles}"


CHECKER = TileChecker(JOB, REPORT)


def stimuli(name: str) -> MatrixStimuli:
    return MatrixStimuli(CONFIGURATION, JOB.rng(name))


def random(name: str, share: int, **lengths: int) -> Products:
    least = 24 * CONFIGURATION.m * CONFIGURATION.n
    return stimuli(name).random(max(JOB.count // share, least), **lengths)


@cocotb.test(skip=JOB.tensors is not None)
async def random_at_full_throughput(dut):
    shortest = CONFIGURATION.m
    products = random("random", 1, shortest=shortest, longest=max(shortest, LONGEST))
    await CHECKER.full_throughput(dut, "random", products)


@cocotb.test(skip=JOB.tensors is not None)
async def products_shorter_than_the_tile_is_high(dut):
    longest = min(LONGEST, CONFIGURATION.m)
    await CHECKER.check(dut, "short products", random("short", 8, longest=longest))


@cocotb.test(skip=JOB.tensors is not None)
async def random_stalls(dut):
    longest = min(LONGEST, 2 * CONFIGURATION.m)
    await CHECKER.stalls(dut, lambda name: random(name, 8 * len(STALLS), longest=longest))


@cocotb.test(skip=JOB.tensors is not None)
async def reset_in_mid_stream(dut):
    await CHECKER.resets(dut, lambda name: random(name, 1 << 30, longest=4))


@cocotb.test(skip=JOB.tensors is None)
async def tensors(dut):
    """The user's tensors: a whole matrix product, tile by tile."""
    a, b, rows, columns = chosen(JOB, CONFIGURATION.a, CONFIGURATION.b)
    product = tiled(CONFIGURATION, a, b)
    whole = Products([product])
    bench = await CHECKER.bench(dut, whole)
    for batch in whole.batches(CHUNK):
        await CHECKER.compare(bench, "tensors", batch)
    inside = product.expected[: len(rows), : len(columns)]
    result = inside.view(np.int32 if CONFIGURATION.acc == "int32" else np.float32)
    x, y = (t[i].astype(np.float64) for t, i in zip(JOB.tensors, (rows, columns)))
    with np.errstate(invalid="ignore"):
        error = error_against(rescale(result, a, b).astype(np.float64), x @ y.T)
    shape, part = (f"{m} x {n}" for m, n in (map(len, JOB.tensors), result.shape))
    size = f"{CONFIGURATION.m} x {CONFIGURATION.n}"
    down, across = product.tiles
    REPORT.values |= {
        "outputs": f"{part} of {shape}, K {a.shape[1]} in {product.steps} steps of"
        f" {CONFIGURATION.k}, in {down} x {across} tiles of {size}"
    }
    REPORT.values |= {f"{name} against the float64 product": v for name, v in error.items()}
    REPORT.merge("tensors")

"""Testbench of a requantizing tile: its Verilog against golden, every bit of every row."""

import cocotb

from gen.job import Job, Report
from verif.bench_check import STALLS, Checker
from verif.bench_matrices import LONGEST
from verif.bench_requantize import Requantized, RequantizeStimuli

JOB = Job.current()
CONFIGURATION = JOB.configuration
THRESHOLDS = 2000  # rows on rounding thresholds


class RowChecker(Checker):
    """Knows how long the rows of a product take."""

    async def full_throughput(self, dut, name: str, stimuli) -> None:
        """One step a cycle; behind the last one the latency and the other rows of its product."""
        cycles = await self.check(dut, name, stimuli)
        most = len(stimuli) + JOB.description["latency"] + CONFIGURATION.m - 1
        assert cycles == most, f"{name}: {len(stimuli)} steps must take {most} cycles, not {cycles}"


CHECKER = RowChecker(JOB, Report())


def random(name: str, share: int, **lengths: int) -> Requantized:
    least = 12 * CONFIGURATION.m * CONFIGURATION.n
    stimuli = RequantizeStimuli(CONFIGURATION, JOB.rng(name))
    return stimuli.random(max(JOB.count // share, least), **lengths)


@cocotb.test()
async def corners(dut):
    stimuli = RequantizeStimuli(CONFIGURATION, JOB.rng("thresholds"))
    tiles = min(JOB.count, THRESHOLDS) // CONFIGURATION.m + 1
    await CHECKER.check(dut, "thresholds", stimuli.thresholds(tiles))


@cocotb.test()
async def random_at_full_throughput(dut):
    shortest = CONFIGURATION.m
    products = random("random", 1, shortest=shortest, longest=max(shortest, LONGEST))
    await CHECKER.full_throughput(dut, "random", products)


@cocotb.test()
async def products_shorter_than_the_tile_is_high(dut):
    longest = min(LONGEST, CONFIGURATION.m)
    await CHECKER.check(dut, "short products", random("short", 8, longest=longest))


@cocotb.test()
async def random_stalls(dut):
    longest = min(LONGEST, 2 * CONFIGURATION.m)
    await CHECKER.stalls(dut, lambda name: random(name, 8 * len(STALLS), longest=longest))


@cocotb.test()
async def reset_in_mid_stream(dut):
    held = JOB.description["latency"] - 1  # the last stage holds a row of the first product
    await CHECKER.resets(dut, lambda name: random(name, 1 << 30, longest=4), held)

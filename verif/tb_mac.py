"""Testbench of a mac: its Verilog against golden.arith.mac_step, every bit of every result."""

import cocotb
import numpy as np

from golden.product import matmul
from golden.quantizer import quantize
from verif.bench import Bench
from verif.bench_mac import MacStimuli
from verif.bench_steps import Steps
from verif.job import Job, Report

JOB = Job.current()
REPORT = Report()
CONFIGURATION = JOB.configuration
FORMATS = CONFIGURATION.a, CONFIGURATION.b


def stimuli(name: str) -> MacStimuli:
    return MacStimuli(*FORMATS, CONFIGURATION.k, JOB.rng(name))


async def check(dut, name: str, steps: Steps, **options) -> int:
    """Drive ``steps`` and compare; returns the cycles it took."""
    ports, columns = steps.columns()
    bench = Bench(dut, ports, ["o_d"])
    await bench.start()
    return await compare(bench, name, steps, columns, **options)


async def compare(bench: Bench, name: str, steps: Steps, columns, **options) -> int:
    got, cycles = await bench.stream(columns, steps.results, **options)
    expected = steps.outputs()
    if got != expected:
        wrong = [i for i, (x, y) in enumerate(zip(got, expected)) if x != y]
        if not wrong:
            raise AssertionError(f"{name}: {len(got)} results, not {len(expected)}")
        REPORT.mismatch = f"{name}: {len(wrong)} of {len(expected)} results differ; the first is result {wrong[0]}\n"
        REPORT.mismatch += steps.describe(wrong[0], got[wrong[0]][0])
        REPORT.write()
        raise AssertionError(REPORT.mismatch)
    REPORT.add(name, len(got), len(steps), cycles)
    return cycles


@cocotb.test(skip=JOB.tensors is not None or not JOB.pairs)
async def every_pair_of_codes(dut):
    await check(dut, "every pair of element codes", stimuli("pairs").pairs())


@cocotb.test(skip=JOB.tensors is not None)
async def corners(dut):
    await check(dut, "corners of the scales", stimuli("scales").scale_corners())
    await check(dut, "corners of the accumulator", stimuli("c").c_corners())


@cocotb.test(skip=JOB.tensors is not None)
async def random_at_full_throughput(dut):
    steps = stimuli("random").random(JOB.count)
    cycles = await check(dut, "random", steps)
    most = len(steps) + JOB.latency
    assert cycles == most, f"{len(steps)} steps back to back must take {most} cycles, not {cycles}"


@cocotb.test(skip=JOB.tensors is not None)
async def chains(dut):
    rng = JOB.rng("chains")
    for length in (2, 3, 8, 32):
        steps = stimuli(f"chain {length}").random(max(JOB.count // 16, 2 * length)).chained(length, rng)
        await check(dut, f"chains of {length}", steps)


@cocotb.test(skip=JOB.tensors is not None)
async def random_stalls(dut):
    rng = JOB.rng("stalls")
    for offered, taken in ((0.3, 1), (1, 0.3), (0.5, 0.5), (0.9, 0.8)):
        steps = stimuli(f"stalls {offered} {taken}").random(max(JOB.count // 32, 32)).chained(2, rng)
        draw = iter(rng.random(1 << 20).tolist())
        await check(
            dut,
            f"stalls, offered {offered:.0%}, taken {taken:.0%}",
            steps,
            offer=None if offered == 1 else lambda p=offered, draw=draw: next(draw) < p,
            take=None if taken == 1 else lambda p=taken, draw=draw: next(draw) < p,
        )


@cocotb.test(skip=JOB.tensors is not None)
async def reset_in_mid_stream(dut):
    rng = JOB.rng("reset")
    ports = None
    for turn in range(8):
        lost = stimuli(f"lost {turn}").random(40).chained(4, rng)
        steps = stimuli(f"after {turn}").random(40).chained(4, rng)
        names, columns = lost.columns()
        if ports is None:
            ports = Bench(dut, names, ["o_d"])
            await ports.start()
        stalled = turn % 2 == 1
        take = (lambda: False) if stalled else None
        # A stalled pipeline takes as many steps as it is long, and one result waits.
        await ports.stream(columns, lost.results, take=take, stop=JOB.latency if stalled else int(rng.integers(5, 30)))
        await ports.reset()
        await compare(ports, f"after reset {turn}", steps, steps.columns()[1])


@cocotb.test(skip=JOB.tensors is None)
async def tensors(dut):
    pass

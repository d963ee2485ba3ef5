"""Testbench of a dequantizer: its Verilog against golden, every bit of every result."""

import cocotb

from gen.job import Job, Report
from verif.bench_check import Checker
from verif.bench_dequantizer import DequantizerStimuli

JOB = Job.current()
CHECKER = Checker(JOB, Report())


def stimuli(name: str) -> DequantizerStimuli:
    return DequantizerStimuli(JOB.configuration, JOB.rng(name))


@cocotb.test()
async def corners(dut):
    await CHECKER.corner(dut, "every element and scale", stimuli("every").every())


@cocotb.test()
async def random_at_full_throughput(dut):
    await CHECKER.full_throughput(dut, "random", stimuli("random").random(JOB.count))


@cocotb.test()
async def random_stalls(dut):
    await CHECKER.stalls(dut, lambda name: stimuli(name).random(max(JOB.count // 32, 16)))


@cocotb.test()
async def reset_in_mid_stream(dut):
    await CHECKER.resets(dut, lambda name: stimuli(name).random(24))

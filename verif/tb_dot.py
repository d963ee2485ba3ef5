"""Testbench of a dot unit: its Verilog against golden.arith.dot, every bit of every result."""

import cocotb

from gen.job import Job, Report
from verif.bench_check import Checker
from verif.bench_dot import DotStimuli

JOB = Job.current()
CHECKER = Checker(JOB, Report())
WIDTHS = {port["name"]: port["width"] for port in JOB.description["ports"]}


def stimuli(name: str) -> DotStimuli:
    configuration = JOB.configuration
    return DotStimuli(configuration.a, configuration.b, configuration.k, JOB.rng(name), WIDTHS)


@cocotb.test()
async def corners(dut):
    await CHECKER.corner(dut, "every pair of element codes", stimuli("pairs").pairs())
    await CHECKER.corner(dut, "largest and smallest sums", stimuli("corners").corners())


@cocotb.test()
async def random_at_full_throughput(dut):
    await CHECKER.full_throughput(dut, "random", stimuli("random").random(JOB.count))


@cocotb.test()
async def random_stalls(dut):
    await CHECKER.stalls(dut, lambda name: stimuli(name).random(max(JOB.count // 32, 64)))


@cocotb.test()
async def reset_in_mid_stream(dut):
    await CHECKER.resets(dut, lambda name: stimuli(name).random(24))

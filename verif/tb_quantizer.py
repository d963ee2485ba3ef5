"""Testbench of a quantizer: its Verilog against golden, every bit of every result."""

import cocotb

from gen.job import Job, Report
from verif.bench_check import Checker
from verif.bench_quantizer import QuantizerStimuli

JOB = Job.current()
CHECKER = Checker(JOB, Report())
THRESHOLDS = 3000  # groups on rounding thresholds
RIVALS = 1000  # groups about whose largest element there is nearly a tie


def stimuli(name: str) -> QuantizerStimuli:
    return QuantizerStimuli(JOB.configuration, JOB.rng(name))


@cocotb.test()
async def corners(dut):
    await CHECKER.corner(dut, "every bfloat16", stimuli("every").every_bfloat16())
    await CHECKER.corner(dut, "thresholds", stimuli("thresholds").thresholds(THRESHOLDS))
    await CHECKER.corner(dut, "rivals", stimuli("rivals").rivals(RIVALS))


@cocotb.test()
async def random_at_full_throughput(dut):
    await CHECKER.full_throughput(dut, "random", stimuli("random").random(JOB.count))


@cocotb.test()
async def random_stalls(dut):
    await CHECKER.stalls(dut, lambda name: stimuli(name).random(max(JOB.count // 32, 16)))


@cocotb.test()
async def reset_in_mid_stream(dut):
    await CHECKER.resets(dut, lambda name: stimuli(name).random(24))

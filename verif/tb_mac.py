"""Testbench of a mac: its Verilog against golden's steps, every bit of every result."""

import cocotb
import numpy as np

from gen.job import Job, Report
from golden import rescale
from golden.product import matmul
from golden.quantized import Quantized, padded
from verif.bench_check import Checker, error_against
from verif.bench_mac import MacStimuli
from verif.bench_steps import Steps
from verif.bench_tensors import chosen, grown

JOB = Job.current()
REPORT = Report()
CHECKER = Checker(JOB, REPORT)
A, B, K, ACC, F = (getattr(JOB.configuration, name) for name in ("a", "b", "k", "acc", "fraction"))
PAIR_WIDTH = 20  # bits of both elements up to which every pair of them is driven
CHUNK = 4096  # steps of the user's tensors that are held at a time


def stimuli(name: str) -> MacStimuli:
    return MacStimuli(A, B, K, ACC, F, JOB.rng(name))


def chain(name: str, steps: int, length: int) -> Steps:
    return stimuli(name).random(max(steps, 2 * length)).chained(length, JOB.rng(f"last {name}"))


@cocotb.test(skip=JOB.tensors is not None)
async def corners(dut):
    if A.element.width + B.element.width <= PAIR_WIDTH:
        await CHECKER.corner(dut, "every pair of element codes", stimuli("pairs").pairs())
    if A.has_block_scale or B.has_block_scale:
        await CHECKER.corner(dut, "corners of the scales", stimuli("scales").scale_corners())
    await CHECKER.corner(dut, "corners of the accumulator", stimuli("c").c_corners())
    await CHECKER.corner(dut, "sums that vanish", stimuli("tiny").vanishing())


@cocotb.test(skip=JOB.tensors is not None)
async def random_at_full_throughput(dut):
    await CHECKER.full_throughput(dut, "random", stimuli("random").random(JOB.count))


@cocotb.test(skip=JOB.tensors is not None)
async def chains(dut):
    for length in (2, 3, 8, 32):
        name = f"chains of {length} steps"
        await CHECKER.check(dut, name, chain(name, JOB.count // 16, length))


@cocotb.test(skip=JOB.tensors is not None)
async def random_stalls(dut):
    await CHECKER.stalls(dut, lambda name: chain(name, JOB.count // 32, 2))


@cocotb.test(skip=JOB.tensors is not None)
async def reset_in_mid_stream(dut):
    await CHECKER.resets(dut, lambda name: chain(name, 24, 4))


@cocotb.test(skip=JOB.tensors is None)
async def tensors(dut):
    """The user's tensors: every output is a chain of K / k steps, compared with golden.matmul."""
    a, b, rows, columns = chosen(JOB, A, B)
    product = matmul(a, b, ACC, K, fraction_bits=F)
    operands = [in_steps(a), in_steps(b)]
    steps = operands[0][0].shape[1]
    grid = np.stack(np.meshgrid(np.arange(len(rows)), np.arange(len(columns))), -1).reshape(-1, 2)
    for pairs in np.array_split(grid, -(-len(grid) * steps // CHUNK)):
        driven = products(operands, pairs)
        same = driven.expected[:, -1] == product.view(np.uint32)[tuple(pairs.T)]
        assert same.all(), "golden's steps and golden.matmul must agree"
        await CHECKER.check(dut, "tensors", driven)
    x, y = (tensor[index].astype(np.float64) for tensor, index in zip(JOB.tensors, (rows, columns)))
    with np.errstate(invalid="ignore"):
        error = error_against(rescale(product, a, b).astype(np.float64), x @ y.T)
    shape, part = (f"{m} x {n}" for m, n in (map(len, JOB.tensors), (len(rows), len(columns))))
    REPORT.values = {"outputs": f"{part} of {shape}, K {a.shape[1]} in {steps} steps of {K}"}
    REPORT.values |= {f"{name} against the float64 product": v for name, v in error.items()}
    REPORT.merge("tensors")


def in_steps(q: Quantized) -> tuple[np.ndarray, np.ndarray]:
    """Codes (rows, steps, k) and scales (rows, steps, blocks[, 2]), zeros after the end."""
    rows, length = q.shape[0], padded(q.shape[1], K)
    codes = grown(q.codes, rows, length).reshape(rows, length // K, K)
    if not q.format.has_block_scale:
        return codes, np.zeros((rows, length // K, 0), np.uint8)
    scales = grown(q.scales, rows, length // q.format.block_size)
    blocks = K // q.format.block_size
    return codes, scales.reshape(rows, length // K, blocks, *scales.shape[2:])


def products(operands, pairs: np.ndarray) -> Steps:
    """Chains of the dot products of row pairs (n, 2)."""
    arrays = [x[pairs[:, side]] for side, operand in enumerate(operands) for x in operand]
    last = np.zeros(arrays[0].shape[:2], bool)
    last[:, -1] = True
    return Steps(A, B, ACC, F, *arrays, np.zeros(last.shape, np.uint32), last)

"""Operand streams that measure switching: tensors in the unit's formats, a step every cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gen.config import Configuration
from gen.errors import UsageError
from golden import quantize
from golden.formats import BlockFormat

CHAIN = 16
"""Steps of a product, where the accumulator starts anew; a tile's rows if they are more."""
STEPS = 16
"""Steps that are measured, rounded up to whole products, after a product that is not."""
LANES = 256
"""Streams side by side, a multiple of 8."""
ROWS = 64
"""Rows of the Gaussian tensors."""
SEED = 1
STANDARD = "standard normal"

Lanes = list[int]
"""One bit of a port for many streams side by side: bit l of the integer is stream l's; by cycle."""


@dataclass(frozen=True)
class Stimuli:
    """What drives a power measurement: the bits of each input port by cycle, of which the first
    `skipped` are not measured; ``macs``: products of two elements a step; ``origin``: what the
    operands are, as plain values."""

    inputs: dict[str, list[Lanes]]
    lanes: int
    skipped: int
    macs: int
    origin: dict


def stimuli(
    configuration: Configuration,
    description: dict,
    tensors: tuple[np.ndarray, np.ndarray] | None = None,
    name: str = STANDARD,
    seed: int = SEED,
) -> Stimuli:
    """The streams of a configuration; `description`: its NAME.json; `tensors`: float32 a (M, K)
    and b (N, K), called `name`, instead of Gaussian ones. UsageError for a unit without operands.
    """
    c = configuration
    if c.unit not in ("dot", "mac", "tile"):
        raise UsageError(f"POWER must be asked of a dot, mac or tile, not {c.unit}")
    chain = max(CHAIN, c.m)
    skipped = 2 + chain
    steps = -(-STEPS // chain) * chain
    ports = {
        port["name"]: port["width"]
        for port in description["ports"]
        if port["direction"] == "input" and port["name"] != "clk"
    }
    if tensors is None:
        rng = np.random.default_rng(seed)
        a, b = rng.standard_normal((2, ROWS, steps * c.k)).astype(np.float32)
        tensors = a, b
    inputs = streams(c, ports, tensors, LANES, skipped + steps + 1, seed)
    origin = {"operands": name, "seed": seed, "streams": LANES, "steps": steps, "product": chain}
    return Stimuli(inputs, LANES, skipped, c.m * c.n * c.k, origin)


def streams(
    configuration: Configuration,
    ports: Mapping[str, int],
    tensors: tuple[np.ndarray, np.ndarray],
    lanes: int,
    cycles: int,
    seed: int,
) -> dict[str, list[Lanes]]:
    """What every input port but the clock sees: its bits, each by cycle.

    `ports`: their widths by name; `tensors`: float32 (rows, K), quantized along K. A stream takes
    rows of them at random, begins somewhere in them, and goes on a step a cycle, never stalled,
    after two cycles of reset. What no operand drives is 0, as the accumulators' start.
    """
    c, rng = configuration, np.random.default_rng([seed, 1])
    columns = {name: np.zeros((cycles, 1, lanes), np.uint8) for name in ports}
    step = np.arange(cycles) - 2
    chain = max(CHAIN, c.m)
    controls = {
        "rst": step < 0,
        "i_valid": step >= 0,
        "o_ready": step >= -2,
        "i_first": step % chain == 0,
        "i_last": step % chain == chain - 1,
    }
    for name, values in controls.items():
        columns[name] = np.broadcast_to(values[:, None, None], (cycles, 1, lanes))
    for side, fmt, rows, tensor in zip("ab", (c.a, c.b), (c.m, c.n), tensors):
        arrays = operand(fmt, tensor, c.k)
        count, length = arrays["elems"][0].shape[:2]
        row = rng.integers(0, count, (1, lanes, rows))
        at = (step[:, None, None] + rng.integers(0, length, (1, lanes, 1))) % length
        for kind, (codes, width) in arrays.items():
            columns[f"i_{side}_{kind}"] = bits(codes[row, at], width)
    found = {}
    for name, width in ports.items():
        column = columns[name]
        column = np.broadcast_to(column, (cycles, width, lanes)) if len(column[0]) == 1 else column
        assert column.shape[1] == width, f"{name} has {width} bits, not {column.shape[1]}"
        octets = np.packbits(column, axis=-1, bitorder="little")
        found[name] = [
            [int.from_bytes(octets[t, i].tobytes(), "little") for t in range(cycles)]
            for i in range(width)
        ]
    return found


def operand(fmt: BlockFormat, tensor: np.ndarray, k: int) -> dict[str, tuple[np.ndarray, int]]:
    """Codes (rows, steps, codes a step) and their width, by port: elems, scales, macro."""
    length = tensor.shape[1] // k * k or k
    whole = np.pad(tensor, ((0, 0), (0, max(0, k - tensor.shape[1]))))[:, :length]
    q = quantize(whole, fmt)
    rows, steps = len(whole), length // k
    arrays = {"elems": (q.codes[:, :length].reshape(rows, steps, k), fmt.element.width)}
    if fmt.has_block_scale and q.scales is not None and fmt.scale is not None:
        blocks = k // (fmt.block_size or k)
        scales = q.scales[:, : steps * blocks].reshape(rows, steps, -1)
        arrays["scales"] = scales, 8
    if fmt.macro is not None and q.macro_scales is not None:
        block = np.arange(steps) * k // fmt.macro.size
        arrays["macro"] = q.macro_scales[:, block, None], fmt.macro.factor.width
    return arrays


def bits(codes: np.ndarray, width: int) -> np.ndarray:
    """Codes (cycles, lanes, rows, codes), the first in the low bits, as (cycles, bits, lanes)."""
    found = codes[..., None].astype(np.uint64) >> np.arange(width, dtype=np.uint64) & np.uint64(1)
    flat = found.astype(np.uint8).reshape(*codes.shape[:2], -1)
    return np.moveaxis(flat, 1, 2)

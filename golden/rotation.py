"""Hadamard rotation: spreads outliers over a block before quantization, cancels in products."""

import numpy as np


def rotate(
    x: np.ndarray, axis: int = -1, block: int | None = None, seed: int | None = None
) -> np.ndarray:
    """``x`` times an orthonormal Hadamard matrix along ``axis``, block by block, as float32.

    ``block``: a power of two that divides the axis, by default the largest. ``seed``: signs drawn
    from it flip elements first (a randomized Hadamard); None flips none. Two operands rotated
    alike along K have the same product as before, up to rounding: the INT4 baselines rotate both.
    Raises ValueError for a block that is no power of two or does not divide the axis.

    >>> rotate(np.float32([8, 0, 0, 0])).tolist()
    [4.0, 4.0, 4.0, 4.0]
    """
    moved = np.moveaxis(np.asarray(x, np.float64), axis, -1)
    n = moved.shape[-1]
    if block is None:
        block = n & -n
    if block < 1 or block & (block - 1) or n % block:
        raise ValueError(f"Block must be a power of two that divides {n}, not {block}")
    if seed is not None:
        moved = moved * np.random.default_rng(seed).choice([-1.0, 1.0], n)
    y = np.array(moved).reshape(-1, block)
    step = 1
    while step < block:  # the butterflies of a fast Walsh-Hadamard transform
        pairs = y.reshape(len(y), -1, 2, step)
        y = np.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], axis=2)
        y = y.reshape(len(y), block)
        step *= 2
    y = (y / np.sqrt(block)).reshape(moved.shape)
    return np.ascontiguousarray(np.moveaxis(y, -1, axis), np.float32)

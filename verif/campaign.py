"""The quantizers against the fraction oracle at length: ``python -m verif.campaign [BLOCKS]``.

All 2^16 bfloat16 values in blocks of four through every stored format, then BLOCKS (10^6 by
default) random blocks of eight spread over every stored format and every combination of element,
rule, scale format, rounding and sides. A few minutes; ``make test`` runs the same checks on fewer.
"""

import sys
from dataclasses import replace

import numpy as np

from verif.peers_values import ALL_BF16
from verif.test_golden_quantize import CUSTOM, STORED, check, random_blocks


def bfloat16_blocks() -> int:
    """Check all bfloat16 values; how many blocks that was."""
    count = 0
    for fmt in STORED:
        x = ALL_BF16.reshape(-1, 4)
        if fmt.scale.width > 8:
            x = x[np.isfinite(x).all(axis=1)]
        count += check(x, replace(fmt, block_size=4))
    return count


def random_campaign(blocks: int, seed: int = 2026) -> int:
    """Check at least ``blocks`` random blocks; how many that was."""
    rng = np.random.default_rng(seed)
    formats = [replace(f, block_size=8) for f in STORED] + CUSTOM
    each = -(-blocks // len(formats))
    count = 0
    for fmt in formats:
        x = random_blocks(rng, max(each, 8), 8, specials=fmt.scale.width <= 8)
        if fmt.tensor_scale:
            x[4:] = np.ldexp(rng.standard_normal((len(x) - 4, 8)), rng.integers(-12, 1))
        count += check(x, fmt)
    return count


def campaign_rows(blocks: int = 1_000_000) -> list[list[str]]:
    """Run both; a row of text for each. The first difference raises."""
    rows = []
    for what, count in (
        (f"all bfloat16 values, {len(STORED)} formats", bfloat16_blocks()),
        (f"random, {len(STORED) + len(CUSTOM)} formats and rules", random_campaign(blocks)),
    ):
        rows.append([what, f"{count:,} of {count:,}"])
    return rows


def main() -> None:
    """Run both and print the counts."""
    for what, count in campaign_rows(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000):
        print(f"{what}: {count} blocks equal")


if __name__ == "__main__":
    main()

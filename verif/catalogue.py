"""Simulate tiers of the catalogue: ``python -m verif.catalogue [supported] [experimental]
[tiles] [quantizers] [dequantizers] [requantizers] [COUNT]``, all by default."""

import sys

from gen.catalogue import (
    CATALOGUE,
    DEQUANTIZERS,
    EXPERIMENTAL,
    QUANTIZERS,
    REQUANTIZERS,
    SUPPORTED,
    tier,
)
from gen.sim import run

SEED = 1
COUNT = 20_000  # random dot products or blocks
UNITS = {
    "tiles": CATALOGUE,
    "quantizers": QUANTIZERS,
    "dequantizers": DEQUANTIZERS,
    "requantizers": REQUANTIZERS,
}


def main(words: list[str]) -> None:
    """Simulate every configuration of these tiers and units, with all that ``make sim`` prints."""
    tiers = [word for word in words if word in (SUPPORTED, EXPERIMENTAL)]
    units = [word for word in words if word in UNITS]
    counts = [int(word) for word in words if word.isdecimal()]
    for name in tiers or (SUPPORTED, EXPERIMENTAL):
        for unit in units or UNITS:
            for entry in tier(name, UNITS[unit]):
                run(entry.configuration, "verilator", SEED, *(counts or [COUNT]))


if __name__ == "__main__":
    main(sys.argv[1:])

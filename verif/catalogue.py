"""Simulate tiers of the catalogue: ``python -m verif.catalogue [supported] [experimental]``."""

import sys

from gen.catalogue import EXPERIMENTAL, SUPPORTED, tier
from gen.sim import run

SEED = 1
DOT_PRODUCTS = 20_000


def main(tiers: list[str]) -> None:
    """Simulate every configuration of these tiers, with all that ``make sim`` prints."""
    for name in tiers:
        for entry in tier(name):
            run(entry.configuration, "verilator", SEED, DOT_PRODUCTS)


if __name__ == "__main__":
    main(sys.argv[1:] or [SUPPORTED, EXPERIMENTAL])

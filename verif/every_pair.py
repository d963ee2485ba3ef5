"""Tiles of every format pair: ``python -m verif.every_pair [A:B ...] [--lint]`` writes each one.

A pair is either written, and with ``--lint`` clean under Verilator's warnings, or refused with one
sentence. The tiles are 1 x 2, with the smallest K that fits. Without pairs all are gone through.
"""

import argparse
import tempfile
from collections import Counter
from math import lcm
from pathlib import Path

from gen import verilog
from gen.config import Configuration
from gen.errors import UsageError
from golden import get_format, list_formats
from verif.test_rtl import lint


def pairs() -> list[str]:
    """All of them, ``A:B``."""
    return [f"{a}:{b}" for a in list_formats() for b in list_formats()]


def configuration(pair: str) -> Configuration:
    """The smallest tile of a pair; UsageError for one that there is not."""
    a, b = map(get_format, pair.split(":"))
    k = max(2, lcm(a.block_size or 1, b.block_size or 1))
    return Configuration.parse(pair, "tile", k, m=1, n=2)


def written(pair: str, folder: Path, is_linted: bool) -> bool:
    """Write one pair's tile; False if it is refused, AssertionError if it is not clean."""
    try:
        path, _ = verilog.write(configuration(pair), folder)
    except UsageError as error:
        assert "\n" not in str(error), f"{pair}: refused with more than a sentence"
        return False
    warnings = lint(path) if is_linted else ""
    assert warnings == "", f"{pair}: {warnings}"
    return True


def main() -> None:
    """Go through the pairs, and print how many there are of either kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="*", default=pairs(), metavar="A:B")
    parser.add_argument("--lint", action="store_true", help="with Verilator, which takes longer")
    options = parser.parse_args()
    counts: Counter[bool] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for pair in options.pairs:
            counts[written(pair, Path(folder), options.lint)] += 1
            print(f"\r{pair:40}", end="", flush=True)
    print(f"\r{counts[True]} pairs written, {counts[False]} refused{'':20}")


if __name__ == "__main__":
    main()

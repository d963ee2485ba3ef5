"""Tiles of every format pair: ``python -m verif.every_pair`` writes the Verilog of each and lints
it.

A pair is either written, and clean under Verilator's warnings, or refused with one sentence. K is
the smallest that fits, and the tile 1 x 2, so that all of it takes a few minutes.
"""

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
    return Configuration.parse(pair, "tile", max(2, lcm(a.block_size or 1, b.block_size or 1)), n=2)


def written(pair: str, folder: Path) -> bool:
    """Write and lint one pair's tile; False if it is refused, AssertionError if it is not clean."""
    try:
        path, _ = verilog.write(configuration(pair), folder)
    except UsageError as error:
        assert "\n" not in str(error), f"{pair}: refused with more than a sentence"
        return False
    assert lint(path) == "", f"{pair}: {lint(path)}"
    return True


def main() -> None:
    """Go through all pairs, and print how many there are of either kind."""
    counts: Counter[bool] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for pair in pairs():
            counts[written(pair, Path(folder))] += 1
            print(f"\r{pair:40}", end="", flush=True)
    print(f"\r{counts[True]} pairs written and clean, {counts[False]} refused{'':20}")


if __name__ == "__main__":
    main()

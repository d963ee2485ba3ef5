"""How a tile's Verilog grows: ``python -m verif.sizes`` writes the table of docs/tile.md anew."""

import re
import time
from pathlib import Path

from gen.config import Configuration
from gen.verilog import emit

PAGE = Path(__file__).parents[1] / "docs" / "tile.md"
SIDES = (1, 2, 4, 8, 16)
HEAD = "| tile | modules | Verilog, kB | time, of 4 x 4's |"


def measured(side: int) -> tuple[str, float]:
    """The columns of a tile that are the same on every machine, and the seconds it took."""
    start = time.process_time()
    text, _ = emit(Configuration.parse("mxfp4", "tile", 32, m=side, n=side))
    seconds = time.process_time() - start
    modules = len(re.findall(r"^module ", text, re.MULTILINE))
    return f"| {side} x {side} | {modules} | {len(text) / 1000:.0f} |", seconds


def table() -> list[str]:
    """The lines of the table."""
    measured(1)  # what is made once is not charged to the first
    rows = [min(measured(side) for _ in range(3)) for side in SIDES]
    one = rows[SIDES.index(4)][1]
    return [HEAD, "| --- " * 4 + "|", *(f"{row} {s / one:.1f} |" for row, s in rows)]


def shown() -> list[str]:
    """The rows of docs/tile.md, without the times."""
    rows = re.findall(r"^\| \d+ x \d+ \|.*\|$", PAGE.read_text(), re.MULTILINE)
    return [row.rpartition("| ")[0].rstrip(" |") + " |" for row in rows]


def write() -> None:
    """Write the table into docs/tile.md."""
    old = re.escape(HEAD) + r"\n(\|.*\n)*"
    PAGE.write_text(re.sub(old, "\n".join(table()) + "\n", PAGE.read_text()))


if __name__ == "__main__":
    write()

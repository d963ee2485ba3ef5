"""The tables of docs/quantizer.md: ``python -m verif.quantizer_page`` measures and writes them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from gen.cells import BUILT_IN
from gen.configure import AnyConfiguration, configure
from gen.mapping import area
from gen.verilog import emit

PAGE = Path(__file__).parents[1] / "docs" / "quantizer.md"
FORMATS = (
    "mxfp8_e4m3",
    "mxfp8_e5m2",
    "mxfp6_e3m2",
    "mxfp6_e2m3",
    "mxint8",
    "mxfp4",
    "mxfp4_oas",
    "nvfp4",
    "amxfp4",
    "amxfp4_e8m0",
    "int8",
    "int4",
    "dint4",
    "mxfp4_mbs",
)
SOURCES = ("bf16",)


def designs(fmt: str) -> Iterator[tuple[str, AnyConfiguration]]:
    """What the tables show of a format: its quantizers by their input, and its ``mac``."""
    for source in SOURCES:
        yield source, configure("quantizer", fmt=fmt, source=source)
    yield "mac", configure("mac", fmt=fmt, k=32)


def measured() -> dict[tuple[str, str], float]:
    """Gate equivalents of every design."""
    every = [((fmt, what), c) for fmt in FORMATS for what, c in designs(fmt)]
    keys, configurations = zip(*every)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(keys, pool.map(_area, configurations)))


def _area(configuration: AnyConfiguration) -> float:
    text, description = emit(configuration)
    adders = "gates" if configuration.unit == "quantizer" else "full and half"
    return area(text, description["top"], BUILT_IN, adders=adders).area


def tables(found: dict[tuple[str, str], float]) -> dict[str, list[str]]:
    """The lines of both tables."""
    quantizers = " | ".join(f"quantizer, {source}: GE | a lane" for source in SOURCES)
    rows = [
        f"| format | {quantizers} | mac: GE | a lane |",
        "| --- " * (3 + 2 * len(SOURCES)) + "|",
    ]
    for fmt in FORMATS:
        cells = []
        for what in (*SOURCES, "mac"):
            lanes = 32 if what == "mac" else configure("quantizer", fmt=fmt, source=what).group
            cells += [f"{found[fmt, what]:,.0f}", f"{found[fmt, what] / lanes:,.0f}"]
        rows.append(f"| `{fmt}` | {' | '.join(cells)} |")
    oas = ["| input | floor, GE | OAS, GE | difference |", "| --- " * 4 + "|"]
    for source in SOURCES:
        floor, other = found["mxfp4", source], found["mxfp4_oas", source]
        oas.append(f"| {source} | {floor:,.0f} | {other:,.0f} | {other / floor - 1:+.1%} |")
    return {"areas": [*rows, "", *map(fingerprint, FORMATS)], "oas": oas}


def fingerprint(fmt: str) -> str:
    """What the row of a format was measured on, as a comment."""
    digest = hashlib.sha256(BUILT_IN.read_bytes() + version("pyosys").encode())
    for _, configuration in designs(fmt):
        text, _ = emit(configuration)
        digest.update(re.sub(r"^//.*\n", "", text, flags=re.MULTILINE).encode())
    return f"<!-- {fmt} measured on {digest.hexdigest()[:16]} -->"


def write() -> None:
    """Measure, and write the tables into the page."""
    text = PAGE.read_text()
    for name, lines in tables(measured()).items():
        table = "\n".join([f"<!-- {name} -->", "", *lines, "", "<!-- end -->"])
        old = rf"<!-- {name} -->.*?<!-- end -->"
        text = re.sub(old, lambda _, table=table: table, text, flags=re.DOTALL)
    PAGE.write_text(text)


if __name__ == "__main__":
    write()

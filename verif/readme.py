"""README's tables: ``python -m verif.readme [NAME ...]`` writes them anew; a test compares them.

A table stands between ``<!-- NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from gen.catalogue import CATALOGUE
from gen.cells import BUILT_IN
from gen.config import UNITS as PRODUCTS
from gen.config import Configuration
from gen.configure import UNITS, configure
from gen.errors import UsageError
from gen.verilog import emit, without_comments
from golden import get_format, list_formats

README = Path(__file__).parents[1] / "README.md"
SYNTHESIZED = ("mxfp4", "nvfp4", "amxfp4", "amxfp4:mxfp4", "mxfp8_e4m3", "mxint8")

MEANINGS = {
    "clk": "clock",
    "rst": "reset, synchronous, active high",
    "i_valid": "a step is offered",
    "i_ready": "and is taken",
    "i_first": "the step starts from `i_c`, else from the last step's accumulator",
    "i_last": "the accumulator after this step is a result",
    "i_c": "binary32 to start from",
    "i_a_elems": "32 elements of a",
    "i_a_scales": "their scales",
    "i_b_elems": "32 elements of b",
    "i_b_scales": "their scales",
    "o_valid": "a result is offered",
    "o_ready": "and is taken",
    "o_d": "the result, binary32",
}


def head() -> list[str]:
    """The comment at the head of a file of Verilog."""
    text, _ = emit(Configuration.parse("amxfp4"))
    lines = text[: text.index("// Source digest")].splitlines()
    return ["    " + line for line in lines]


def ports() -> list[str]:
    """The ports of a mac."""
    _, description = emit(Configuration.parse("amxfp4"))
    rows = [
        f"| `{port['name']}` | {port['direction']} | {port['width']} | {MEANINGS[port['name']]} |"
        for port in description["ports"]
    ]
    return ["| port | direction | bits | meaning |", "| --- | --- | --- | --- |", *rows]


def formats() -> list[str]:
    """The catalogue, and the units that take each format on both sides."""
    rows = []
    for name in list_formats():
        fmt = get_format(name)
        scale = f"{fmt.sides} `{fmt.scale.name}`" if fmt.scale else "none"
        scale += ", 1 `fp32` a tensor" if fmt.tensor_scale else ""
        scale += f", 1 `{fmt.macro.factor.name}` per {fmt.macro.size}" if fmt.macro else ""
        block = fmt.block_size or ("row" if fmt.scale else "")
        units = ", ".join(unit for unit in UNITS if _takes(unit, name)) or "model only"
        cells = (f"`{name}`", f"`{fmt.element.name}`", block, scale, fmt.scale_rule)
        cells = cells if fmt.scale else (*cells[:-1], "")
        rows.append(f"| {' | '.join(map(str, cells))} | {fmt.bits_per_element:g} | {units} |")
    head = "| format | element | block | scales a block | scale rule | bits/element | units |"
    return [head, "| --- " * 7 + "|", *rows]


def _takes(unit: str, name: str) -> bool:
    try:
        configure(unit, fmt=f"{name}:{name}" if unit in PRODUCTS else name)
    except UsageError:
        return False
    return True


def refusal() -> list[str]:
    """What bad input is answered with."""
    try:
        Configuration.parse("mxfp4", k="33")
    except UsageError as error:
        return ["    $ make verilog FMT=mxfp4 K=33", f"    mxforge: {error}."]
    raise ValueError("K of 33 must be refused, and is not")


def synth_row(fmt: str) -> str:
    """One configuration of the synthesis table, measured."""
    from gen.synth import run

    with tempfile.TemporaryDirectory() as folder:
        (result,) = run(Configuration.parse(fmt), folder=Path(folder))
    found = [
        f"{recipe['area_ge']['total']:,.0f} | {recipe['longest_path']['ns']:.1f}"
        for recipe in result["recipes"]
    ]
    return f"| `make synth FMT={fmt}` | {' | '.join(found)} |"


def synth() -> list[str]:
    """Area and longest path of some formats."""
    recipes = "for area: GE | ns | for delay: GE | ns"
    rows = [synth_row(fmt) for fmt in SYNTHESIZED]
    return [f"| printed by | {recipes} |", "| --- " * 5 + "|", *rows, "", fingerprint()]


def fingerprint() -> str:
    """What the synthesis table was measured on: Verilog, cells and Yosys, as a comment."""
    digest = hashlib.sha256(BUILT_IN.read_bytes() + version("pyosys").encode())
    for fmt in SYNTHESIZED:
        text, _ = emit(Configuration.parse(fmt))
        digest.update(without_comments(text).encode())
    return f"<!-- measured on {digest.hexdigest()} -->"


def catalogue() -> list[str]:
    """The tiles that are verified, by tier."""
    rows = []
    for entry in CATALOGUE:
        c = entry.configuration
        cells = (c.pair, f"{c.m} x {c.n} x {c.k}", c.acc, c.pipeline, entry.tier)
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return ["| pair | M x N x K | accumulator | pipeline | tier |", "| --- " * 5 + "|", *rows]


TABLES = {"head": head, "ports": ports, "formats": formats, "refusal": refusal, "synth": synth}
TABLES["catalogue"] = catalogue


def shown(name: str) -> list[str]:
    """The lines of a table as README has them."""
    text = README.read_text()
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", text, re.DOTALL)
    if match is None:
        raise ValueError(f"README must have a table {name}, and has none")
    return match[1].strip("\n").split("\n")


def write(names: Iterable[str]) -> None:
    """Write the tables of these names into README."""
    for name in names:
        table = "\n".join(["", *TABLES[name](), ""])
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda match, table=table: f"{match[1]}{table}\n{match[2]}",
            README.read_text(),
            flags=re.DOTALL,
        )
        README.write_text(text)


if __name__ == "__main__":
    write(sys.argv[1:] or TABLES)

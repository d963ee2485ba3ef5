"""A sweep's results as rows: CSV, JSON and Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gen import __version__
from gen.configure import PRODUCTS
from gen.formats_page import table
from gen.liberty import file_stem
from gen.sweep.run import Outcome

COLUMNS = {
    "name": "configuration",
    "fmt": "format pair, activations : weights",
    "unit": "mac, dot, tile, ...",
    "m": "rows of results",
    "n": "columns of results",
    "k": "elements a step, of a quantizer elements a cycle",
    "acc": "accumulator; empty for a unit without one",
    "out": "format of a tile's results",
    "pipeline": "register stages in the datapath",
    "macs": "multiply-accumulates a step; empty for a unit without products",
    "library": "the Liberty file's name",
    "recipe": "what synthesis was for: area or delay",
    "area_ge": "area in NAND2 equivalents",
    "area_um2": "area; empty where the library's unit is not known to be a square micrometre",
    "combinational_ge": "its combinational part",
    "sequential_ge": "its flip-flops' part",
    "flip_flops": "count",
    "longest_path_ns": "longest path; empty for a design without any",
    "power_mw": "power at 100 MHz, where it was asked for",
    "fj_per_mac": "the same as energy of a multiply-accumulate",
    "ge_per_mac": "area_ge over macs",
    "sqnr_db": "signal to quantization noise of a product of the sweep's tensors",
}
"""The columns of the CSV file, and what they are."""


def rows(results: Iterable[dict], quality: dict[str, float]) -> list[dict[str, Any]]:
    """One row for each result and recipe; `quality` is the SQNR of each format pair in dB."""
    found = []
    for result in results:
        shape = result["configuration"]
        macs = shape["m"] * shape["n"] * shape["k"] if shape["unit"] in PRODUCTS else None
        for recipe in result["recipes"]:
            area, path = recipe["area_ge"], recipe["longest_path"]
            power = recipe["power"] or {}
            values = {
                "name": result["name"],
                **shape,
                "macs": macs,
                "library": stem(result),
                "recipe": recipe["recipe"],
                "area_ge": area["total"],
                "area_um2": recipe["area_um2"],
                "combinational_ge": area["combinational"],
                "sequential_ge": area["sequential"],
                "flip_flops": recipe["flip_flops"],
                "longest_path_ns": path["ns"] if path else None,
                "power_mw": power.get("milliwatts"),
                "fj_per_mac": power.get("femtojoules_per_mac"),
                "ge_per_mac": round(area["total"] / macs, 3) if macs else None,
                "sqnr_db": quality.get(shape["fmt"]),
            }
            found.append({column: values.get(column) for column in COLUMNS})
    return found


def stem(result: dict) -> str:
    """The name of a result's Liberty file without its suffixes."""
    return file_stem(Path(result["library"]["file"]))


def csv_text(rows: Iterable[dict]) -> str:
    """Rows as CSV under their names."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def summary(outcome: Outcome, rows: list[dict], tensors: str) -> dict:
    """The sweep as plain values: its rows, the breakdowns, what was left out, and by what."""
    return {
        "sweep": outcome.plan.name,
        "command": outcome.plan.command,
        "mxforge": __version__,
        "tools": outcome.results[0]["tools"] if outcome.results else {},
        "tensors": tensors,
        "columns": COLUMNS,
        "rows": rows,
        "breakdowns": [
            {
                "name": result["name"],
                "library": stem(result),
                "parts_ge": result["breakdown"]["parts_ge"],
            }
            for result in outcome.results
        ],
        "designs": {result["name"]: result["design_digest"] for result in outcome.results},
        "refused": [vars(refusal) for refusal in outcome.refused],
        "failed": [vars(refusal) for refusal in outcome.failed],
    }


def json_text(summary: dict) -> str:
    """A summary as JSON."""
    return json.dumps(summary, indent=1) + "\n"


def markdown(summary: dict, plots: Sequence[str] = ()) -> str:
    """A page: a table for each library, `plots` by file name, and what was left out."""
    lines = [f"# Sweep {summary['sweep']}", "", f"    {summary['command']}", ""]
    tools = ", ".join(f"{name} {version}" for name, version in summary["tools"].items() if version)
    lines += [f"By mxforge {summary['mxforge']}, {tools}. SQNR: {summary['tensors']}.", ""]
    for library in dict.fromkeys(row["library"] for row in summary["rows"]):
        found = [row for row in summary["rows"] if row["library"] == library]
        lines += [f"## {library}", "", _library(found), ""]
    for plot in plots:
        lines += [f"![{plot.rpartition('.')[0].replace('_', ' ')}]({plot})", ""]
    for what in ("refused", "failed"):
        if summary[what]:
            lines += [f"## {what.capitalize()}", ""]
            lines += [f"- {each['named']}: {each['reason']}" for each in summary[what]] + [""]
    return "\n".join(lines)


def _library(rows: list[dict]) -> str:
    """One line for each configuration: every recipe's area and longest path, and the SQNR."""
    recipes = list(dict.fromkeys(row["recipe"] for row in rows))
    heads = ["configuration"]
    for recipe in recipes:
        heads += [f"for {recipe}: GE", "GE/MAC", "ns"]
    lines = []
    for name in dict.fromkeys(row["name"] for row in rows):
        line = [f"`{name}`"]
        for row in (row for row in rows if row["name"] == name):
            line += [
                number(row["area_ge"], ",.0f"),
                number(row["ge_per_mac"], ",.1f"),
                number(row["longest_path_ns"], ".2f"),
            ]
        ratio = next(row["sqnr_db"] for row in rows if row["name"] == name)
        lines.append([*line, number(ratio, ".1f")])
    return table([*heads, "SQNR, dB"], lines)


def number(value: float | None, form: str) -> str:
    """A number in a table; a dash for none.

    >>> number(1234.5, ",.0f"), number(None, ".2f")
    ('1,234', '-')
    """
    return "-" if value is None else format(value, form)

"""The tables that ``make synth`` prints."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

BAR = 24
"""Characters of the longest bar."""


def print_result(result: dict, console: Console) -> None:
    """Print what :func:`gen.synth.synthesize` returned."""
    library = result["library"]
    nand2 = library["nand2"]
    title = f"[bold]{result.get('name', result['top'])}[/] on [bold]{library['name']}[/]"
    console.print(
        f"{title}   1 GE = {nand2['cell']} = {nand2['area_library']:g} library units",
        highlight=False,
        soft_wrap=True,
    )
    console.print()
    console.print(_areas(result))
    console.print(
        "Flattened design. Path: static timing with the library's tables, ideal wires, flip-flops "
        "included.\nABC's estimate leaves flip-flops out, and is - where adder cells are used.\n",
        style="dim",
    )
    console.print(_parts(result))
    console.print(
        "Recipe area with the parts kept apart, which costs what flattening saves: "
        f"flattened, the total is {result['breakdown']['flattened_total_ge']:,.1f} GE.\n",
        style="dim",
        highlight=False,
    )


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))


def _areas(result: dict) -> Table:
    table = _table()
    table.add_column("recipe")
    names = ("area GE", "combinational", "sequential", "library units", "cells", "flip-flops")
    for name in (*names, "path ns", "ABC ns"):
        table.add_column(name, justify="right")
    table.add_column("adder cells")
    for recipe in result["recipes"]:
        area, path, abc = recipe["area_ge"], recipe["longest_path"], recipe["abc_ns"]
        table.add_row(
            recipe["recipe"],
            f"[bold]{area['total']:,.1f}[/]",
            f"{area['combinational']:,.1f}",
            f"{area['sequential']:,.1f}",
            f"{recipe['area_library']['total']:,.1f}",
            f"{sum(recipe['cells'].values()):,}",
            f"{recipe['flip_flops']:,}",
            f"[bold]{path['ns']:.3f}[/]" if path else "-",
            f"{abc:.3f}" if abc is not None else "-",
            "none" if recipe["adders"] == "gates" else recipe["adders"],
        )
    return table


def _parts(result: dict) -> Table:
    breakdown = result["breakdown"]
    total = breakdown["total_ge"]
    table = _table()
    table.add_column("part")
    table.add_column("area GE", justify="right")
    table.add_column("share", justify="right")
    table.add_column("")
    largest = max(breakdown["parts_ge"].values(), default=0.0)
    for name, area in breakdown["parts_ge"].items():
        bar = "█" * round(BAR * area / largest) if largest else ""
        table.add_row(name, f"{area:,.1f}", f"{area / total:.1%}" if total else "-", bar)
    table.add_section()
    table.add_row("total", f"[bold]{total:,.1f}[/]", "", "")
    return table

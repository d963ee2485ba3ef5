"""The tables that ``make synth`` prints."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

BAR = 24
"""Characters of the longest bar."""
ADDER_NAMES = {"gates": "none", "full": "full adders", "full and half": "full and half adders"}
GATES_NAMES = {
    "gates": "none",
    "full": "full adders of gates",
    "full and half": "full adders of gates, half adders",
}
"""How the choices of adders are called, and where three gates are a full adder."""

FPGA_ROWS = {
    "luts": "LUTs",
    "carries": "carry cells",
    "flip_flops": "flip-flops",
    "wide_muxes": "wide multiplexers",
    "dsps": "DSPs",
    "memories": "memories",
    "other": "other",
}
FPGA_ALWAYS = ("luts", "carries", "flip_flops", "dsps")


def print_result(result: dict, console: Console) -> None:
    """Print what :func:`gen.measure.synthesize` returned."""
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
    if not result["flattened"]:
        console.print()
        console.print(_modules(result))
    what = "Flattened design." if result["flattened"] else "Module by module."
    _note(
        console,
        f"{what} Longest path: static timing with the library's tables, ideal",
        "wires, flip-flops included. ABC leaves flip-flops out and sees no adder cells.",
    )
    if result["stimuli"]:
        console.print(_power(result))
        given = result["stimuli"]
        _note(
            console,
            f"{given['streams']} x {given['steps']} steps of {given['operands']} operands (seed "
            f"{given['seed']}), {given['product']} to a product.",
            "Glitches by the library's delays; without wires and clock tree.",
        )
    console.print(_parts(result))
    total = result["breakdown"]["recipe_total_ge"]
    _note(
        console,
        "Recipe area with the parts kept apart, which costs what dissolving them saves:",
        f"above, the total is {total:,.1f} GE.",
    )


def print_fpga(result: dict, console: Console) -> None:
    """Print what :func:`gen.fpga.synthesize` returned."""
    title = f"[bold]{result.get('name', result['top'])}[/] on [bold]{result['family']}[/]"
    console.print(title, highlight=False, soft_wrap=True)
    console.print()
    table = _table()
    table.add_column("cells")
    table.add_column("count", justify="right")
    for key, label in FPGA_ROWS.items():
        if result[key] or key in FPGA_ALWAYS:
            table.add_row(label, f"{result[key]:,}")
    console.print(table)
    _note(console, f"Cells after Yosys, flattened, not placed: {', '.join(result['cells'])}.")


def _note(console: Console, *lines: str) -> None:
    console.print(*lines, sep="\n", end="\n\n", style="dim", highlight=False)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))


def _areas(result: dict) -> Table:
    table = _table()
    table.add_column("recipe")
    recipes = result["recipes"]
    for recipe in recipes:
        table.add_column(recipe["recipe"], justify="right")
    areas = [recipe["area_ge"] for recipe in recipes]
    table.add_row("area, GE", *(f"[bold]{area['total']:,.1f}[/]" for area in areas))
    table.add_row("  combinational", *(f"{area['combinational']:,.1f}" for area in areas))
    table.add_row("  sequential", *(f"{area['sequential']:,.1f}" for area in areas))
    units = (recipe["area_library"]["total"] for recipe in recipes)
    unit = result["library"]["area_unit"] or "library units"
    table.add_row(f"area, {unit}", *(f"{area:,.1f}" for area in units))
    table.add_row("cells", *(f"{sum(recipe['cells'].values()):,}" for recipe in recipes))
    table.add_row("  flip-flops", *(f"{recipe['flip_flops']:,}" for recipe in recipes))
    names = GATES_NAMES if " + " in (result["library"]["full_adder"] or "") else ADDER_NAMES
    table.add_row("adder cells used", *(names[recipe["adders"]] for recipe in recipes))
    paths = (recipe["longest_path"] for recipe in recipes)
    table.add_row("longest path, ns", *(f"[bold]{p['ns']:.3f}[/]" if p else "-" for p in paths))
    for end in ("from", "to"):
        ends = (recipe["longest_path"] for recipe in recipes)
        table.add_row(f"  {end}", *(escape(path[end]) if path else "-" for path in ends))
    others = [recipe["opensta"] or {} for recipe in recipes]
    for label, times in {
        "  by OpenSTA": [other.get("ns") for other in others],
        "  and wire load": [other.get("wire_load_ns") for other in others],
        "ABC's estimate, ns": [recipe["abc_ns"] for recipe in recipes],
    }.items():
        if label.startswith("ABC") or any(times):
            table.add_row(label, *("-" if ns is None else f"{ns:.3f}" for ns in times))
    return table


def _power(result: dict) -> Table:
    """Energy a step and power, by recipe."""
    table = _table()
    table.add_column("power")
    found = [recipe["power"] for recipe in result["recipes"]]
    for recipe in result["recipes"]:
        table.add_column(recipe["recipe"], justify="right")
    table.add_row("energy a step, pJ", *(f"[bold]{p['energy_pj']['total']:,.3f}[/]" for p in found))
    for part in ("internal", "switching", "glitches", "clock"):
        values = (p["energy_pj"][part] for p in found)
        table.add_row(f"  {part}", *("-" if v is None else f"{v:,.3f}" for v in values))
    values = (p["leakage_uw"] for p in found)
    table.add_row("leakage, uW", *("-" if v is None else f"{v:,.4f}" for v in values))
    label = f"at {found[0]['clock_mhz']} MHz, mW"
    table.add_row(label, *(f"[bold]{p['milliwatts']:,.3f}[/]" for p in found))
    table.add_row("  fJ a multiply-add", *(f"{p['femtojoules_per_mac']:,.1f}" for p in found))
    return table


def _modules(result: dict) -> Table:
    """The modules that were synthesized, and the area of one by recipe."""
    table = _table()
    table.add_column("module")
    table.add_column("instances", justify="right")
    recipes = [recipe["modules"] for recipe in result["recipes"]]
    for recipe in result["recipes"]:
        table.add_column(f"{recipe['recipe']}: GE each", justify="right")
    for name, module in recipes[0].items():
        areas = (f"{modules[name]['area_ge']:,.1f}" for modules in recipes)
        table.add_row(escape(name), f"{module['instances']:,}", *areas)
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

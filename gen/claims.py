"""docs/claims.md: ``make claims LIB=...`` measures what the papers claim and writes the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from gen import sweep
from gen.errors import UsageError
from gen.formats_page import table
from gen.sweep import job
from gen.sweep.plan import Plan
from gen.sweep.quality import Tensors
from gen.sweep.table import number

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "claims.md"
TEMPLATE = DOCS / "claims.md.in"
RESULTS = DOCS / "claims.json"
PLAN = DOCS / "sweeps" / "claims.toml"
KEPT = (
    *("name", "fmt", "unit", "k", "library", "recipe", "area_ge", "area_um2", "longest_path_ns"),
    *("power_mw", "fj_per_mac", "sqnr_db"),
)
"""What RESULTS keeps of a sweep's rows."""


def run(
    libs: Sequence[Path | str] = (),
    fmt: str | None = None,
    power: bool = True,
    jobs: int | None = None,
) -> int:
    """Measure on these Liberty files, write RESULTS and PAGE, and return the exit status.

    `fmt`: only these formats of the plan, a comma list; of others RESULTS keeps what still has the
    Verilog that was measured, which is also all that is done without files. UsageError for another
    format and for a file that cannot be used.
    """
    status, new = 0, {}
    plan = chosen(Plan.parse({}, libs, PLAN, power=power), fmt)
    if libs:
        outcome = sweep.run(plan, jobs=jobs)
        status = outcome.status
        if outcome.results:
            new = json.loads((sweep.FOLDER / f"{plan.name}.json").read_text())
    found = current(json.loads(RESULTS.read_text(encoding="utf-8")))
    if new:
        found = merged(found, new)
    found = rated(found, Tensors.find())
    RESULTS.write_text(text(found), encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")
    return status


def chosen(plan: Plan, fmt: str | None) -> Plan:
    """The plan with only these formats, a comma list; UsageError for one that it has not."""
    if fmt is None:
        return plan
    wanted = [each.strip() for each in fmt.split(",")]
    known = list(dict.fromkeys(each for grid in plan.grids for each in grid["fmt"]))
    for each in wanted:
        if each not in known:
            raise UsageError(f"FMT must be among {', '.join(known)}, not {each!r}")
    grids = [{**grid, "fmt": [f for f in grid["fmt"] if f in wanted]} for grid in plan.grids]
    return replace(plan, grids=tuple(grid for grid in grids if grid["fmt"]))


def current(found: dict) -> dict:
    """RESULTS without the designs that have changed since they were measured."""
    gone = set(changed(found))
    designs = {name: digest for name, digest in found["designs"].items() if name not in gone}
    rows = [row for row in found["rows"] if row["name"] in designs]
    return found | {"designs": designs, "rows": rows}


def merged(before: dict, after: dict) -> dict:
    """What RESULTS says after a sweep: its rows, and those of before that it has not."""
    rows = {_key(row): {key: row[key] for key in KEPT} for row in before["rows"] + after["rows"]}
    head = {key: after[key] for key in ("mxforge", "tools", "tensors")}
    designs = before["designs"] | after["designs"]
    return head | {"designs": designs, "rows": list(rows.values())}


def rated(found: dict, tensors: Tensors) -> dict:
    """RESULTS with the SQNR of every row by these tensors, whenever its area was measured."""
    configurations = {c.name: c for c in Plan.parse({}, file=PLAN).configurations()[0]}
    quality = sweep.rated([configurations[name] for name in found["designs"]], tensors)
    rows = [row | {"sqnr_db": quality[row["fmt"]]} for row in found["rows"]]
    return found | {"tensors": tensors.words, "rows": rows}


def text(found: dict) -> str:
    """The content of RESULTS, a row a line."""
    rows = ",\n  ".join(json.dumps(row) for row in found["rows"])
    head = json.dumps({key: value for key, value in found.items() if key != "rows"}, indent=1)
    return head.removesuffix("\n}") + f',\n "rows": [\n  {rows}\n ]\n}}\n'


def _key(row: dict) -> tuple[str, str, str, str]:
    return row["unit"], row["fmt"], row["library"], row["recipe"]


def changed(found: dict, names: Sequence[str] | None = None) -> list[str]:
    """Which designs of RESULTS (or of `names` among them) have other Verilog by now."""
    now = {c.name: c for c in Plan.parse({}, file=PLAN).configurations()[0]}
    return [
        name
        for name, digest in found["designs"].items()
        if (names is None or name in names)
        and (name not in now or job.design(now[name]).digest != digest)
    ]


class Results:
    """What was measured, by unit, format, library and recipe; anything may be missing."""

    def __init__(self, rows: Sequence[dict]):
        self.libraries = list(dict.fromkeys(row["library"] for row in rows))
        self.has_power = any(row["fj_per_mac"] is not None for row in rows)
        self._rows = {_key(row): row for row in rows}

    def ratios(self, column: str, over: str, under: str, unit: str = "tile") -> list[float]:
        """`over`'s value over `under`'s on each library that has both, by recipe area."""
        found = []
        for library in self.libraries:
            rows = [self._rows.get((unit, fmt, library, "area")) for fmt in (over, under)]
            values = [row[column] for row in rows if row and row[column] is not None]
            found += [values[0] / values[1]] if len(values) == 2 else []
        return found

    def table(self, fmts: Sequence[str], unit: str = "tile", quality: bool = False) -> str:
        """A table for each library: both recipes, with ratios to the first format."""
        tables = (self._table(fmts, unit, library, quality) for library in self.libraries)
        return "\n\n".join(filter(None, tables)) or "Not measured."

    def _table(self, fmts: Sequence[str], unit: str, library: str, quality: bool) -> str:
        is_tile = unit == "tile"
        pairs = {
            fmt: [self._rows[unit, fmt, library, recipe] for recipe in ("area", "delay")]
            for fmt in fmts
            if (unit, fmt, library, "area") in self._rows
        }
        if fmts[0] not in pairs:
            return ""
        has_power = self.has_power and is_tile
        heads = [library] + ["elements"] * (not is_tile) + ["for area: GE", "x", "ns", "um2"]
        heads += ["fJ/MAC", "x"] * has_power + ["for delay: GE", "x", "ns"] + ["SQNR"] * quality
        first = pairs[fmts[0]]
        lines = []
        for fmt, (small, fast) in pairs.items():
            line = [f"`{fmt}`"] + [str(small["k"])] * (not is_tile)
            line += [*_area(small, first[0], is_tile), number(small["area_um2"], ",.0f")]
            if has_power:
                energies = small["fj_per_mac"], first[0]["fj_per_mac"]
                ratio = energies[0] / energies[1] if None not in energies else None
                line += [number(energies[0], ",.0f"), number(ratio, ".2f")]
            line += _area(fast, first[1], is_tile)
            line += [number(small["sqnr_db"], ".1f")] * quality
            lines.append(line)
        return table(heads, lines)


def _area(row: dict, first: dict, is_tile: bool) -> list[str]:
    """Area, its ratio to the first's (of quantizers by element), and the longest path."""
    ratio = row["area_ge"] / first["area_ge"] * (1 if is_tile else first["k"] / row["k"])
    return [f"{row['area_ge']:,.0f}", f"{ratio:.2f}", number(row["longest_path_ns"], ".1f")]


def verdict(ratios: Sequence[float], holds: Callable[[float], bool], form: str = "{:.2f} x") -> str:
    """Whether a claim holds on every library, with its numbers.

    >>> verdict([1.02, 1.2], lambda ratio: ratio < 1.1)
    '**holds only in part** (1.02 x, 1.20 x)'
    """
    if not ratios:
        return "not measured"
    held = [holds(ratio) for ratio in ratios]
    word = "holds" if all(held) else "holds only in part" if any(held) else "does not hold"
    return f"**{word}** ({', '.join(form.format(ratio) for ratio in ratios)})"


def page(found: dict) -> str:
    """The text of docs/claims.md for what RESULTS holds."""
    results = Results(found["rows"])
    area = "area_ge"
    saved = [1 - ratio for ratio in results.ratios(area, "mxfp4", "nvfp4")]
    oas = results.ratios(area, "mxfp4_oas", "mxfp4", "quantizer")
    scale = ["mxfp4", "int4", "nvfp4", "amxfp4:mxfp4", "amxfp4", "mxfp6_e2m3"]
    scale += ["int8:dint4", "int8", "mxint8", "mxfp8_e4m3", "bf16"]
    tools = ", ".join(f"{name} {version}" for name, version in found["tools"].items() if version)
    return TEMPLATE.read_text(encoding="utf-8").format(
        libraries=", ".join(f"`{library}`" for library in results.libraries),
        tools=tools,
        tensors=found["tensors"],
        power=POWER if results.has_power else "",
        amxfp4=results.table(["mxfp4", "amxfp4:mxfp4", "amxfp4"]),
        amxfp4_one=_at_most(results.ratios(area, "amxfp4:mxfp4", "mxfp4"), 1.05),
        amxfp4_two=_at_most(results.ratios(area, "amxfp4", "mxfp4"), 1.05),
        amxfp4_peer=_at_least(results.ratios(area, "amxfp4", "mxfp4"), 2.29),
        amxfp4_energy=_at_least(results.ratios("fj_per_mac", "amxfp4", "mxfp4"), 1.62),
        nvfp4=results.table(["mxfp4", "nvfp4"]),
        nvfp4_saves=verdict(saved, lambda ratio: ratio >= 0.12, "{:.0%}"),
        nvfp4_peer=_at_least(results.ratios(area, "nvfp4", "mxfp4"), 1.40),
        dint4=results.table(["int8:dint4", "int8"]),
        dint4_area=_at_least(results.ratios(area, "int8", "int8:dint4"), 1.93),
        dint4_energy=_at_least(results.ratios("fj_per_mac", "int8", "int8:dint4"), 2.56),
        mbs=results.table(["mxfp4", "mxfp4_mbs"]),
        oas=results.table(["mxfp4", "mxfp4_oas"], "quantizer"),
        oas_cost=verdict(oas, lambda ratio: abs(ratio - 1) <= 0.03, "{:.3f} x"),
        mbs_cost=_at_most(results.ratios(area, "mxfp4_mbs", "mxfp4"), 1.062),
        scale=results.table(scale, quality=True),
    )


POWER = ", fJ/MAC the energy of one multiply-accumulate at 100 MHz with Gaussian operands"


def _at_most(ratios: Sequence[float], bound: float) -> str:
    return verdict(ratios, lambda ratio: ratio <= bound)


def _at_least(ratios: Sequence[float], bound: float) -> str:
    return verdict(ratios, lambda ratio: ratio >= bound)

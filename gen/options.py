"""The options of the command line, and what a verb is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.errors import UsageError

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


def configuration_of(**named: str | None) -> AnyConfiguration:
    """What the options name."""
    from gen.configure import configure

    return configure(**named)

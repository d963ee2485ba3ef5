"""The command line: ``mxforge VERB``, which is also ``python -m gen VERB``.

Bad input ends with one sentence on standard error and exit status 2. Verbs import what they use
when they run, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from gen import __version__
from gen.errors import ToolError, UsageError
from gen.verbs_design import sim, synth, verilog
from gen.verbs_study import bench, claims, sweep, tensors


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


for verb in (verilog, sim, synth, sweep, claims, tensors, bench):
    cli.add_command(verb)


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

"""The verbs for one design: verilog, sim, synth."""

from __future__ import annotations

from pathlib import Path

import click

from gen.errors import UsageError
from gen.options import (
    COUNT,
    ON_OFF,
    PATH,
    SEED,
    SIMULATOR,
    TEXT,
    Verb,
    configuration_of,
    configured,
)


@click.command(cls=Verb, short_help="Write the Verilog and its description.")
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
    configuration = configuration_of(**named)
    from gen.verilog import write

    for path in write(configuration):
        click.echo(path)


@click.command(cls=Verb, short_help="Simulate it against the golden model.")
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
    configuration = configuration_of(**named)
    from gen.sim import run

    chosen = simulator or "verilator", seed, count, data, bool(waves)
    run(configuration, *chosen, netlist=netlist, lib=lib, models=models)


@click.command(cls=Verb, short_help="Measure area and longest path.")
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
    configuration = configuration_of(**named)
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

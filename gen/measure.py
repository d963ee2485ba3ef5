"""What ``make synth`` reports of a design on one Liberty file, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gen import opensta, yosys
from gen.activity import simulate
from gen.adders import full_adder, half_adder
from gen.flow import RECIPES
from gen.gates import flat
from gen.hierarchy import outermost
from gen.liberty import Library, load
from gen.mapping import Mapped, breakdown, variants
from gen.power import power
from gen.stimuli import Stimuli
from gen.timing import Path as TimingPath

PARTS = ("decode", "products", "reduction", "scaling", "accumulator", "control", "registers")
"""The parts of a breakdown, in dataflow order; others follow by name."""

MEGAHERTZ = 100
"""The clock at which power is stated: energies follow it, leakage does not."""


def synthesize(
    verilog: str,
    top: str,
    parts: Mapping[str, str],
    liberty: Library | Path | str,
    flatten: bool = True,
    stimuli: Stimuli | None = None,
) -> dict:
    """Measure module `top` of a Verilog text on one Liberty file.

    `parts` names the part of the breakdown that each module belongs to. Without `flatten` the
    outermost of these modules are synthesized by themselves, once each, however often they occur.
    Returns plain values, the same for the same input; areas are in gate equivalents (``_ge``) and
    in the library's units (``_library``), times in nanoseconds (``_ns``). `stimuli` are what power
    is measured with, None for no power. UsageError for a Liberty file that cannot be used.
    """
    library = liberty if isinstance(liberty, Library) else load(liberty)
    kept = [] if flatten else outermost(verilog, top, parts)
    tried = variants(verilog, top, library, kept=kept)
    best = {
        recipe: min((each for each in tried if each.recipe == recipe), key=lambda each: each.rank)
        for recipe in RECIPES
    }
    areas = breakdown(verilog, top, parts, library, best["area"].adders)
    names = [name for name in PARTS if name in areas]
    names += sorted(set(areas) - set(PARTS))
    return {
        "top": top,
        "library": _library(library),
        "tools": {"pyosys": yosys.release(), "opensta": opensta.release()},
        "flattened": flatten,
        "method": {
            "area": "cells of the flattened design, after mapping"
            if flatten
            else "cells of each module, mapped by itself once, times its instances",
            "longest_path": "static timing over the mapped cells with the library's tables: ideal "
            "wires and clock, inputs at time 0, flip-flops' delay and setup time included",
            "opensta": "OpenSTA's longest path (ns) under the same assumptions, and (wire_load_ns) "
            "with the wires that the library's default wire load model guesses; null without it",
            "power": "simulation of the netlist, driven by the stimuli, times the library's "
            "energies: internal power by pin and state, half C V^2 an edge for the pins on each "
            "net, leakage by state; glitches by a simulation with the library's delays; no wires, "
            "no clock tree; null if not asked for",
            "abc_ns": "ABC's estimate of the longest path between ports and flip-flops, whose own "
            "times it leaves out; null where adders may be cells, which hide parts of it",
            "breakdown": "cells after mapping by recipe area with the modules of every part kept "
            "apart, which costs what dissolving them saves; flip-flops of all parts are registers",
        },
        "stimuli": stimuli.origin if stimuli else None,
        "recipes": [_recipe(best[recipe], tried, library, top, stimuli) for recipe in RECIPES],
        "breakdown": {
            "recipe": "area",
            "adders": best["area"].adders,
            "parts_ge": {name: _round(areas[name]) for name in names},
            "total_ge": _round(sum(areas.values())),
            "recipe_total_ge": _round(best["area"].area),
        },
    }


def _library(library: Library) -> dict:
    full, half = full_adder(library), half_adder(library)
    return {
        "name": library.name,
        "file": library.path.name,
        "sha256": library.digest,
        "area_unit": "um2" if library.is_square_micrometres else None,
        "nand2": {"cell": library.nand2.name, "area_library": library.nand2.area},
        "full_adder": " + ".join(full.names) if full else None,
        "half_adder": " + ".join(half.names) if half else None,
    }


def _recipe(
    mapped: Mapped, tried: Sequence[Mapped], library: Library, top: str, stimuli: Stimuli | None
) -> dict:
    """One recipe's result, with the choices of adder cells that were tried for it."""
    unit = library.nand2.area
    areas = {
        "total": mapped.area,
        "combinational": mapped.combinational,
        "sequential": mapped.sequential,
    }
    return {
        "recipe": mapped.recipe,
        "abc_script": RECIPES[mapped.recipe],
        "adders": mapped.adders,
        "area_ge": {name: _round(value) for name, value in areas.items()},
        "area_library": {name: _round(value * unit) for name, value in areas.items()},
        "area_um2": _round(mapped.area * unit) if library.is_square_micrometres else None,
        "flip_flops": mapped.flip_flops,
        "cells": dict(mapped.cells),
        "modules": {
            name: {"instances": count, "area_ge": _round(area)}
            for name, (count, area) in mapped.modules.items()
        },
        "longest_path": _path(mapped.path),
        "combinational_path": _path(mapped.combinational_path),
        "opensta": opensta.longest_path(library, mapped.netlist, top),
        "abc_ns": mapped.abc_delay,
        "power": _power(mapped, library, top, stimuli) if stimuli else None,
        "tried": [
            {
                "adders": each.adders,
                "area_ge": _round(each.area),
                "longest_path_ns": _round(each.path.nanoseconds) if each.path else None,
            }
            for each in tried
            if each.recipe == mapped.recipe
        ],
    }


def _power(mapped: Mapped, library: Library, top: str, stimuli: Stimuli) -> dict:
    """Energies of a step in picojoules, and power at :data:`MEGAHERTZ`."""
    module = flat(mapped.netlist, top)
    trace = simulate(library, module, stimuli.inputs, stimuli.lanes, stimuli.skipped)
    found = power(library, module, trace)
    dynamic, leakage = found.dynamic * 1e12, found.leakage * 1e6
    energies = {
        "total": _round(dynamic),
        "internal": _round(found.internal * 1e12) if found.has_internal else None,
        "switching": _round(found.switching * 1e12),
        "glitches": _round(found.glitches * 1e12),
        "clock": _round(found.clock * 1e12),
    }
    milliwatts = dynamic * MEGAHERTZ * 1e-3 + leakage * 1e-3
    return {
        "energy_pj": energies,
        "inputs_pj": _round(found.inputs * 1e12),
        "leakage_uw": _round(leakage) if found.has_leakage else None,
        "clock_mhz": MEGAHERTZ,
        "milliwatts": _round(milliwatts),
        "femtojoules_per_mac": _round(milliwatts / MEGAHERTZ * 1e6 / stimuli.macs),
        "toggles_per_net": _round(trace.toggles),
    }


def _path(path: TimingPath | None) -> dict | None:
    if path is None:
        return None
    cells = list(path.cells)
    return {"ns": _round(path.nanoseconds), "from": path.start, "to": path.end, "cells": cells}


def _round(value: float) -> float:
    return round(value, 4)

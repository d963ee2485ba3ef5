"""FPGA targets of ``make synth``: LUTs, carry cells and flip-flops, without DSPs and memories."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gen import yosys
from gen.errors import UsageError


@dataclass(frozen=True)
class Target:
    """A family: Yosys's command for it, and its cells by resource, as patterns of their names."""

    family: str
    command: str
    resources: dict[str, str]


TARGETS = {
    "ice40": Target(
        "Lattice iCE40",
        "synth_ice40 -nobram",
        {
            "luts": "SB_LUT4",
            "carries": "SB_CARRY",
            "flip_flops": "SB_DFF.*",
            "wide_muxes": "",
            "dsps": "SB_MAC16",
            "memories": "SB_(RAM|SPRAM).*",
        },
    ),
    "ecp5": Target(
        "Lattice ECP5",
        "synth_ecp5 -nodsp -nobram -nolutram -nowidelut",
        {
            "luts": "LUT4",
            "carries": "CCU2C",
            "flip_flops": "TRELLIS_FF",
            "wide_muxes": "PFUMX|L6MUX21",
            "dsps": "MULT.*|ALU.*",
            "memories": "DP16KD|PDPW16KD|TRELLIS_DPR16X4",
        },
    ),
    "xilinx": Target(
        "Xilinx 7 series",
        "synth_xilinx -flatten -nodsp -nobram -nolutram -nosrl -noiopad -noclkbuf",
        {
            "luts": "LUT[1-6]|INV",
            "carries": "CARRY4",
            "flip_flops": "FD[RSCP]E(_1)?",
            "wide_muxes": "MUXF[789]",
            "dsps": "DSP48.*",
            "memories": "RAM.*|SRL.*",
        },
    ),
}
"""By name; an inverter of Xilinx counts as the LUT that it takes where none absorbs it."""


def check_target(name: str) -> str:
    """The name, if it is a target's; else UsageError."""
    if name not in TARGETS:
        raise UsageError(f"TARGET must be one of {', '.join(TARGETS)}, not {name!r}")
    return name


def synthesize(verilog: str, top: str, name: str) -> dict:
    """Map module `top` of a Verilog text onto a target and count its cells, as plain values.

    UsageError for an unknown target, YosysError for Verilog that cannot be mapped.
    """
    target = TARGETS[check_target(name)]
    with tempfile.TemporaryDirectory(prefix="mxforge-") as temporary:
        folder = Path(temporary)
        (folder / "design.v").write_text(verilog)
        lines = ["read_verilog design.v", f"{target.command} -top {top}", "write_json netlist.json"]
        yosys.run(lines, folder)
        cells = yosys.netlist(folder / "netlist.json")[top]["cells"].values()
    kinds = Counter(cell["type"] for cell in cells if not cell["type"].startswith("$"))
    return {
        "top": top,
        "target": name,
        "family": target.family,
        "tools": {"pyosys": yosys.release()},
        "method": f"cells after Yosys's {target.command}, flattened; not placed",
        **counts(target, kinds),
        "cells": {kind: kinds[kind] for kind in sorted(kinds)},
    }


def counts(target: Target, kinds: Counter[str]) -> dict[str, int]:
    """How many cells of each resource there are; what no pattern takes is ``other``."""
    found = {
        name: sum(count for kind, count in kinds.items() if re.fullmatch(pattern, kind))
        for name, pattern in target.resources.items()
    }
    return found | {"other": kinds.total() - sum(found.values())}

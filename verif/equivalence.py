"""Formal equivalence of Verilog and the RTLIL it was written from, by Yosys."""

from __future__ import annotations

import re
from pathlib import Path

from gen import yosys
from gen.rtlil import Module, parse


def unproven(rtlil: str, verilog: str, folder: Path) -> list[str]:
    """The modules of an RTLIL text that ``verilog`` does not provably repeat, bit for bit.

    Each module is compared by itself, its instances being black boxes matched by name: what goes in
    has to be equal, what comes out is then taken to be. Registers start anywhere, but equal.
    """
    rtlil = re.sub(r"(?<=\\)[\w.]+", lambda match: match[0].replace(".", "_"), rtlil)
    modules = {module.name: module for module in parse(rtlil)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gold.il").write_text(rtlil)
    (folder / "gate.v").write_text(connected(verilog, modules))
    lines = ["read_rtlil gold.il", "setattr -mod -unset top", "proc", "design -stash gold"]
    lines += ["read_verilog gate.v", "proc", "design -stash gate"]
    for name, module in modules.items():
        lines += ["design -reset", f"log module {name}"]
        lines += [f"design -copy-from {side} -as {side} {name}" for side in ("gold", "gate")]
        for box in dict.fromkeys(cell.kind for cell in module.cells if cell.kind in modules):
            lines += [f"design -copy-from gold {box}", f"blackbox {box}"]
        lines += ["opt_clean gold gate", "equiv_make gold gate equiv", "hierarchy -top equiv"]
        lines += ["opt -full equiv", "equiv_struct equiv"]
        lines += [f"{way} -ignore-unknown-cells equiv" for way in ("equiv_simple", "equiv_induct")]
        lines += ["equiv_status equiv"]
    verdicts = re.split(r"^module (\S+)$", yosys.run(lines, folder), flags=re.MULTILINE)
    proven = {
        name
        for name, text in zip(verdicts[1::2], verdicts[2::2])
        if "Equivalence successfully proven!" in text
    }
    return [name for name in modules if name not in proven]


def connected(verilog: str, modules: dict[str, Module]) -> str:
    """``verilog`` with wires at the outputs it leaves open, as Yosys wants them on both sides."""

    def connect(match: re.Match) -> str:
        kind, name = match[1], match[2]
        if kind not in modules:
            return match[0]
        ports = modules[kind].wires
        wires = [
            f"wire [{ports[port].width - 1}:0] open_{name}_{port};\n"
            for port in re.findall(r"\.(\w+)\(\)", match[3])
        ]
        return "".join(wires) + re.sub(r"\.(\w+)\(\)", rf".\1(open_{name}_\1)", match[0])

    return re.sub(r"^    (\w+) (\w+) \(([^;]*)\);$", connect, verilog, flags=re.MULTILINE)

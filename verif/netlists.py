"""Mapped netlists as functions of their inputs."""

from __future__ import annotations

from collections.abc import Callable

from gen.cells import BUILT_IN
from gen.flow import Flow
from gen.liberty import Library, load
from gen.verilog import emit_part
from hdl.shared import Shared


def outputs(module: dict, library: Library, inputs: dict[str, int]) -> dict[str, int]:
    """Evaluate a combinational netlist by the truth tables of its cells."""
    values: dict[int | str, int] = {"0": 0, "1": 1}
    for name, port in module["ports"].items():
        if port["direction"] == "input":
            values |= {bit: inputs[name] >> i & 1 for i, bit in enumerate(port["bits"])}
    waiting = [cell for cell in module["cells"].values() if cell["type"] in library.cells]
    while waiting:
        later = []
        for instance in waiting:
            cell = library.cells[instance["type"]]
            nets = {pin: bits[0] for pin, bits in instance["connections"].items()}
            if any(nets[pin] not in values for pin in cell.inputs):
                later.append(instance)
                continue
            row = sum(values[nets[pin]] << i for i, pin in enumerate(cell.inputs))
            for pin, table in cell.functions.items():
                assert table is not None
                if pin in nets:
                    values[nets[pin]] = table >> row & 1
        assert len(later) < len(waiting), "the netlist has a loop"
        waiting = later
    return {
        name: sum(values[bit] << i for i, bit in enumerate(port["bits"]))
        for name, port in module["ports"].items()
        if port["direction"] == "output"
    }


def mapped(component: Shared) -> Callable[..., dict[str, int]]:
    """A function of a component's inputs that gives its outputs, from a netlist of it."""
    library = load(BUILT_IN)
    text, top = emit_part(component)
    with Flow(text, top, library) as flow:
        ((modules, _),) = flow.map([("area", "gates")])
    return lambda **inputs: outputs(modules[top], library, inputs)

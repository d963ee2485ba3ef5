"""Modules that are emitted once and instantiated by name, and assignments that lose no bit."""

from functools import cached_property
from types import SimpleNamespace

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out


def exact(dst, src):
    """``dst.eq(src)``, or ValueError at elaboration if some value of ``src`` does not fit
    ``dst``."""
    have, need = Value.cast(dst).shape(), Value.cast(src).shape()
    fits = have.width >= need.width + (have.signed and not need.signed) and (
        have.signed or not need.signed
    )
    if not fits:
        raise ValueError(f"Destination must hold {need!r} whole, not be {have!r}")
    return dst.eq(src)


def bounds(low, high):
    """The narrowest Shape that holds every integer of ``[low, high]``."""
    if low > high:
        raise ValueError(f"Lower bound must be at most {high}, not {low}")
    if low < 0:
        return Shape(max((-low - 1).bit_length(), high.bit_length()) + 1, signed=True)
    return Shape(high.bit_length())


def plain(shape, **options):
    """A signal of plain bits, seen through a layout if ``shape`` is one.

    A signal made with a layout would describe its fields at length, which takes longer than the
    rest of a large design.
    """
    bits = Signal(Shape.cast(shape), **options)
    return shape(bits) if isinstance(shape, data.Layout) else bits


class Shared(wiring.Component):
    """A component that is emitted once under its ``module_name`` and instantiated by that name.

    Two of one name must be interchangeable, so the name spells out every parameter; most of those
    made while a design elaborates only stand for the first, and are dropped without a warning.
    """

    _MustUse__silence = True

    @cached_property
    def members(self):
        """The ports by name, in the order of the signature."""
        return {path[0]: member for path, member, _ in self.signature.flatten(self)}


class Library:
    """The platform that collects every shared component placed while a design elaborates."""

    def __init__(self):
        self.components = {}

    def add(self, component):
        """Note ``component`` for emission and return its module name; ValueError if another with
        other ports has that name."""
        first = self.components.setdefault(component.module_name, component)
        if first.members != component.members:
            raise ValueError(f"Ports of every {component.module_name} must be the same")
        return component.module_name


def place(m: Module, library: Library, name: str, component: Shared, *, clocked=False, **inputs):
    """Instantiate ``component`` in ``m`` as ``name``, drive its inputs, and return its outputs by
    port name.

    Outputs are fresh signals called ``name_port``, so that Verilog and waveforms read well.
    TypeError if ``library`` is not a Library or ``inputs`` are not exactly the component's inputs.
    """
    if not isinstance(library, Library):
        raise TypeError(f"Platform must be a Library, not {library!r}")
    ports = component.members
    wanted = {port for port, member in ports.items() if member.flow == In}
    if wanted != set(inputs):
        raise TypeError(
            f"Inputs of {component.module_name} must be {sorted(wanted)}, not {sorted(inputs)}"
        )
    connections, outputs = {}, {}
    for port, member in ports.items():
        if member.flow == Out:
            outputs[port] = plain(member.shape, name=f"{name}_{port}")
            connections[f"o_{port}"] = Value.cast(outputs[port])
            continue
        shape = Shape.cast(member.shape)
        value = Value.cast(inputs[port])
        if value.shape() != shape:
            widened = Signal(shape, name=f"{name}_{port}")
            m.d.comb += exact(widened, value)
            value = widened
        connections[f"i_{port}"] = value
    if clocked:
        connections |= {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
    m.submodules[name] = Instance(library.add(component), **connections)
    return SimpleNamespace(**outputs)

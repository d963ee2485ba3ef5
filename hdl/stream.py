"""The one wrapper that knows valid and ready."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from .shared import Shared, place


class Stream(Shared):
    """A core behind valid/ready streams on both sides.

    Function  The core's; a transfer happens on a rising edge with valid and ready both high.
    Formats   The core's.
    Shapes    The core's ``i_*`` and ``o_*`` ports, plus ``i_ready`` and ``o_ready``.
    Widths    The core's.
    Timing    The core's latency; one transfer a cycle. A result that is not taken stops the whole
              pipeline, so ``i_ready`` follows ``o_ready`` in the same cycle; outputs hold
              meanwhile.
    Errors    None.
    Source    The rules of ``amaranth.lib.stream``.
    """

    def __init__(self, core, name):
        self.core = core
        self.latency = core.latency
        self.parameters = core.parameters
        self.module_name = name
        ports = dict(core.members)
        del ports["en"]
        inputs = {"i_valid": ports.pop("i_valid"), "i_ready": Out(1)}
        inputs |= {name: ports.pop(name) for name in list(ports) if name.startswith("i_")}
        outputs = {"o_valid": ports.pop("o_valid"), "o_ready": In(1)}
        super().__init__(inputs | outputs | ports)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.i_ready.eq(~self.o_valid | self.o_ready)
        inputs = {
            port: getattr(self, port)
            for port, member in self.members.items()
            if member.flow == In and port != "o_ready"
        }
        out = place(m, platform, "core", self.core, clocked=True, en=self.i_ready, **inputs)
        m.d.comb += [getattr(self, port).eq(value) for port, value in vars(out).items()]
        return m

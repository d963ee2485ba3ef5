"""Designs of a few lines that put the Verilog writer to the test, as RTLIL."""

from __future__ import annotations

from amaranth.back import rtlil
from amaranth.hdl import Instance, Module, Signal, signed


def text_of(m: Module, ports: list[Signal], name: str = "top") -> str:
    """The RTLIL of a module."""
    return rtlil.convert(m, ports=ports, name=name, emit_src=False)


def logic(name: str, value_of) -> str:
    """A design of one output, ``value_of(a, b, s)`` of an unsigned, a signed and a small input."""
    a, b, s = Signal(6, name="a"), Signal(signed(5), name="b"), Signal(3, name="s")
    value = value_of(a, b, s)
    o = Signal(value.shape(), name="o")
    m = Module()
    m.d.comb += o.eq(value)
    return text_of(m, [a, b, s, o], name)


def controller() -> str:
    """Registers under nested conditions, with reset, without, and one that is always loaded."""
    m = Module()
    en, load, data = Signal(name="en"), Signal(name="load"), Signal(4, name="data")
    count, last = Signal(4, init=3, name="count"), Signal(4, reset_less=True, name="last")
    busy, delayed = Signal(name="busy"), Signal(4, reset_less=True, name="delayed")
    with m.If(en):
        m.d.sync += busy.eq(load)
        with m.If(load):
            m.d.sync += [count.eq(data), last.eq(count)]
        with m.Else():
            m.d.sync += count[:2].eq(data[2:])
    m.d.sync += delayed.eq(last)
    return text_of(m, [en, load, data, count, last, busy, delayed], "controller")


def nested() -> str:
    """Combinational conditions of every form."""
    m = Module()
    a, b, s = Signal(4, name="a"), Signal(4, name="b"), Signal(3, name="s")
    o, p = Signal(4, name="o"), Signal(4, init=7, name="p")
    with m.If(a == 3):
        m.d.comb += o.eq(1)
    with m.Elif(b[0]):
        m.d.comb += o[2:4].eq(2)
    with m.Else():
        with m.Switch(s):
            with m.Case("1-0"):
                m.d.comb += o.eq(a)
            with m.Case(1, 2):
                m.d.comb += o[0].eq(b[1])
            with m.Default():
                m.d.comb += o[1:3].eq(3)
        m.d.comb += p.eq(o + 1)
    return text_of(m, [a, b, s, o, p], "nested")


def hierarchy() -> str:
    """A submodule, a loop through its ready signal, and names that Verilog does not take."""
    m, inner = Module(), Module()
    a, o = Signal(4, name="a"), Signal(5, name="o")
    valid, ready, total = Signal(name="valid"), Signal(name="ready"), Signal(5, name="total")
    packed, word = Signal(5, name="packed"), Signal(4, name="word[0]")
    inner.d.comb += [word.eq(a * 3), packed.eq(word + (word >> 2))]
    inner.d.sync += [total.eq(packed), valid.eq(ready)]
    m.submodules.cell = inner
    m.d.comb += [o.eq(total ^ 1), ready.eq(~valid)]
    return text_of(m, [a, o], "outer")


def instance(kind: str, **parameters) -> str:
    """A design around an instance of the module ``kind``."""
    m = Module()
    a, o = Signal(2, name="a"), Signal(2, name="o")
    m.submodules.box = Instance(kind, i_a=a, o_y=o, **parameters)
    return text_of(m, [a, o])

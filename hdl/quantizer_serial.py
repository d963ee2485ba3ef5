"""A quantizer for small designs: a few elements a cycle, kept until their scale is known."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Out

from .quantizer import convert, quantizer_ports
from .shared import Shared
from .source import SOURCES


class SerialQuantizer(Shared):
    """``lanes`` elements of a group a cycle.

    Function  That of :class:`Quantizer`, a group in ``group / lanes`` transfers; ``o_last`` marks a
              group's last.
    Formats   Those of Quantizer.
    Shapes    ``i_x``, ``o_elems``: ``lanes`` elements; ``o_scales`` and the like: of the whole
              group, with each of its transfers; inputs besides are taken with the last.
    Widths    Those of Quantizer.
    Timing    Latency ``group / lanes + 2``; a transfer a cycle while ``en``.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.quantizer.quantize_blocks``.
    """

    def __init__(self, scales, source, group, lanes, width, name):
        self._scales, self._source = scales, SOURCES[source]
        self._beats, self._lanes = group // lanes, lanes
        self.latency = self._beats + 2
        self.parameters = {}
        self.module_name = f"{name}_core"
        ports = quantizer_ports(scales, self._source.width, lanes, width)
        super().__init__(ports | {"o_last": Out(1)})

    def elaborate(self, platform):
        m = Module()
        scales, beats = self._scales, self._beats
        x = [self.i_x.word_select(k, self._source.width) for k in range(self._lanes)]
        step = Signal()
        m.d.comb += step.eq(self.en & self.i_valid)

        # Keep the elements.
        depth = beats + 1
        words = [Signal(len(self.i_x), name=f"word{i}", reset_less=True) for i in range(depth)]
        write, read = Signal(range(depth)), Signal(range(depth))
        with m.If(step):
            for i, slot in enumerate(words):
                with m.If(write == i):
                    m.d.sync += slot.eq(self.i_x)
            m.d.sync += write.eq(following(write, depth))

        # Keep the largest keys of every block.
        beat, is_last = Signal(range(beats)), Signal()
        m.d.comb += is_last.eq(beat == beats - 1)
        keys = scales.summarize(m, platform, x)
        at_once = len(keys)
        span = beats * at_once // scales.blocks  # transfers of a block
        merged = []
        for block in range(scales.blocks):
            start = block // at_once * span
            own = []
            for i, key in enumerate(keys[block % at_once]):
                kept = Signal(len(key), name=f"kept{block}_{i}", reset_less=True)
                now = Signal(len(key), name=f"now{block}_{i}")
                larger = Mux((beat == start) | (key > kept), key, kept)
                others = [beat < start] if start else []
                others += [beat >= start + span] if start + span < beats else []
                m.d.comb += now.eq(Mux(Cat(others).any(), kept, larger) if others else larger)
                with m.If(step):
                    m.d.sync += kept.eq(now)
                own.append(now)
            merged.append(own)
        whole, inputs, is_whole = [], {}, Signal()
        with m.If(self.en):
            m.d.sync += is_whole.eq(step & is_last)
            with m.If(step):
                m.d.sync += beat.eq(Mux(is_last, 0, beat + 1))
                whole = [[held(m, "whole", key) for key in block] for block in merged]
                for name in scales.inputs:
                    inputs[name] = held(m, name, getattr(self, f"i_{name}"))

        # Decide.
        told, results = scales.decide(m, platform, whole, inputs)
        left = Signal(range(beats + 1))
        with m.If(self.en):
            with m.If(is_whole):
                m.d.sync += left.eq(beats)
                told = [
                    {name: held(m, f"told_{name}", value) for name, value in block.items()}
                    for block in told
                ]
                results = {name: held(m, f"result_{name}", v) for name, v in results.items()}
            with m.Elif(left != 0):
                m.d.sync += left.eq(left - 1)

        # Convert the elements that were kept.
        word = Signal(len(self.i_x))
        m.d.comb += word.eq(Array(words + [words[-1]] * (-depth % (1 << len(read))))[read])
        with m.If(self.en & (left != 0)):
            m.d.sync += read.eq(following(read, depth))
        x = [word.word_select(k, self._source.width) for k in range(self._lanes)]
        elements = convert(m, platform, scales, x, self._those_of(told, left, at_once, span))
        with m.If(self.en):
            m.d.sync += [
                self.o_valid.eq(left != 0),
                self.o_elems.eq(Cat(elements)),
                self.o_last.eq(left == 1),
            ]
            m.d.sync += [getattr(self, f"o_{name}").eq(value) for name, value in results.items()]
        return m

    def _those_of(self, told, left, at_once, span):
        """What is told to the blocks of the present transfer."""
        if len(told) == at_once:
            return told
        turns = range(1, len(told) // at_once)
        turn = sum((left <= self._beats - span * i for i in turns), start=Const(0, 1))
        turn = turn[: len(turns).bit_length()]
        return [
            {name: Array(block[name] for block in told[i::at_once])[turn] for name in told[i]}
            for i in range(at_once)
        ]


def following(pointer, depth):
    """The pointer's next value."""
    return Mux(pointer == depth - 1, 0, pointer + 1)


def held(m, name, value):
    """A register of ``value``, enabled where this is called."""
    register = Signal(Value.cast(value).shape(), name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register

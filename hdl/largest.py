"""The largest of many unsigned keys, a bit at a time from the top."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib.wiring import In, Out

from .shared import Shared


class Largest(Shared):
    """The largest of the keys that are taken.

    Function  ``o = max(i[k] for k if taken[k])``, 0 if none is.
    Formats   None; unsigned integers.
    Shapes    ``i``: ``count`` keys, key 0 in the low bits; ``taken``: a bit each, absent if all
              are.
    Widths    ``width`` bits a key.
    Timing    Combinational. Keys that lose a bit leave the race, so the path grows with ``width``
              times the logarithm of ``count``; it takes about half the area of a tree of
              comparators.
    Errors    None.
    Source    Textbook. Golden: ``golden.scaling.block_maxima``.
    """

    part = "maximum"

    def __init__(self, count, width, has_taken=False):
        self._count, self._width, self._has_taken = count, width, has_taken
        self.module_name = f"largest_{count}x{width}" + ("_taken" if has_taken else "")
        ports = {"i": In(count * width), "o": Out(width)}
        super().__init__(ports | ({"taken": In(count)} if has_taken else {}))

    def elaborate(self, platform):
        m = Module()
        keys = [self.i.word_select(k, self._width) for k in range(self._count)]
        lost = list(~self.taken) if self._has_taken else [Const(0, 1)] * self._count
        for bit in reversed(range(self._width)):
            zeros = [~key[bit] | out for key, out in zip(keys, lost)]
            top = Signal(name=f"top{bit}")
            m.d.comb += [top.eq(~Cat(zeros).all()), self.o[bit].eq(top)]
            if bit:
                after = Signal(self._count, name=f"lost{bit}")
                m.d.comb += after.eq(Cat(out | (top & ~key[bit]) for key, out in zip(keys, lost)))
                lost = list(after)
        return m

"""Macs and what they have in common with tiles: operands decoded once, cells, the end of a
product."""

from types import SimpleNamespace

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from .operand import DecodeOperand, operand_ports
from .pipeline import EDGE_STAGE
from .shared import Shared, place, plain


class Matrix(Shared):
    """M x N dot products of K elements a step, block scales and accumulators.

    Function  ``acc[i, j] = (i_first ? i_c[i, j] : acc[i, j]) + sum(a[i] * b[j])`` as the cell has
              it; a product is the steps from ``i_first`` to ``i_last``.
    Formats   Those of the cell.
    Shapes    ``i_a_elems``: ``m`` rows of ``k`` codes; ``i_b_elems``: ``n`` rows; ``i_*_scales``: a
              byte a block and side, the positive side first; ``i_c``: ``m`` rows of ``n`` results.
              All from the low bits up.
    Widths    Those of the cell.
    Timing    The cell's latency, and 1 for a pipeline stage behind the decoders.
    Errors    TypeError for elements without a decoder.
    Source    NUMERICS, section 4. Golden: ``golden.matmul``.
    """

    def __init__(self, cell, m, n, pipeline, before, after):
        """``before``, ``after``: the ports that stand around those of the operands."""
        self._cell, self._m, self._n = cell, m, n
        self._edge = pipeline >= EDGE_STAGE
        self._operands = {"a": (cell.a_format, m), "b": (cell.b_format, n)}
        self.latency = cell.latency + self._edge
        self.parameters = cell.parameters
        operands = {
            f"i_{name}_{port}": In(rows * width)
            for name, (fmt, rows) in self._operands.items()
            for port, width in operand_ports(fmt, cell.k).items()
        }
        steps = {"i_first": In(1), "i_last": In(1), "i_c": In(m * n * cell.results["acc"])}
        super().__init__(before | steps | operands | after)

    def feed(self, m, platform, en):
        """What the cells take: rows ``a`` and ``b`` of decoded operands, ``c``, ``control`` by
        port, and ``last``."""
        rows = {"a": [], "b": []}
        for (name, (fmt, count)), form in zip(self._operands.items(), self._cell.forms):
            decoder = DecodeOperand(fmt, self._cell.k, form, group=self._cell.group)
            for i in range(count):
                ports = {
                    port: getattr(self, f"i_{name}_{port}").word_select(i, width)
                    for port, width in operand_ports(fmt, self._cell.k).items()
                }
                suffix = i if count > 1 else ""
                rows[name].append(place(m, platform, f"{name}{suffix}", decoder, **ports).o)
        valid, first, last, c = self.i_valid, self.i_first, self.i_last, self.i_c
        if self._edge:
            rows = {
                name: [self._register(m, en, row, f"{name}{i}_q") for i, row in enumerate(values)]
                for name, values in rows.items()
            }
            first, last, c = (
                self._register(m, en, value, f"{name}_q")
                for name, value in (("first", first), ("last", last), ("c", c))
            )
            valid = self._register(m, en, valid, "valid_q", reset_less=False)
        control = {"en": en, "valid": valid, "first": first}
        control |= self._boundaries(m, control, last)
        return SimpleNamespace(control=control, last=last, c=c, **rows)

    def done(self, m, en, steps):
        """Whether the cells hold the results of a product, until ``en``."""
        done = steps.control["valid"] & steps.last
        for stage in range(self._cell.latency):
            done = self._register(m, en, done, f"done_{stage}", reset_less=False)
        return done

    def _boundaries(self, m, control, last):
        """Where macro blocks start and end, for cells that have them."""
        steps = getattr(self._cell, "macro_steps", None)
        if steps is None:
            return {}
        count, start, boundary = Signal(range(steps + 1)), Signal(), Signal()
        position = Mux(control["first"], 0, count)
        m.d.comb += [start.eq(position == 0), boundary.eq((position == steps - 1) | last)]
        with m.If(control["en"] & control["valid"]):
            m.d.sync += count.eq(Mux(boundary, 0, position + 1))
        return {"start": start, "boundary": boundary}

    def _register(self, m, en, value, name, reset_less=True):
        """``value`` one enabled cycle later."""
        register = plain(value.shape(), name=name, reset_less=reset_less)
        with m.If(en):
            m.d.sync += Value.cast(register).eq(value)
        return register


class Mac(Matrix):
    """One dot product of K elements a step, block scales and an accumulator: a 1 x 1 matrix.

    Function  That of :class:`Matrix`; ``o_*`` are the cell's results.
    Formats   Those of the cell.
    Shapes    Those of :class:`Matrix`.
    Widths    Those of the cell.
    Timing    Latency as :class:`Matrix`. One step a cycle while ``en``; ``o_valid`` follows a step
              with ``i_last``.
    Errors    Those of :class:`Matrix`.
    Source    NUMERICS, section 4. Golden: ``golden.matmul``.
    """

    def __init__(self, cell, name, pipeline=0):
        self.module_name = f"{name}_core"
        results = {RESULT_PORTS[result]: Out(width) for result, width in cell.results.items()}
        before, after = {"en": In(1), "i_valid": In(1)}, {"o_valid": Out(1)} | results
        super().__init__(cell, 1, 1, pipeline, before, after)

    def elaborate(self, platform):
        m = Module()
        steps = self.feed(m, platform, self.en)
        operands = {"a": steps.a[0], "b": steps.b[0], "c": steps.c}
        cell = place(m, platform, "cell", self._cell, clocked=True, **operands, **steps.control)
        m.d.comb += self.o_valid.eq(self.done(m, self.en, steps))
        m.d.comb += [
            getattr(self, RESULT_PORTS[result]).eq(getattr(cell, result))
            for result in self._cell.results
        ]
        return m


RESULT_PORTS = {"acc": "o_d", "overflow": "o_overflow"}
"""A mac's output ports, by the cell's results."""

"""Matrix units: M x N cells fed by M + N operand rows, each decoded once at the edge."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .lanes import multiplies_integers
from .operand import DecodeOperand, operand_ports
from .pipeline import EDGE_STAGE
from .shared import Shared, place


class Matrix(Shared):
    """M x N dot products of K elements a step, block scales and accumulators.

    Function  ``acc[i, j] = (i_first ? i_c[i, j] : acc[i, j]) + sum(a[i] * b[j])`` as the cell has
              it.
    Formats   Those of the cell.
    Shapes    ``i_a_elems``: ``m`` rows of ``k`` codes; ``i_b_elems``: ``n`` rows; ``i_*_scales``: a
              byte a block and side, the positive side first; ``i_c`` (``with_c``), ``o_d``: ``m``
              rows
              of ``n`` results. All from the low bits up.
    Widths    Those of the cell.
    Timing    The cell's latency, and 1 for a pipeline stage behind the decoders. One step a cycle
              while ``en``; ``o_valid`` follows a step with ``i_last``.
    Errors    TypeError for elements without a decoder.
    Source    NUMERICS, section 4. Golden: ``golden.matmul``.
    """

    def __init__(self, cell, m, n, name, *, with_c, pipeline=0):
        self.cell = cell
        self._m, self._n = m, n
        self._with_c = with_c
        self._edge = pipeline >= EDGE_STAGE
        self._operands = {"a": (cell.a_format, m), "b": (cell.b_format, n)}
        self.latency = cell.latency + self._edge
        self.parameters = cell.parameters
        self.module_name = f"{name}_core"
        width = cell.result_width
        super().__init__(
            {
                "en": In(1),
                "i_valid": In(1),
                "i_first": In(1),
                "i_last": In(1),
                **({"i_c": In(m * n * width)} if with_c else {}),
                **{
                    f"i_{name}_{port}": In(rows * port_width)
                    for name, (fmt, rows) in self._operands.items()
                    for port, port_width in operand_ports(fmt, cell.k).items()
                },
                "o_valid": Out(1),
                "o_d": Out(m * n * width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cell = self.cell

        # Decode, row by row.
        raw = multiplies_integers(cell.a_format, cell.b_format)
        rows = {"a": [], "b": []}
        for name, (fmt, count) in self._operands.items():
            decoder = DecodeOperand(fmt, cell.k, raw)
            for i in range(count):
                ports = {
                    port: getattr(self, f"i_{name}_{port}").word_select(i, width)
                    for port, width in operand_ports(fmt, cell.k).items()
                }
                suffix = i if count > 1 else ""
                rows[name].append(place(m, platform, f"{name}{suffix}", decoder, **ports).o)

        # Register behind the decoders.
        control = {"valid": self.i_valid, "first": self.i_first, "last": self.i_last}
        c = self.i_c if self._with_c else Const(0, self._m * self._n * cell.result_width)
        if self._edge:
            rows = {
                name: [self._register(m, row) for row in row_list]
                for name, row_list in rows.items()
            }
            c = self._register(m, c) if self._with_c else c
            registered = {
                "valid": Signal(name="valid_q"),
                **{k: Signal(name=f"{k}_q") for k in ("first", "last")},
            }
            with m.If(self.en):
                m.d.sync += [registered[name].eq(control[name]) for name in control]
            control = registered

        # Multiply and accumulate.
        extra = self._boundaries(m, control)
        results = []
        for i, a in enumerate(rows["a"]):
            for j, b in enumerate(rows["b"]):
                name = f"cell_{i}_{j}" if self._m * self._n > 1 else "cell"
                own_c = c.word_select(i * self._n + j, cell.result_width)
                ports = {
                    "en": self.en,
                    "valid": control["valid"],
                    "first": control["first"],
                } | extra
                out = place(m, platform, name, cell, clocked=True, a=a, b=b, c=own_c, **ports)
                results.append(out.acc)
        m.d.comb += self.o_d.eq(Cat(results))

        # Follow the steps that end a product.
        done = control["valid"] & control["last"]
        for stage in range(cell.latency - 1):
            following = Signal(name=f"done_{stage}")
            with m.If(self.en):
                m.d.sync += following.eq(done)
            done = following
        with m.If(self.en):
            m.d.sync += self.o_valid.eq(done)
        return m

    def _boundaries(self, m, control):
        """Where macro blocks start and end, for cells that have them."""
        steps = getattr(self.cell, "macro_steps", None)
        if steps is None:
            return {}
        count, start, boundary = Signal(range(steps + 1)), Signal(), Signal()
        position = Mux(control["first"], 0, count)
        m.d.comb += [
            start.eq(position == 0),
            boundary.eq((position == steps - 1) | control["last"]),
        ]
        with m.If(self.en & control["valid"]):
            m.d.sync += count.eq(Mux(boundary, 0, position + 1))
        return {"start": start, "boundary": boundary}

    def _register(self, m, value):
        """``value`` one enabled cycle later."""
        register = Signal(value.shape(), name=f"{getattr(value, 'name', 'c')}_q", reset_less=True)
        with m.If(self.en):
            m.d.sync += register.eq(value)
        return register

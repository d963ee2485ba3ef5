"""Tensor-core tile: a matrix unit behind streams, whose results leave a row at a time."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from .shared import Shared, place
from .stream import Stream


class RowDrain(Shared):
    """Holds a finished matrix and hands out its rows while the next one is computed.

    Function  Takes ``rows`` rows at once, gives them one by one, row 0 first; ``o_last`` marks the
              last.
    Formats   Any.
    Shapes    ``i_d``: all rows, row 0 in the low bits; ``o_row``: one row.
    Widths    ``width`` bits a row.
    Timing    Row 0 a cycle after the matrix; one row a cycle; a new matrix is taken with the last
              row.
    Errors    None.
    Source    The rules of ``amaranth.lib.stream``.
    """

    def __init__(self, rows, width):
        self._rows, self._width = rows, width
        self.module_name = f"drain_{rows}x{width}"
        super().__init__(
            {
                "i_valid": In(1),
                "i_ready": Out(1),
                "i_d": In(rows * width),
                "o_valid": Out(1),
                "o_ready": In(1),
                "o_row": Out(width),
                "o_last": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        buffer = Signal(self._rows * self._width)
        left = Signal(range(self._rows + 1))
        m.d.comb += [
            self.o_valid.eq(left != 0),
            self.o_last.eq(left == 1),
            self.o_row.eq(buffer[: self._width]),
            self.i_ready.eq((left == 0) | (self.o_last & self.o_ready)),
        ]
        with m.If(self.i_valid & self.i_ready):
            m.d.sync += [buffer.eq(self.i_d), left.eq(self._rows)]
        with m.Elif(self.o_valid & self.o_ready):
            m.d.sync += [buffer.eq(buffer[self._width :]), left.eq(left - 1)]
        return m


class Tile(Shared):
    """An M x N tile: steps of operand rows in, rows of results out.

    Function  That of :class:`Matrix`; a product is the steps from ``i_first`` to ``i_last``.
    Formats   Those of the cell.
    Shapes    Those of :class:`Matrix`; ``o_row``: the ``n`` results of one row of A.
    Widths    Those of the cell.
    Timing    The matrix's latency and 1 for row 0; one step a cycle; draining a product stops the
              next one only if that has fewer steps than the tile has rows.
    Errors    Those of the matrix.
    Source    NUMERICS, section 4. Golden: ``golden.matmul``.
    """

    def __init__(self, matrix, m, n, name, narrow=None):
        """``narrow``: the component that every result passes when it leaves, or None."""
        self.core, self._n, self._narrow = matrix, n, narrow
        self._stream = Stream(matrix, f"{name}_matrix")
        self._drain = RowDrain(m, n * matrix.cell.result_width)
        self.latency = matrix.latency + 1
        self.parameters = matrix.parameters
        self.module_name = name
        ports = {
            path[0]: member for path, member, _ in self._stream.signature.flatten(self._stream)
        }
        rows = {path[0]: member for path, member, _ in self._drain.signature.flatten(self._drain)}
        if narrow is not None:
            rows["o_row"] = Out(n * len(narrow.o))
        self._inputs = [port for port in ports if port.startswith("i_") and port != "i_ready"]
        super().__init__(
            {port: member for port, member in ports.items() if port.startswith("i_")}
            | {port: member for port, member in rows.items() if port.startswith("o_")}
        )

    def elaborate(self, platform):
        m = Module()
        drain_ready = Signal()
        inputs = {port: getattr(self, port) for port in self._inputs}
        matrix = place(
            m, platform, "matrix", self._stream, clocked=True, o_ready=drain_ready, **inputs
        )
        ports = {"i_valid": matrix.o_valid, "i_d": matrix.o_d, "o_ready": self.o_ready}
        drain = place(m, platform, "drain", self._drain, clocked=True, **ports)
        m.d.comb += [drain_ready.eq(drain.i_ready), self.i_ready.eq(matrix.i_ready)]
        m.d.comb += [self.o_valid.eq(drain.o_valid), self.o_last.eq(drain.o_last)]
        row = drain.o_row
        if self._narrow is not None:
            wide = [row.word_select(j, len(row) // self._n) for j in range(self._n)]
            row = Cat(
                place(m, platform, f"narrow{j}", self._narrow, i=value).o
                for j, value in enumerate(wide)
            )
        m.d.comb += self.o_row.eq(row)
        return m

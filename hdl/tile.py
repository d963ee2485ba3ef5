"""Tensor-core tile: rows of cells behind streams, whose results leave a row at a time."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib.wiring import In, Out

from .matrix import Matrix
from .shared import Shared, place


class Row(Shared):
    """One row of a tile: its cells, and the register through which their results leave.

    Function  The cells' for one row of A and every row of B. ``o_*`` become the cells' results with
              ``take``, otherwise those of the row below with ``shift``.
    Formats   Those of the cell.
    Shapes    ``a``: a decoded operand; ``b``, ``c``, ``below_*``, ``o_*``: ``n`` each, from the low
              bits up.
    Widths    Those of the cell.
    Timing    The cell's latency, and 1 for ``take``.
    Errors    None beyond those of the cell.
    Source    NUMERICS, section 4. Golden: ``golden.matmul``.
    """

    def __init__(self, cell, n):
        self._cell, self._n = cell, n
        self._shapes = {name: cell.members[name].shape for name in ("a", "b")}
        self._control = [p for p in cell.members if p not in ("a", "b", "c", *cell.results)]
        self.module_name = f"row{n}_{cell.module_name}"
        self.results = {name: n * width for name, width in cell.results.items()}
        super().__init__(
            {port: In(1) for port in (*self._control, "take", "shift")}
            # Plain bits: a port with a layout would describe its fields at length.
            | {"a": In(self._shapes["a"].size), "b": In(n * self._shapes["b"].size)}
            | {"c": In(n * cell.results["acc"])}
            | {f"below_{name}": In(width) for name, width in self.results.items()}
            | {f"o_{name}": Out(width) for name, width in self.results.items()}
        )

    def elaborate(self, platform):
        m = Module()

        # Multiply and accumulate.
        control = {port: getattr(self, port) for port in self._control}
        a, b = self._shapes["a"](self.a), self._shapes["b"]
        cells = []
        for j in range(self._n):
            operands = {"b": b(self.b.word_select(j, b.size)), "c": self.c.word_select(j, 32)}
            name = f"cell{j}" if self._n > 1 else "cell"
            cells.append(
                place(m, platform, name, self._cell, clocked=True, a=a, **operands, **control)
            )

        # Hold the results of a product, then those of the rows below.
        for name in self._cell.results:
            results, below = getattr(self, f"o_{name}"), getattr(self, f"below_{name}")
            with m.If(self.take):
                m.d.sync += results.eq(Cat(getattr(cell, name) for cell in cells))
            with m.Elif(self.shift):
                m.d.sync += results.eq(below)
        return m


class Tile(Matrix):
    """An M x N tile: steps of operand rows in, rows of results out.

    Function  That of :class:`Matrix`; the results of a product leave row by row, row 0 first, while
              the next one is computed; ``o_last`` marks the last row.
    Formats   Those of the cell.
    Shapes    Those of :class:`Matrix`; ``o_row``: the ``n`` results of one row of A.
    Widths    Those of the cell.
    Timing    Latency as :class:`Matrix` and 1 for row 0; one step a cycle, one row a cycle; a
              product waits for the rows before it only if it has fewer steps than the tile has
              rows. ``i_ready`` follows ``o_ready`` in the same cycle.
    Errors    Those of :class:`Matrix`.
    Source    NUMERICS, section 4, and the rules of ``amaranth.lib.stream``. Golden:
              ``golden.matmul``.
    """

    def __init__(self, cell, m, n, name, pipeline=0, narrow=None):
        """``narrow``: the component that every result passes when it leaves, or None."""
        self._narrow = narrow
        self._row = Row(cell, n)
        self.module_name = name
        width = len(narrow.o) if narrow else cell.results["acc"]
        extra = {f"o_{flag}": Out(n) for flag in cell.results if flag != "acc"}
        super().__init__(
            cell,
            m,
            n,
            pipeline,
            {"i_valid": In(1), "i_ready": Out(1)},
            {
                "o_valid": Out(1),
                "o_ready": In(1),
                "o_row": Out(n * width),
                **extra,
                "o_last": Out(1),
            },
        )
        self.latency += 1

    def elaborate(self, platform):
        m = Module()

        # A product whose rows cannot leave yet stops everything behind it.
        left = Signal(range(self._m + 1))
        en, free, take, shift = (Signal(name=name) for name in ("en", "free", "take", "shift"))
        steps = self.feed(m, platform, en)
        done = self.done(m, en, steps)
        m.d.comb += [
            self.o_valid.eq(left != 0),
            self.o_last.eq(left == 1),
            shift.eq(self.o_valid & self.o_ready),
            free.eq((left == 0) | (self.o_last & self.o_ready)),
            take.eq(done & free),
            en.eq(~done | free),
            self.i_ready.eq(en),
        ]
        with m.If(take):
            m.d.sync += left.eq(self._m)
        with m.Elif(shift):
            m.d.sync += left.eq(left - 1)

        # Each row's results move into the row above it.
        b = Signal(len(self._row.b))
        m.d.comb += b.eq(Cat(steps.b))
        above = {}
        for i in reversed(range(self._m)):
            c = steps.c.word_select(i, len(self.i_c) // self._m)
            inputs = {"a": steps.a[i], "b": b, "c": c, "take": take, "shift": shift}
            for name, width in self._row.results.items():
                inputs[f"below_{name}"] = above.get(f"o_{name}", Const(0, width))
            name = f"row{i}" if self._m > 1 else "row"
            row = place(m, platform, name, self._row, clocked=True, **inputs, **steps.control)
            above = vars(row)

        # The first row leaves.
        for name, value in above.items():
            if name == "o_acc":
                m.d.comb += self.o_row.eq(self._narrowed(m, platform, value))
            else:
                m.d.comb += getattr(self, name).eq(value)
        return m

    def _narrowed(self, m, platform, row):
        """A row of results as they leave."""
        if self._narrow is None:
            return row
        values = [row.word_select(j, len(row) // self._n) for j in range(self._n)]
        return Cat(
            place(m, platform, f"narrow{j}", self._narrow, i=value).o
            for j, value in enumerate(values)
        )

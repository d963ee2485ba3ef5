"""A tile followed by quantizers: results leave as blocks of the next layer's format."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .shared import Shared, place
from .stream import Stream


class RowQuantizer(Shared):
    """Quantizers side by side, one for each block of a row.

    Function  That of the quantizer, block by block; ``o_last`` is ``i_last`` of the same row.
    Formats   Those of the quantizer.
    Shapes    ``count`` times those of the quantizer, block 0 in the low bits; what a row has from
              outside, such as ``i_tensor_scale``, is one for all of its blocks.
    Widths    Those of the quantizer.
    Timing    The quantizer's latency; one row a cycle while ``en``.
    Errors    None.
    Source    NUMERICS, section 3. Golden: ``golden.quantizer.quantize_blocks``.
    """

    def __init__(self, quantizer, count, name):
        self._quantizer, self._count = quantizer, count
        self.latency, self.parameters = quantizer.latency, quantizer.parameters
        self.module_name = f"{name}_row_core"
        own = ports_of(quantizer)
        self.outside = [port for port in own if port.startswith("i_") and port not in IN_ROW]
        self.results = [port for port in own if port.startswith("o_") and port != "o_valid"]
        super().__init__(
            {
                "en": In(1),
                "i_valid": In(1),
                "i_last": In(1),
                "i_x": In(count * own["i_x"].shape),
                **{port: own[port] for port in self.outside},
                "o_valid": Out(1),
                "o_last": Out(1),
                **{port: Out(count * own[port].shape) for port in self.results},
            }
        )

    def elaborate(self, platform):
        m = Module()

        # Quantize every block.
        size = len(self.i_x) // self._count
        ports = {port: getattr(self, port) for port in ("en", "i_valid", *self.outside)}
        made = [
            place(
                m,
                platform,
                f"block{i}",
                self._quantizer,
                clocked=True,
                i_x=self.i_x.word_select(i, size),
                **ports,
            )
            for i in range(self._count)
        ]
        m.d.comb += self.o_valid.eq(made[0].o_valid)
        for port in self.results:
            m.d.comb += getattr(self, port).eq(Cat(getattr(block, port) for block in made))

        # Follow the last row.
        last = self.i_last
        for stage in range(self.latency):
            following = Signal(name=f"last{stage}")
            with m.If(self.en):
                m.d.sync += following.eq(last)
            last = following
        m.d.comb += self.o_last.eq(last)
        return m


class Queue(Shared):
    """A few values that wait for their turn, first in, first out.

    Function  ``o`` is the oldest value that was put and not yet taken.
    Formats   Any.
    Shapes    ``i``, ``o``: one value.
    Widths    ``depth`` times ``width`` bits.
    Timing    A value is put and taken on clock edges with ``put`` or ``take`` high.
    Errors    None; whoever puts one into a full queue loses it.
    Source    Textbook.
    """

    def __init__(self, depth, width):
        self._depth = depth
        self.module_name = f"queue_{depth}x{width}"
        super().__init__({"put": In(1), "i": In(width), "take": In(1), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        count, end = Signal(range(self._depth + 1)), Signal(range(self._depth + 1))
        slots = [Signal(len(self.i), name=f"slot{i}", reset_less=True) for i in range(self._depth)]
        m.d.comb += [end.eq((count - self.take)[: len(end)]), self.o.eq(slots[0])]
        m.d.sync += count.eq((end + self.put)[: len(count)])
        for i, slot in enumerate(slots):
            older = slots[i + 1] if i + 1 < self._depth else slot
            here = self.put & (end == i)
            m.d.sync += slot.eq(Mux(here, self.i, Mux(self.take, older, slot)))
        return m


class Requantizer(Shared):
    """A tile whose rows of results leave quantized.

    Function  Every row of the tile through :class:`RowQuantizer`.
    Formats   Those of the tile; those of the quantizer for results.
    Shapes    The tile's inputs; the outputs of :class:`RowQuantizer`; what a row has from outside
              is taken with a product's last step, for all of its rows.
    Widths    Those of the tile and the quantizer.
    Timing    Their latencies one after the other; throughput and stalls as the tile's.
    Errors    Those of the tile.
    Source    NUMERICS. Golden: ``golden.quantizer.quantize_blocks`` of ``golden.matmul``.
    """

    def __init__(self, tile, quantizer, count, name):
        """``count``: blocks a row."""
        self._tile = tile
        rows = RowQuantizer(quantizer, count, name)
        self._outside = rows.outside
        self._rows = Stream(rows, f"{name}_row")
        self.latency = tile.latency + rows.latency
        self.parameters = tile.parameters
        self.module_name = name
        taken, given = ports_of(tile), ports_of(self._rows)
        self._inputs = [port for port in taken if port.startswith("i_") and port != "i_ready"]
        self._outputs = [port for port in given if port.startswith("o_") and port != "o_ready"]
        super().__init__(
            {port: member for port, member in taken.items() if port.startswith("i_")}
            | {port: given[port] for port in self._outside}
            | {port: member for port, member in given.items() if port.startswith("o_")}
        )

    def elaborate(self, platform):
        m = Module()
        rows_ready = Signal()
        inputs = {port: getattr(self, port) for port in self._inputs}
        tile = place(m, platform, "tile", self._tile, clocked=True, o_ready=rows_ready, **inputs)

        # What comes from outside waits until the product's rows leave the tile.
        put, take = Signal(), Signal()
        m.d.comb += [
            put.eq(self.i_valid & tile.i_ready & self.i_last),
            take.eq(tile.o_valid & rows_ready & tile.o_last),
        ]
        ports = {"i_valid": tile.o_valid, "i_x": tile.o_row, "i_last": tile.o_last}
        for port in self._outside:
            value = getattr(self, port)
            # As many products are on their way as the tile has stages.
            queue = Queue(self._tile.latency, len(value))
            waiting = {"put": put, "i": value, "take": take}
            ports[port] = place(m, platform, f"q{port[1:]}", queue, clocked=True, **waiting).o

        ports["o_ready"] = self.o_ready
        rows = place(m, platform, "rows", self._rows, clocked=True, **ports)
        m.d.comb += [rows_ready.eq(rows.i_ready), self.i_ready.eq(tile.i_ready)]
        m.d.comb += [getattr(self, port).eq(getattr(rows, port)) for port in self._outputs]
        return m


IN_ROW = ("i_valid", "i_x")


def ports_of(component):
    """The ports of a component by name."""
    return {path[0]: member for path, member, _ in component.signature.flatten(component)}

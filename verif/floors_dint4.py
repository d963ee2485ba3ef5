"""What the tile of int8:dint4 would come to if its products were one NAND for each bit that goes
into the sum: ``python -m verif.floors_dint4 LIB ...``.

The sum of the digits' rows and the accumulator are mapped by themselves as they are built, recipe
area; all else is that of the tile in docs/claims.json.
"""

import click
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from gen.liberty import load
from hdl.digit_product import DigitProduct
from hdl.heap import BitHeap, Reduction
from hdl.lanes import sum_shape
from hdl.shared import Shared
from verif.floors_tile import K, M, N, measured, smallest, tile_cell

PAIR, WIDER = "int8:dint4", "int8"


class Accumulator(Shared):
    """A register of 32 bits that adds two's complement numbers."""

    def __init__(self, shape):
        self.module_name = "accumulator"
        super().__init__({"en": In(1), "i": In(shape), "o": Out(32)})

    def elaborate(self, platform):
        m = Module()
        heap = BitHeap(32)
        heap.add_unsigned(self.o)
        heap.add_signed(self.i)
        with m.If(self.en):
            m.d.sync += self.o.eq(heap.total(m, platform, "total"))
        return m


def parts():
    """``(name, how often, component)`` of the parts of a cell that stay; None is a NAND."""
    c, _ = tile_cell(PAIR)
    product = DigitProduct(c.a.element, c.b.element)
    counts, shape = (K, product.factors, product.constant), sum_shape(c.a, c.b, K)
    yield "sum", 1, Reduction(*counts, shape, product.key, product.is_conjunction)
    yield "a NAND for each bit of the sum", K * len(product.factors), None
    yield "accumulator", 1, Accumulator(shape)


@click.command()
@click.argument("libs", nargs=-1, required=True, type=click.Path(exists=True), metavar="LIB...")
def main(libs):
    """Print a table of every Liberty file LIB."""
    for path in libs:
        library, tiles, least = load(path), measured(path), 0.0
        print(f"| {library.name} | times | GE each |\n| --- | --- | --- |")
        for name, count, part in parts():
            each = smallest(part, library) if part else 1.0
            least += count * each
            print(f"| {name} | {count} | {each:,.0f} |")
        built = smallest(tile_cell(PAIR)[1], library)
        print(f"| these, and the cell as built | | {least:,.0f} and {built:,.0f} |")
        floor = tiles[PAIR] - M * N * (built - least)
        print(
            f"| tile of these parts | 1 | {floor:,.0f}: {WIDER}'s is {tiles[WIDER] / floor:.2f} x |"
        )


if __name__ == "__main__":
    main()

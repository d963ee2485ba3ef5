"""What a tile's cell needs for two-sided operands and their scales beyond mxfp4's, by part:
``python -m verif.floors_tile LIB ...``.

Each part is mapped by itself as it is built, its inputs free bits, recipe area. Last is the tile of
docs/claims.json, had its cells mxfp4's area and these parts: without what selects the bits of a
tree, its signs, and the keys.
"""

import json
from pathlib import Path

import click

from gen.claims import RESULTS
from gen.configure import configure
from gen.liberty import file_stem, load
from gen.mapping import variants
from gen.units import cell
from gen.verilog import emit_part
from golden.arith import default_fraction_bits
from golden.formats import BlockFormat
from hdl.addends import GroupAddends
from hdl.align import AlignMagnitude, AlignSigned
from hdl.heap import Reduction
from hdl.lanes import generator, sum_shape
from hdl.scaled import Scaled
from hdl.shared import bounds

TREE, ROW = "masked tree of pairs", "further rows of the last sum"
LESS = "less mxfp4's sum"
CELLS = ("mxfp4", "nvfp4", "amxfp4:mxfp4", "amxfp4")
M, N, K = 4, 4, 32


def tile_cell(fmt):
    """The cell of a tile and its configuration."""
    c = configure("tile", fmt=fmt, m=str(M), n=str(N), k=str(K))
    return c, cell(c)


def measured(path):
    """Area of every tile of docs/claims.json on a Liberty file, GE by recipe area."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    key = ("tile", "area", file_stem(Path(path)))
    return {
        row["fmt"]: row["area_ge"]
        for row in rows
        if (row["unit"], row["recipe"], row["library"]) == key
    }


def parts(a: BlockFormat, b: BlockFormat):
    """``(name, how often, component)`` of the parts by which a cell exceeds mxfp4's."""
    addends = GroupAddends(a, b, K)
    shape = sum_shape(a, b, addends.size)
    significands = [f.scale.mantissa_width + 1 for f in (a, b) if f.scale.mantissa_width]
    if 2 in (a.sides, b.sides):
        # A tree of pairs for each combination but the first.
        width = (addends.largest_sum // addends.size * 2).bit_length()
        factors = [1 << i for i in range(width)]
        tree = Reduction(addends.size // 2, factors, 0, shape, "floor")
        yield TREE, addends.count - K // addends.size, tree
    elif addends.size < K:
        product = generator(a, b, ())
        for name, count, lanes in ("sum", K // addends.size, addends.size), (LESS, -1, K):
            counts, of = (lanes, product.factors, product.constant), sum_shape(a, b, lanes)
            yield name, count, Reduction(*counts, of, product.key)
    if significands:
        yield "scaling", addends.count, Scaled(shape, addends.largest_sum, significands)
    width, room = addends.largest.bit_length(), default_fraction_bits(a, b) - addends.fraction_width
    distance = max(8, addends.scale.largest_field.bit_length())
    if shape.signed:
        align = AlignSigned(width + 1, room, distance)
    else:
        align = AlignMagnitude(width, room, distance)
    yield "alignment of further addends", addends.count - 1, align
    row = [1 << i for i in range(len(align.o))]
    adder = Reduction(2, row, 0, bounds(0, 2 * sum(row)), "row")
    yield ROW, addends.count - 1, adder


def smallest(component, library):
    """Gate equivalents of a component, with the adder cells that serve it best."""
    text, top = emit_part(component)
    return min(each.area for each in variants(text, top, library, ("area",)))


@click.command()
@click.argument("libs", nargs=-1, required=True, type=click.Path(exists=True), metavar="LIB...")
def main(libs):
    """Print a table of every Liberty file LIB."""
    for path in libs:
        library = load(path)
        base, tiles = None, measured(path)
        print(f"| {library.name} | times | GE each | of mxfp4's cell |\n| --- | --- | --- | --- |")
        for fmt in CELLS:
            c, whole = tile_cell(fmt)
            area = smallest(whole, library)
            base = least = base or area
            print(f"| {fmt} cell | 1 | {area:,.0f} | {area / base:.2f} |")
            for name, count, part in parts(c.a, c.b) if fmt != CELLS[0] else ():
                each = smallest(part, library)
                least += count * each
                print(f"| {fmt} {name} | {count} | {each:,.0f} | {count * each / base:.2f} |")
            if fmt in tiles:
                floor = tiles[fmt] - M * N * (area - least)
                ratio = f"{floor / tiles[CELLS[0]]:.3f} of mxfp4's"
                print(f"| {fmt} tile of these parts | 1 | {floor:,.0f} | {ratio} |")


if __name__ == "__main__":
    main()

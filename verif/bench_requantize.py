"""Matrix products for a requantizing tile: how they are driven, and what golden expects."""

from functools import cached_property

import numpy as np

from gen.conversion import Quantization
from gen.requantization import Requantization
from golden.binary32 import to_bf16
from golden.formats import BlockFormat
from verif.bench_groups import Groups
from verif.bench_matrices import MatrixStimuli
from verif.bench_quantizer import QuantizerStimuli
from verif.bench_tile import Product, Products, Rows


def quantization(configuration: Requantization) -> Quantization:
    """The quantizer that follows the tile, by itself."""
    given = not configuration.following.has_block_scale
    k = configuration.group if given else None
    return Quantization.parse(configuration.typed, configuration.tile.out, k=k)


class Requantized:
    """Tiles of matrix products whose rows leave quantized; ``outside``: float32, what each tile's
    rows have from outside, drawn if None."""

    def __init__(self, configuration: Requantization, products: Products, rng, outside=None):
        self._configuration, self._products, self._rng = configuration, products, rng
        self._quantization = quantization(configuration)
        self._outside = outside

    @cached_property
    def groups(self) -> Groups:
        """The groups of all rows, one after the other, and golden's codes for them."""
        tile = self._configuration.tile
        by_tile = [p.by_tile(p.expected) for p in self._products.products]
        bits = np.array([by_tile[i][down, across] for i, down, across in self._products.order])
        codes = to_bf16(bits) if tile.out == "bf16" else bits
        codes = codes.reshape(len(bits), -1).astype(np.int64)
        outside = self._outside
        stimuli = QuantizerStimuli(self._quantization, self._rng)
        if outside is None and Groups(self._quantization, codes).port:
            outside = stimuli.outside(codes)
        codes = codes.reshape(-1, self._configuration.group)
        if outside is not None:
            outside = np.repeat(outside, len(codes) // len(bits))
        return Groups(self._quantization, codes, outside)

    @property
    def per_row(self) -> int:
        """Groups a row."""
        return self._configuration.n // self._configuration.group

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the output ports."""
        return (*self.groups.outputs, "o_last")

    @property
    def results(self) -> int:
        return self._products.results

    def __len__(self) -> int:
        return len(self._products)

    def columns(self) -> dict[str, list[int]]:
        """The values of every input port, step after step; what comes from outside is wrong in all
        steps but a product's last."""
        columns = self._products.columns()
        if self.groups.port:
            assert self.groups.outside is not None
            each = self.groups.outside[:: self.per_row * self._configuration.m].view(np.uint32)
            tiles, values = iter(each.tolist()), []
            for last in columns["i_last"]:
                values.append(next(tiles) if last else 0x7FC00000)
            columns[self.groups.port] = values
        return columns

    def expectations(self) -> list[tuple[str, ...]]:
        """The rows as the simulator should show them, block 0 in the low bits."""
        blocks, per_row, m = self.groups.expectations(), self.per_row, self._configuration.m
        rows = [blocks[i : i + per_row] for i in range(0, len(blocks), per_row)]
        return [
            (*("".join(reversed(port)) for port in zip(*row)), "1" if i % m == m - 1 else "0")
            for i, row in enumerate(rows)
        ]

    def describe(self, result: int, got: tuple[str, ...]) -> str:
        """What was quantized to the first wrong block of one row, with what was expected."""
        want = self.expectations()[result]
        blocks = [self._blocks(bits) for bits in zip(want[:-1], got[:-1])]
        for i in range(self.per_row):
            seen = tuple(pair[i][1] for pair in blocks)
            if seen != tuple(pair[i][0] for pair in blocks):
                return f"block {i}:\n{self.groups.describe(result * self.per_row + i, seen)}"
        return f"o_last: expected {want[-1]}, got {got[-1]}"

    def _blocks(self, texts: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Rows of bits, expected and got, apart by block, block 0 first."""
        width = len(texts[0]) // self.per_row
        starts = range(len(texts[0]) - width, -1, -width)
        return [tuple(text[i : i + width] for text in texts) for i in starts]


class RequantizeStimuli:
    """What a requantizing tile is driven with."""

    def __init__(self, configuration: Requantization, rng: np.random.Generator):
        self._configuration, self._rng = configuration, rng

    def random(self, dot_products: int, **lengths: int) -> Requantized:
        """Products until there are so many dot products of K elements."""
        stimuli = MatrixStimuli(self._configuration.tile, self._rng)
        products = stimuli.random(dot_products, **lengths)
        return Requantized(self._configuration, products, self._rng)

    def thresholds(self, tiles: int) -> Requantized:
        """Products of zero that start from groups on the rounding thresholds of their scale."""
        configuration, tile = self._configuration, self._configuration.tile
        groups = QuantizerStimuli(quantization(configuration), self._rng).thresholds(tiles)
        each = configuration.m * configuration.n // configuration.group
        codes = np.stack([np.roll(groups.codes, i, axis=1) for i in range(each)], axis=1)
        start = (codes << (16 if tile.out == "bf16" else 0)).astype(np.uint32)
        a, b = zeros(tile.a, tiles * tile.m, tile.k), zeros(tile.b, tile.n, tile.k)
        product = Product(tile, a, b, start.reshape(-1, tile.n))
        return Requantized(configuration, Products([product]), self._rng, groups.outside)


def zeros(fmt: BlockFormat, rows: int, length: int) -> Rows:
    """Rows of zeros with scales of about one."""
    codes = np.full((rows, length), np.nanargmin(np.abs(fmt.element.values)), np.uint8)
    if not fmt.has_block_scale:
        return Rows(fmt, codes)
    one = np.nanargmin(np.abs(fmt.scale.values - 1))
    sides = (fmt.sides,) if fmt.sides > 1 else ()
    scales = np.full((rows, length // fmt.block_size, *sides), one, np.uint8)
    macro = fmt.macro and np.zeros((rows, -(-length // fmt.macro.size)), np.uint8)
    return Rows(fmt, codes, scales, macro)

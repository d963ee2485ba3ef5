"""Random matrix products for a tile: operands of every size, special codes, starts that cancel."""

from dataclasses import replace

import numpy as np

from gen.config import Configuration
from golden.formats import BlockFormat
from verif.bench_codes import Elements, Scales
from verif.bench_mac import CORNER_C
from verif.bench_tile import Product, Products, Rows

LONGEST = 16  # steps
SIDE = 16  # rows of a matrix, about: so many products share one call of golden
ODD = 0.08  # of the rows have any code, NaN and Inf included, or any scale
CENTRES = (0, 0, 0, 0, 20, -20, -75, 62)  # exponents of the products: unity, subnormal, overflow


class MatrixStimuli:
    """What a tile is driven with; each method returns Products."""

    def __init__(self, configuration: Configuration, rng: np.random.Generator):
        self.configuration, self.rng = configuration, rng

    def random(self, dot_products: int, shortest: int = 1, longest: int = LONGEST) -> Products:
        """Products of ``shortest`` to ``longest`` steps, in any order, until there are so many dot
        products of K elements."""
        products: list[Product] = []
        missing = dot_products
        lengths = np.arange(shortest, longest + 1)
        while missing > 0:
            for steps in self.rng.permutation(lengths).tolist():
                if missing > 0:
                    products.append(self.product(steps, missing))
                    missing -= products[-1].c.size * steps
        return Products(products).shuffled(self.rng)

    def product(self, steps: int, most: int = 1 << 30) -> Product:
        """A matrix product of ``steps`` steps, about ``SIDE`` rows square or as small as will do
        for ``most`` dot products."""
        c = self.configuration
        down, across = max(1, SIDE // c.m), max(1, SIDE // c.n)
        while down * across * c.m * c.n * steps > 2 * most and (down > 1 or across > 1):
            down, across = max(1, down // 2), max(1, across // 2)
        centre = int(self.rng.choice(CENTRES))
        share = int(self.rng.integers(-40, 41))
        a = self.rows(c.a, down * c.m, steps, centre + share)
        b = self.rows(c.b, across * c.n, steps, centre - share)
        product = Product(c, a, b, np.zeros((len(a.codes), len(b.codes)), np.uint32))
        return replace(product, c=self.starts(product.expected))

    def rows(self, fmt: BlockFormat, count: int, steps: int, exponent: int) -> Rows:
        """Rows of one operand, their scales about ``2**exponent``."""
        length = steps * self.configuration.k
        elements = Elements(fmt, length, self.rng)
        codes = elements.uniform(count)
        kind = self.rng.random(count)
        for low, high, draw in (
            (0, ODD, elements.any),
            (ODD, 0.25, elements.near),
            (0.25, 0.4, elements.sparse),
        ):
            chosen = (kind >= low) & (kind < high)
            codes[chosen] = draw(int(chosen.sum()))
        macro = None
        if fmt.macro is not None:
            blocks = -(-length // fmt.macro.size)
            macro = self.rng.integers(0, 1 << fmt.macro.factor.width, (count, blocks), np.uint8)
        if not fmt.has_block_scale:
            return Rows(fmt, codes)
        scales = Scales(fmt, length, self.rng)
        drawn = scales.near(count, exponent, int(self.rng.choice([0, 2, 6, 30])))
        odd = self.rng.random(count) < ODD
        drawn[odd] = scales.uniform(int(odd.sum()))
        return Rows(fmt, codes, drawn, macro)

    def starts(self, sums: np.ndarray) -> np.ndarray:
        """Starts for accumulators: zero, corners, any bits, near their sum, and cancelling it."""
        rng, shape = self.rng, sums.shape
        bits = sums.astype(np.int64)
        if self.configuration.acc == "int32":
            near = -bits + rng.integers(-2, 3, shape)
        else:
            magnitude = (bits & 0x7FFFFFFF) + rng.integers(-2, 3, shape)
            near = (~bits & 0x80000000) | np.clip(magnitude, 0, 0x7F7FFFFF)
        exponent = np.clip((bits >> 23 & 0xFF) + rng.integers(-30, 31, shape), 0, 254)
        any_bits = rng.integers(0, 1 << 32, shape)
        kinds = [
            np.zeros(shape, np.int64),
            rng.choice(CORNER_C, shape).astype(np.int64),
            any_bits,
            near,
            exponent << 23 | any_bits & 0x807FFFFF,
        ]
        kind = rng.choice(len(kinds), shape, p=(0.2, 0.1, 0.1, 0.2, 0.4))
        return (np.choose(kind, kinds) & 0xFFFFFFFF).astype(np.uint32)

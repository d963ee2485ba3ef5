"""Matrix products for a tile or mac: how they are driven, and what golden.matmul expects."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen.config import Configuration
from golden import from_codes, matmul
from golden.binary32 import to_bf16
from golden.formats import BlockFormat
from golden.product import exact_matmul
from golden.quantized import Quantized
from verif.bench import decoded, pack
from verif.bench_steps import compared


@dataclass
class Rows:
    """Rows of one operand: element codes (rows, length), scale codes as driven and the codes of
    macro-block factors (rows, macro blocks), or None."""

    fmt: BlockFormat
    codes: np.ndarray
    scales: np.ndarray | None = None
    macro: np.ndarray | None = None

    def quantized(self) -> Quantized:
        """What golden takes: unused bits of scales cleared, binary32 scales of one."""
        fmt, scales = self.fmt, self.scales
        if fmt.has_block_scale:
            used = fmt.scale.exponent_width + fmt.scale.mantissa_width
            scales = scales & np.uint8((1 << used) - 1)
        elif fmt.scale is not None:
            blocks = self.codes.shape[1] // (fmt.block_size or self.codes.shape[1])
            scales = np.ones((len(self.codes), blocks), np.float32)
        return from_codes(self.codes, fmt, scales, macro_scales=self.macro)

    def ports(self, rows: int, k: int) -> dict[str, list[list[int]]]:
        """What every port takes in every step: for each tile of ``rows`` rows its steps."""
        arrays = {"elems": (self.codes, self.fmt.element.width)}
        if self.fmt.has_block_scale:
            arrays["scales"] = (self.scales, self.fmt.scale.width)
        ports = {}
        steps = self.codes.shape[1] // k
        if self.macro is not None:
            blocks = np.arange(steps) * k // self.fmt.macro.size
            arrays["macro"] = (self.macro[:, blocks], self.fmt.macro.factor.width)
        for name, (x, width) in arrays.items():
            x = x.reshape(len(x) // rows, rows, steps, -1)
            x = np.ascontiguousarray(x.transpose(0, 2, 1, 3))
            packed = pack(x.reshape(len(x) * steps, -1), width)
            ports[name] = [packed[i : i + steps] for i in range(0, len(packed), steps)]
        return ports


@dataclass
class Product:
    """One matrix product, every m x n tile of it computed by the unit.

    ``a`` (tiles * m rows), ``b`` (tiles * n rows): operands of whole steps; ``c``: the
    accumulators' start, bits (rows of a, rows of b).
    """

    configuration: Configuration
    a: Rows
    b: Rows
    c: np.ndarray

    @property
    def expected(self) -> np.ndarray:
        """golden's results, as bits."""
        return self.results["d"]

    @cached_property
    def results(self) -> dict[str, np.ndarray]:
        """golden's results ``d``, as bits, and for accumulator ``exact`` its flags ``overflow``."""
        acc = self.configuration.acc
        start = self.c.view(np.int32 if acc == "int32" else np.float32)
        operands = self.a.quantized(), self.b.quantized()
        k, window, bits = (getattr(self.configuration, x) for x in ("k", "window", "fraction"))
        if acc == "exact":
            d, overflow = exact_matmul(*operands, k, start, window)
            return {"d": d.view(np.uint32), "overflow": overflow}
        d = matmul(*operands, acc=acc, k=k, c=start, fraction_bits=bits)
        return {"d": d.view(np.uint32)}

    @cached_property
    def ports(self) -> tuple[dict, dict, np.ndarray]:
        """What both operands' ports take, tile by tile and step by step, and every tile's start."""
        size = self.configuration
        start = self.by_tile(self.c).reshape(-1, size.m * size.n)
        start = np.array(pack(start, 32), object).reshape(self.tiles)
        return self.a.ports(size.m, size.k), self.b.ports(size.n, size.k), start

    @cached_property
    def texts(self) -> list[np.ndarray]:
        """For every kind of result the rows of every tile (down, across, m) as a simulator should
        show them."""
        size = self.configuration
        kinds = []
        for name, result in self.results.items():
            bits, width = self.by_tile(result).reshape(-1, size.n), 32 if name == "d" else 1
            if name == "d" and size.out == "bf16":
                bits, width = to_bf16(bits), 16
            texts = [f"{row:0{width * size.n}b}" for row in pack(bits, width)]
            kinds.append(np.array(texts, object).reshape(*self.tiles, size.m))
        return kinds

    @property
    def steps(self) -> int:
        return self.a.codes.shape[1] // self.configuration.k

    @property
    def tiles(self) -> tuple[int, int]:
        """How many tiles cover the result, down and across."""
        return len(self.c) // self.configuration.m, self.c.shape[1] // self.configuration.n

    def by_tile(self, bits: np.ndarray) -> np.ndarray:
        """An array of the result's shape as (down, across, m, n)."""
        down, across = self.tiles
        return bits.reshape(down, self.configuration.m, across, -1).transpose(0, 2, 1, 3)


class Products:
    """Tiles of matrix products in the order in which the unit computes them.

    ``order``: (count, 3), the product, and which tile of it, down and across.
    """

    def __init__(self, products: list[Product], order: np.ndarray | None = None):
        self.products = products
        self._configuration = products[0].configuration
        if order is None:
            grids = [np.ndindex(p.tiles) for p in products]
            order = [(i, *tile) for i, grid in enumerate(grids) for tile in grid]
        self.order = np.array(order)
        self._outputs = len(self.order) * self._configuration.m * self._configuration.n

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the output ports."""
        flags = ("o_overflow",) if self._configuration.acc == "exact" else ()
        is_mac = self._configuration.unit == "mac"
        return ("o_d", *flags) if is_mac else ("o_row", *flags, "o_last")

    @property
    def results(self) -> int:
        """How many rows leave."""
        return len(self.order) * self._configuration.m

    def __len__(self) -> int:
        """How many steps there are."""
        return sum(self.products[i].steps for i in self.order[:, 0])

    @property
    def dot_products(self) -> int:
        """How many dot products of K elements the results are made of."""
        return len(self) * self._configuration.m * self._configuration.n

    def shuffled(self, rng: np.random.Generator) -> "Products":
        """The same tiles in another order."""
        return Products(self.products, rng.permutation(self.order))

    def batches(self, most: int) -> list["Products"]:
        """The same tiles in batches of about ``most`` steps."""
        count = -(-len(self) // most)
        return [Products(self.products, part) for part in np.array_split(self.order, count)]

    def columns(self) -> dict[str, list[int]]:
        """The values of every input port, step after step."""
        first = self.products[0].ports
        columns: dict[str, list[int]] = {"i_first": [], "i_last": [], "i_c": []}
        for name, operand in zip("ab", first):
            columns |= {f"i_{name}_{port}": [] for port in operand}
        for i, down, across in self.order.tolist():
            steps = self.products[i].steps
            a, b, c = self.products[i].ports
            columns["i_first"] += [1] + [0] * (steps - 1)
            columns["i_last"] += [0] * (steps - 1) + [1]
            columns["i_c"] += [c[down, across]] * steps
            for port, values in a.items():
                columns[f"i_a_{port}"] += values[down]
            for port, values in b.items():
                columns[f"i_b_{port}"] += values[across]
        return columns

    def expectations(self) -> list[tuple[str, ...]]:
        """The rows as the simulator should show them."""
        last = [["0"] * (self._configuration.m - 1) + ["1"]] * ("o_last" in self.outputs)
        return [
            row
            for i, down, across in self.order.tolist()
            for row in zip(*(texts[down, across] for texts in self.products[i].texts), *last)
        ]

    def describe(self, result: int, got: tuple[str, ...]) -> str:
        """What went into the first wrong output of one row, decoded, with what was expected."""
        size = self._configuration
        i, down, across = self.order[result // size.m].tolist()
        product, row = self.products[i], down * size.m + result % size.m
        want = self.expectations()[result]
        lines = [f"row {result % size.m} of a product of {product.steps} steps"]
        lines += [
            f"{name}: expected {expected}, got {seen}"
            for name, expected, seen in zip(self.outputs[1:], want[1:], got[1:])
            if expected != seen
        ]
        for j, (expected, seen) in enumerate(
            zip(*(reversed(_words(row, size.n)) for row in (want[0], got[0])))
        ):
            if expected != seen:
                column = across * size.n + j
                lines.append(f"output {j} of the row")
                for name, rows, index in (("a", product.a, row), ("b", product.b, column)):
                    lines += decoded(f"{name} codes ", rows.fmt.element, rows.codes[index])
                    if rows.scales is not None:
                        lines += decoded(f"{name} scales", rows.fmt.scale, rows.scales[index])
                before = product.c[row, column]
                if size.out == "bf16":
                    expected, seen = expected + "0" * 16, seen + "0" * 16
                lines += compared(size.acc, before, int(expected, 2), seen)
                break
        return "\n".join(lines)


def _words(bits: str, count: int) -> list[str]:
    """A row's results, the last one first.

    >>> _words("1" * 32 + "0" * 32, 2) == ["1" * 32, "0" * 32]
    True
    """
    width = len(bits) // count
    return [bits[i : i + width] for i in range(0, len(bits), width)]

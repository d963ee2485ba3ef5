"""Element and scale codes to draw stimuli from, by kind."""

import numpy as np

from golden.formats import BlockFormat

MOST_STEPS_OF_PAIRS = 4096
USUAL = 24  # binades on either side of one; beyond, sums of bfloat16 products overflow


class Elements:
    """Element codes of a format: all, finite, special, and by magnitude; ``k`` to a step."""

    def __init__(self, fmt: BlockFormat, k: int, rng: np.random.Generator):
        self.fmt, self.k, self.rng = fmt, k, rng
        values = fmt.element.values
        self.all = np.arange(len(values), dtype=np.uint8 if len(values) <= 256 else np.uint16)
        self.finite = self.all[np.isfinite(values)]
        size = np.abs(values[self.finite])
        far = np.log2(np.maximum(size, 1) / np.where(size, np.minimum(size, 1), 1)) > USUAL
        self.usual = self.finite[~far]
        self.zero = self.all[np.flatnonzero(values == 0)[0]]
        self.by_magnitude = self.finite[np.argsort(np.abs(values[self.finite]), kind="stable")]

    def any(self, n: int) -> np.ndarray:
        """Any codes (n, k), NaN and Inf included."""
        return self.rng.choice(self.all, (n, self.k))

    def uniform(self, n: int) -> np.ndarray:
        """Any finite codes (n, k), of wide formats those within 2**USUAL of one."""
        return self.rng.choice(self.usual, (n, self.k))

    def near(self, n: int) -> np.ndarray:
        """Finite codes (n, k), those of a step near each other in magnitude."""
        count = len(self.by_magnitude)
        window = max(2, count // 8)
        start = self.rng.integers(0, count - window + 1, (n, 1))
        return self.by_magnitude[start + self.rng.integers(0, window, (n, self.k))]

    def sparse(self, n: int) -> np.ndarray:
        """Codes (n, k) of which one to three are not zero (by choice: a code drawn may be zero)."""
        codes = np.full((n, self.k), self.zero)
        count = self.rng.integers(1, 4, n)
        for i in range(3):
            some = np.flatnonzero(count > i)
            lane = self.rng.integers(0, self.k, len(some))
            codes[some, lane] = self.rng.choice(self.finite, len(some))
        return codes

    def negated(self, codes: np.ndarray) -> np.ndarray:
        """Codes of the negated values; a value whose negative has no code stays."""
        values = self.fmt.element.values.tolist()
        code_of = {v: i for i, v in reversed(list(enumerate(values)))}
        table = [code_of.get(-v, i) if v else i for i, v in enumerate(values)]
        return np.array(table, self.all.dtype)[codes]


class Scales:
    """Scale codes of a format with a block scale, shaped as ``k`` elements a step need them."""

    def __init__(self, fmt: BlockFormat, k: int, rng: np.random.Generator):
        self.rng, self._scale = rng, fmt.scale
        self._shape = (k // fmt.block_size, *((2,) if fmt.sides == 2 else ()))
        width = fmt.scale.exponent_width + fmt.scale.mantissa_width
        usable = fmt.scale.values[: 1 << width]
        self.largest = int(np.argmax(np.where(np.isfinite(usable), usable, 0)))
        one = fmt.scale.bias << fmt.scale.mantissa_width
        normal = 1 << fmt.scale.mantissa_width
        corners = {0, 1, normal - 1, normal, one - 1, one, one + 1, self.largest, self.largest + 1}
        self.corners = np.array(sorted(corners | {0x7F, 0x80, 0x80 | one, 0xFE, 0xFF}), np.uint8)

    def near(self, n: int, exponent=0, spread: int = 0) -> np.ndarray:
        """Finite codes of about 2**exponent, off by up to ``spread``; exponent may be (n,)."""
        shape = (n, *self._shape)
        exponent = np.broadcast_to(np.asarray(exponent), (n,))
        exponent = exponent.reshape(n, *(1,) * len(self._shape))
        exponent = exponent + self.rng.integers(-spread, spread + 1, shape)
        code = (exponent + self._scale.bias) << self._scale.mantissa_width
        code += self.rng.integers(0, 1 << self._scale.mantissa_width, shape)
        return np.clip(code, 0, self.largest).astype(np.uint8)

    def uniform(self, n: int) -> np.ndarray:
        """Any codes, NaN and those with the unused top bit included."""
        return self.rng.integers(0, 256, (n, *self._shape)).astype(np.uint8)

    def with_one(self, scales: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """``scales`` with one of every step's replaced by that of ``codes`` (n,)."""
        flat = scales.reshape(len(scales), -1).copy()
        flat[np.arange(len(flat)), self.rng.integers(0, flat.shape[1], len(flat))] = codes
        return flat.reshape(scales.shape)


class NoScales:
    """Scales of a format without a block scale: none, in the shape of no blocks."""

    corners = np.zeros(1, np.uint8)

    def __init__(self, fmt: BlockFormat, k: int, rng: np.random.Generator):
        pass

    def near(self, n: int, exponent=0, spread: int = 0) -> np.ndarray:
        """None for each of ``n`` steps."""
        return np.zeros((n, 0), np.uint8)

    def uniform(self, n: int) -> np.ndarray:
        """None for each of ``n`` steps."""
        return np.zeros((n, 0), np.uint8)

    def with_one(self, scales: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """``scales``, of which there are none."""
        return scales


def every_pair(a: Elements, b: Elements, ordered: bool) -> tuple[np.ndarray, np.ndarray]:
    """Steps (n, k) of a's and b's codes that hold every pair, in as many lanes as time allows.

    Pairs with a NaN or Inf come one a step, among finite ones. ``ordered``: the products of a step
    are of about one magnitude, so that alignment hides none behind another.
    """
    rng, k = a.rng, a.k
    pair = np.arange(len(a.all) * len(b.all))
    code_a, code_b = a.all[pair // len(b.all)], b.all[pair % len(b.all)]
    finite = np.isin(code_a, a.finite) & np.isin(code_b, b.finite)
    usual, odd = pair[finite], pair[~finite]
    product = np.abs(a.fmt.element.values[code_a[usual]] * b.fmt.element.values[code_b[usual]])
    order = usual[
        np.lexsort((rng.random(len(usual)), product if ordered else np.zeros(len(usual))))
    ]
    order = np.append(order, order[-1:].repeat(-len(order) % k)).reshape(-1, k)
    turns = max(1, min(k, MOST_STEPS_OF_PAIRS // len(order)))
    order = np.concatenate([np.roll(order, turn * k // turns, axis=1) for turn in range(turns)])
    odd_a, odd_b = a.uniform(len(odd)), b.uniform(len(odd))
    row, lane = np.arange(len(odd)), rng.integers(0, k, len(odd))
    odd_a[row, lane], odd_b[row, lane] = code_a[odd], code_b[odd]
    return np.concatenate([code_a[order], odd_a]), np.concatenate([code_b[order], odd_b])

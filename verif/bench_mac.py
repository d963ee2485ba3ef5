"""Stimuli for a mac: every pair of element codes, corners of every operand, and seeded random ones."""

from dataclasses import dataclass

import numpy as np

from golden.formats import BlockFormat
from golden.tables import sums_in_groups
from verif.bench_steps import Steps

CORNER_C = np.array(
    [0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x807FFFFF, 0x00800000, 0x80800000,
     0x3F800000, 0xBF800000, 0x3FFFFFFF, 0x4B800001, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000,
     0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF], np.uint32,
)  # fmt: skip
MOST_STEPS_OF_PAIRS = 4096


class Codes:
    """The codes of a block format by kind, to draw elements and scales from."""

    def __init__(self, fmt: BlockFormat, k: int, rng: np.random.Generator):
        self.fmt, self.k, self.rng = fmt, k, rng
        values = fmt.element.values
        self.all = np.arange(len(values), dtype=np.uint8)
        self.finite = self.all[np.isfinite(values)]
        self.special = self.all[~np.isfinite(values)]
        self.zero = np.uint8(np.flatnonzero(values == 0)[0])
        self.by_magnitude = self.finite[np.argsort(np.abs(values[self.finite]), kind="stable")]
        self.sides = (2,) if fmt.sides == 2 else ()
        scale = fmt.scale
        usable = scale.values[: 1 << (scale.exponent_width + scale.mantissa_width)]
        self.largest_scale = int(np.argmax(np.where(np.isfinite(usable), usable, 0)))
        one = scale.bias << scale.mantissa_width
        smallest_normal = 1 << scale.mantissa_width
        self.corner_scales = np.unique(
            [0, 1, smallest_normal - 1, smallest_normal, one - 1, one, one + 1, self.largest_scale,
             self.largest_scale + 1, 0x7F, 0x80, 0x80 | one, 0xFE, 0xFF]).astype(np.uint8)  # fmt: skip

    def shape(self, n: int) -> tuple[int, ...]:
        """Of the scales of ``n`` steps."""
        return (n, self.k // self.fmt.block_size, *self.sides)

    def elements(self, n: int) -> np.ndarray:
        """Uniform finite codes (n, k)."""
        return self.rng.choice(self.finite, (n, self.k))

    def near_elements(self, n: int) -> np.ndarray:
        """Codes (n, k) whose magnitudes are near each other within a step."""
        count = len(self.by_magnitude)
        window = max(2, count // 8)
        start = self.rng.integers(0, count - window + 1, (n, 1))
        return self.by_magnitude[start + self.rng.integers(0, window, (n, self.k))]

    def scales(self, n: int, exponent=0, spread: int = 0) -> np.ndarray:
        """Finite scale codes of about 2**exponent, each off by up to ``spread`` binades; exponent may be (n,)."""
        scale, shape = self.fmt.scale, self.shape(n)
        exponent = np.broadcast_to(np.asarray(exponent), (n,)).reshape(n, *(1,) * (len(shape) - 1))
        exponent = exponent + self.rng.integers(-spread, spread + 1, shape)
        code = (exponent + scale.bias) << scale.mantissa_width
        code += self.rng.integers(0, 1 << scale.mantissa_width, shape)
        return np.clip(code, 0, self.largest_scale).astype(np.uint8)

    def any_scales(self, n: int) -> np.ndarray:
        """Uniform codes, NaN and the unused top bit included."""
        return self.rng.integers(0, 256, self.shape(n)).astype(np.uint8)


@dataclass
class MacStimuli:
    """Everything a mac of one pair and K is driven with; each method returns Steps."""

    fa: BlockFormat
    fb: BlockFormat
    k: int
    rng: np.random.Generator

    def __post_init__(self):
        self.a, self.b = Codes(self.fa, self.k, self.rng), Codes(self.fb, self.k, self.rng)

    def steps(self, a_codes, a_scales, b_codes, b_scales, c=None) -> Steps:
        """Single steps; ``c`` None is +0."""
        c = np.zeros(len(a_codes), np.uint32) if c is None else c
        return Steps.single(self.fa, self.fb, a_codes, a_scales, b_codes, b_scales, c.astype(np.uint32))

    def with_near_c(self, steps: Steps, span: int = 30) -> Steps:
        """The same steps with an accumulator within ``span`` binades of the products' sum."""
        exponent = (steps.expected[:, 0] >> 23 & 0xFF).astype(np.int64)
        anywhere = self.rng.integers(67, 187, len(exponent))
        exponent = np.where(exponent == 0, anywhere, exponent + self.rng.integers(-span, span + 1, len(exponent)))
        exponent = np.clip(exponent, 0, 254)
        mantissa = self.rng.integers(0, 1 << 23, len(exponent))
        kind = self.rng.integers(0, 4, len(exponent))
        mantissa = np.where(kind == 0, 0, np.where(kind == 1, 0x7FFFFF, mantissa))
        sign = self.rng.integers(0, 2, len(exponent)) << 31
        return self._with_c(steps, sign | exponent << 23 | mantissa)

    def with_cancelling_c(self, steps: Steps) -> Steps:
        """The same steps with an accumulator that cancels the products' sum to within two ulps."""
        bits = steps.expected[:, 0].astype(np.int64)
        magnitude = np.clip((bits & 0x7FFFFFFF) + self.rng.integers(-2, 3, len(bits)), 0, 0x7F7FFFFF)
        return self._with_c(steps, (~bits & 0x80000000) | magnitude)

    def _with_c(self, steps: Steps, c: np.ndarray) -> Steps:
        arrays = (steps.a_codes, steps.a_scales, steps.b_codes, steps.b_scales)
        return self.steps(*(x[:, 0] for x in arrays), c)

    # Corners.

    def pairs(self) -> Steps:
        """Every pair of element codes in as many lanes as time allows; NaN and Inf one a step, among finite ones.

        Where products are addends, a step's are of about one magnitude, so that none hides another.
        """
        a, b = self.a, self.b
        pair = np.arange(len(a.all) * len(b.all))
        code_a, code_b = (pair // len(b.all)).astype(np.uint8), (pair % len(b.all)).astype(np.uint8)
        with np.errstate(invalid="ignore"):
            product = np.abs(self.fa.element.values[code_a] * self.fb.element.values[code_b])
        finite = np.isin(code_a, a.finite) & np.isin(code_b, b.finite)
        key = np.zeros(len(pair)) if sums_in_groups(self.fa, self.fb) else product
        order = pair[finite][np.lexsort((self.rng.random(int(finite.sum())), key[finite]))]
        order = np.append(order, order[-1:].repeat(-len(order) % self.k)).reshape(-1, self.k)
        turns = max(1, min(self.k, MOST_STEPS_OF_PAIRS // len(order)))
        order = np.concatenate([np.roll(order, turn * self.k // turns, axis=1) for turn in range(turns)])
        odd = pair[~finite]
        lane = self.rng.integers(0, self.k, len(odd))
        odd_a, odd_b = a.elements(len(odd)), b.elements(len(odd))
        row = np.arange(len(odd))
        odd_a[row, lane], odd_b[row, lane] = code_a[odd], code_b[odd]
        codes_a, codes_b = np.concatenate([code_a[order], odd_a]), np.concatenate([code_b[order], odd_b])
        n = len(codes_a)
        return self.steps(codes_a, a.scales(n, spread=1), codes_b, b.scales(n, spread=1))

    def scale_corners(self) -> Steps:
        """Every scale code of either operand against the corners of the other's, elements of any finite code."""
        a, b = self.a, self.b
        every = np.arange(256, dtype=np.uint8)
        pairs_a = np.append(np.repeat(every, len(b.corner_scales)), np.repeat(a.corner_scales, 256))
        pairs_b = np.append(np.tile(b.corner_scales, 256), np.tile(every, len(a.corner_scales)))
        keep = self.rng.random(len(pairs_a)) < 2000 / len(pairs_a)
        pairs_a, pairs_b = pairs_a[keep], pairs_b[keep]
        n = len(pairs_a)
        scales_a, scales_b = a.scales(n, spread=3), b.scales(n, spread=3)
        for scales, codes in ((scales_a, pairs_a), (scales_b, pairs_b)):
            flat = scales.reshape(n, -1)
            flat[np.arange(n), self.rng.integers(0, flat.shape[1], n)] = codes
        steps = self.steps(a.elements(n), scales_a, b.elements(n), scales_b)
        return self.with_near_c(steps)

    def c_corners(self) -> Steps:
        """Every corner of the accumulator against products of every size, zero included, and NaN."""
        repeat = 24
        c = np.repeat(CORNER_C, repeat)
        n = len(c)
        centre = np.tile(np.linspace(-140, 140, repeat).astype(np.int64), len(CORNER_C))
        steps = self.sparse(n, centre)
        steps.c[:, 0] = c
        zero = np.arange(n) % repeat % 6 == 0
        steps.a_codes[zero] = self.a.zero
        return steps

    # Random.

    def uniform(self, n: int) -> Steps:
        """Any code, any scale, any accumulator."""
        a, b = self.a, self.b
        c = self.rng.integers(0, 1 << 32, n)
        return self.steps(
            self.rng.choice(a.all, (n, self.k)), a.any_scales(n), self.rng.choice(b.all, (n, self.k)), b.any_scales(n), c
        )

    def aligned(self, n: int) -> Steps:
        """Scales within a few binades of each other, and an accumulator of comparable size."""
        a, b = self.a, self.b
        centre = self.rng.integers(-40, 41, n)
        draw = (Codes.elements, Codes.near_elements)[int(self.rng.integers(2))]
        steps = self.steps(draw(a, n), a.scales(n, centre, 4), draw(b, n), b.scales(n, -centre, 4))
        return self.with_near_c(steps)

    def near(self, n: int) -> Steps:
        """Products near each other in size, and no accumulator or one that cancels them."""
        a, b = self.a, self.b
        steps = self.steps(a.near_elements(n), a.scales(n, 3, 1), b.near_elements(n), b.scales(n, -3, 1))
        return self.with_cancelling_c(steps)

    def opposed(self, n: int) -> Steps:
        """Products that cancel each other exactly, or all but one of them."""
        a, b = self.a, self.b
        codes_a, codes_b = a.near_elements(n), b.near_elements(n)
        half = self.k // 2
        order = self.rng.permuted(np.tile(np.arange(self.k), (n, 1)), axis=1)
        row, one, other = np.arange(n)[:, None], order[:, :half], order[:, half : 2 * half]
        codes_a[row, other] = negated(self.fa, codes_a[row, one])
        codes_b[row, other] = codes_b[row, one]
        codes_a[:: 3, 0] = self.rng.choice(a.finite)
        scales = []
        for codes in (a, b):
            scale = codes.scales(n, self.rng.integers(-3, 4))
            flat = scale.reshape(n, -1)
            flat[:] = flat[:, :1]
            scales.append(scale)
        steps = self.steps(codes_a, scales[0], codes_b, scales[1])
        some = self.with_near_c(steps, 50)
        some.c[::2] = 0
        return some

    def sparse(self, n: int, centre=None) -> Steps:
        """At most three products that are not zero: ties, sticky bits and single addends at every distance from c."""
        a, b = self.a, self.b
        codes_a, codes_b = np.full((n, self.k), a.zero), b.elements(n)
        count = self.rng.integers(1, 4, n)
        for i in range(3):
            lane = self.rng.integers(0, self.k, n)
            some = np.flatnonzero(count > i)
            codes_a[some, lane[some]] = self.rng.choice(a.finite, len(some))
        centre = self.rng.integers(-150, 150, n) if centre is None else centre
        steps = self.steps(codes_a, a.scales(n, centre // 2, 12), codes_b, b.scales(n, centre - centre // 2, 12))
        return self.with_near_c(steps, 45)

    def limits(self, n: int) -> Steps:
        """Sums about the overflow of binary32, its subnormals, and zero."""
        a, b = self.a, self.b
        centre = self.rng.choice([-150, -140, -130, -126, -120, 115, 118, 121, 124, 127], n) + self.rng.integers(-4, 5, n)
        share = self.rng.integers(0, 2, n) * centre // 2 + centre // 4
        steps = self.steps(a.elements(n), a.scales(n, share, 2), b.elements(n), b.scales(n, centre - share, 2))
        return self.with_near_c(steps, 3)

    def random(self, n: int) -> Steps:
        """``n`` steps of all distributions, shuffled."""
        kinds = [self.uniform, self.aligned, self.aligned, self.near, self.opposed, self.sparse, self.sparse, self.limits]
        sizes = [n // len(kinds) + (i < n % len(kinds)) for i in range(len(kinds))]
        parts = [kind(size) for kind, size in zip(kinds, sizes) if size]
        arrays = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("a_codes", "a_scales", "b_codes", "b_scales", "c", "last")
        )
        return Steps(self.fa, self.fb, *arrays).slice(self.rng.permutation(n))


def negated(fmt: BlockFormat, codes: np.ndarray) -> np.ndarray:
    """Codes of the negated values; the most negative integer, which has none, stays."""
    values = fmt.element.values
    index = {v: i for i, v in reversed(list(enumerate(values.tolist())))}
    table = np.array([index.get(-v, i) if v else i for i, v in enumerate(values.tolist())], np.uint8)
    return table[codes]

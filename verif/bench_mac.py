"""Stimuli for a mac: every pair of element codes, corners of every operand, seeded random ones."""

import numpy as np

from golden.formats import BlockFormat
from golden.tables import sums_in_groups
from verif.bench_codes import Elements, NoScales, Scales, every_pair
from verif.bench_steps import Steps

CORNER_C = np.array(
    [
        *(0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x807FFFFF),  # 0, subnormals
        *(0x00800000, 0x80800000, 0x3F800000, 0xBF800000, 0x3FFFFFFF, 0x4B800001),
        *(0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000),  # the largest, Inf
        *(0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF),  # NaN
    ],
    np.uint32,
)
TINY_C = np.array([0x00000000, 0x80000000, 0x00000001, 0x80000002], np.uint32)
SIZES = 24  # sums of products that each corner of the accumulator meets
SCALE_CORNERS = 2000


class MacStimuli:
    """What a mac of one pair and K is driven with; each method returns Steps."""

    def __init__(self, fa: BlockFormat, fb: BlockFormat, k: int, acc: str, fraction, rng):
        self.fa, self.fb, self.k, self.rng = fa, fb, k, rng
        self.acc, self.fraction = acc, fraction
        self.a, self.b = Elements(fa, k, rng), Elements(fb, k, rng)
        self.scale_a, self.scale_b = (
            (Scales if fmt.has_block_scale else NoScales)(fmt, k, rng) for fmt in (fa, fb)
        )

    def steps(self, a_codes, a_scales, b_codes, b_scales, c=None) -> Steps:
        """Single steps; ``c`` None is +0."""
        c = np.zeros(len(a_codes), np.uint32) if c is None else c.astype(np.uint32)
        operands = a_codes, a_scales, b_codes, b_scales
        return Steps.single(self.fa, self.fb, self.acc, self.fraction, *operands, c)

    def with_near_c(self, steps: Steps, span: int = 30) -> Steps:
        """The same steps with an accumulator within ``span`` binades of the products' sum."""
        exponent = (steps.expected[:, 0] >> 23 & 0xFF).astype(np.int64)
        near = exponent + self.rng.integers(-span, span + 1, len(exponent))
        anywhere = self.rng.integers(67, 187, len(exponent))
        exponent = np.clip(np.where(exponent == 0, anywhere, near), 0, 254)
        kind = self.rng.integers(0, 4, len(exponent))
        mantissa = self.rng.integers(0, 1 << 23, len(exponent))
        mantissa = np.select([kind == 0, kind == 1], [0, 0x7FFFFF], mantissa)
        sign = self.rng.integers(0, 2, len(exponent)) << 31
        return steps.with_c(sign | exponent << 23 | mantissa)

    def with_cancelling_c(self, steps: Steps) -> Steps:
        """The same steps with an accumulator that cancels their sum to within two ulps."""
        bits = steps.expected[:, 0].astype(np.int64)
        magnitude = (bits & 0x7FFFFFFF) + self.rng.integers(-2, 3, len(bits))
        return steps.with_c((~bits & 0x80000000) | np.clip(magnitude, 0, 0x7F7FFFFF))

    # Corners.

    def pairs(self) -> Steps:
        """Every pair of element codes."""
        ordered = not sums_in_groups(self.fa, self.fb)
        a_codes, b_codes = every_pair(self.a, self.b, ordered)
        n = len(a_codes)
        a_scales, b_scales = self.scale_a.near(n, spread=1), self.scale_b.near(n, spread=1)
        return self.steps(a_codes, a_scales, b_codes, b_scales)

    def scale_corners(self) -> Steps:
        """Scale codes of either operand, NaN included, against the corners of the other's."""
        every = np.arange(256, dtype=np.uint8)
        grids = [(every, self.scale_b.corners), (self.scale_a.corners, every)]
        codes = np.concatenate([np.stack(np.meshgrid(*g), -1).reshape(-1, 2) for g in grids])
        codes = codes[self.rng.permutation(len(codes))[:SCALE_CORNERS]]
        n = len(codes)
        a_scales = self.scale_a.with_one(self.scale_a.near(n, spread=3), codes[:, 0])
        b_scales = self.scale_b.with_one(self.scale_b.near(n, spread=3), codes[:, 1])
        steps = self.steps(self.a.uniform(n), a_scales, self.b.uniform(n), b_scales)
        return self.with_near_c(steps)

    def c_corners(self) -> Steps:
        """Every corner of the accumulator against sums of every size, zero included."""
        centre = np.tile(np.linspace(-140, 140, SIZES).astype(np.int64), len(CORNER_C))
        steps = self.sparse(len(centre), centre)
        steps.a_codes[np.arange(len(centre)) % SIZES % 6 == 0] = self.a.zero
        return steps.with_c(np.repeat(CORNER_C, SIZES))

    def vanishing(self) -> Steps:
        """Sums about the smallest subnormal, from accumulators of zero and next to it."""
        n = len(TINY_C) * SIZES * 8
        centre = self.rng.integers(-170, -120, n)
        a_scales = self.scale_a.near(n, centre // 2, 1)
        b_scales = self.scale_b.near(n, centre - centre // 2, 1)
        a_codes = np.where(self.rng.random((n, 1)) < 0.5, self.a.sparse(n), self.a.near(n))
        c = np.resize(TINY_C, n)
        return self.steps(a_codes, a_scales, self.b.uniform(n), b_scales, c)

    # Random.

    def uniform(self, n: int) -> Steps:
        """Any code, any scale, any accumulator."""
        a_codes, b_codes = self.a.any(n), self.b.any(n)
        c = self.rng.integers(0, 1 << 32, n)
        return self.steps(a_codes, self.scale_a.uniform(n), b_codes, self.scale_b.uniform(n), c)

    def aligned(self, n: int) -> Steps:
        """Scales within a few binades of each other, and an accumulator of comparable size."""
        centre = self.rng.integers(-40, 41, n)
        a_scales, b_scales = self.scale_a.near(n, centre, 4), self.scale_b.near(n, -centre, 4)
        steps = self.steps(self.a.uniform(n), a_scales, self.b.uniform(n), b_scales)
        return self.with_near_c(steps)

    def cancelled(self, n: int) -> Steps:
        """Products near each other in size, and an accumulator that cancels them."""
        a_scales, b_scales = self.scale_a.near(n, 3, 1), self.scale_b.near(n, -3, 1)
        steps = self.steps(self.a.near(n), a_scales, self.b.near(n), b_scales)
        return self.with_cancelling_c(steps)

    def opposed(self, n: int) -> Steps:
        """Products that cancel each other, in a third of the steps all but one of them."""
        a_codes, b_codes = self.a.near(n), self.b.near(n)
        order = self.rng.permuted(np.tile(np.arange(self.k), (n, 1)), axis=1)
        half = self.k // 2
        row, one, other = np.arange(n)[:, None], order[:, :half], order[:, half : 2 * half]
        a_codes[row, other] = self.a.negated(a_codes[row, one])
        b_codes[row, other] = b_codes[row, one]
        a_codes[::3, 0] = self.rng.choice(self.a.finite)
        scales = [x.near(n, self.rng.integers(-3, 4)) for x in (self.scale_a, self.scale_b)]
        for scale in scales:
            flat = scale.reshape(n, scale[0].size)
            flat[:] = flat[:, :1]
        return self.with_near_c(self.steps(a_codes, scales[0], b_codes, scales[1]), 50)

    def sparse(self, n: int, centre=None) -> Steps:
        """At most three products that are not zero: ties, sticky bits, single addends at every
        distance from the accumulator."""
        centre = self.rng.integers(-150, 150, n) if centre is None else centre
        a_scales = self.scale_a.near(n, centre // 2, 12)
        b_scales = self.scale_b.near(n, centre - centre // 2, 12)
        return self.with_near_c(
            self.steps(self.a.sparse(n), a_scales, self.b.uniform(n), b_scales), 45
        )

    def limits(self, n: int) -> Steps:
        """Sums about the overflow of binary32, its subnormals, and zero."""
        ends = [-150, -140, -130, -126, -120, 115, 118, 121, 124, 127]
        centre = self.rng.choice(ends, n) + self.rng.integers(-4, 5, n)
        share = self.rng.integers(0, 2, n) * centre // 2 + centre // 4
        a_scales, b_scales = self.scale_a.near(n, share, 2), self.scale_b.near(n, centre - share, 2)
        steps = self.steps(self.a.uniform(n), a_scales, self.b.uniform(n), b_scales)
        return self.with_near_c(steps, 3)

    def random(self, n: int) -> Steps:
        """``n`` steps of all distributions, shuffled."""
        kinds = [self.uniform, self.aligned, self.cancelled, self.opposed, self.sparse, self.limits]
        sizes = [n // len(kinds) + (i < n % len(kinds)) for i in range(len(kinds))]
        parts = [kind(size) for kind, size in zip(kinds, sizes) if size]
        return Steps.concatenated(parts).slice(self.rng.permutation(n))

"""Stimuli for a quantizer: every bfloat16, thresholds, near ties about a maximum, random groups."""

import numpy as np

from gen.conversion import Quantization
from verif.bench_groups import Groups, nearest_code, to_float32

KINDS = ("patterns", "near", "gaussian", "sparse")


class QuantizerStimuli:
    """What a quantizer is driven with; each method returns Groups."""

    def __init__(self, configuration: Quantization, rng: np.random.Generator):
        self.configuration, self.rng = configuration, rng
        self.fmt, self.source, self.group = (
            configuration.fmt,
            configuration.source,
            configuration.group,
        )
        self.width = 32 if self.source == "fp32" else 16
        self.top = 1 << (self.width - 1)
        self.mantissa = {"fp32": 23, "bf16": 7, "fp16": 10}[self.source]
        self.infinity = self.top - (1 << self.mantissa)

    def groups(self, codes: np.ndarray, outside: np.ndarray | None = None) -> Groups:
        """Groups of these codes with what comes from outside, drawn if None."""
        if outside is None and not (self.fmt.has_block_scale and not self.fmt.tensor_scale):
            outside = self.outside(codes)
        return Groups(self.configuration, codes, outside)

    def outside(self, codes: np.ndarray) -> np.ndarray:
        """Scales that fit the groups, some of them too small or much too large."""
        x = np.abs(to_float32(codes, self.source))
        x = np.where(np.isfinite(x), x, 0).astype(np.float64)
        amax = x.max(axis=1)
        largest = self.fmt.element.largest * (
            self.fmt.scale.largest if self.fmt.tensor_scale else 1
        )
        ratio = self.rng.choice([1, 1, 1, 2, 4, 16, 0.4, 2.0**12, 2.0**-6], len(codes))
        ratio *= self.rng.choice([1, 1 + self.rng.random()], len(codes))
        with np.errstate(over="ignore", under="ignore"):
            scales = np.minimum(amax / largest * ratio, 3e38).astype(np.float32)
        tiny = np.float32(2.0**-149)
        return np.where(
            scales == 0, self.rng.choice(np.float32([1, tiny, 3e-39]), len(codes)), scales
        )

    def every_bfloat16(self) -> Groups:
        """All values whose low bits are 0, about as large as their neighbours, in three lanes."""
        shift = self.width - 16
        magnitudes = np.arange(1 << 15, dtype=np.int64) << shift
        finite = magnitudes[magnitudes < self.infinity]
        finite = np.concatenate([finite, finite | self.top])
        order = np.argsort(finite & (self.top - 1), kind="stable")
        finite = finite[order]
        finite = np.concatenate([finite, np.zeros(-len(finite) % self.group, np.int64)])
        rows = finite.reshape(-1, self.group)
        turned = [np.roll(rows, turn, axis=1) for turn in (0, self.group // 2, self.group - 1)]
        special = magnitudes[magnitudes >= self.infinity]
        poisoned = rows[self.rng.integers(0, len(rows), 2 * len(special))].copy()
        lanes = self.rng.integers(0, self.group, len(poisoned))
        poisoned[np.arange(len(poisoned)), lanes] = np.concatenate([special, special | self.top])
        return self.groups(np.concatenate([*turned, poisoned]))

    def thresholds(self, n: int) -> Groups:
        """Groups whose elements lie on the rounding thresholds of their scale and an ulp beside,
        and whose maxima lie about those of the scale."""
        codes = np.zeros((n, self.group), np.int64)
        amax = self.maxima(n)
        codes[:, 0], codes[:, 1] = amax, self.maxima(n, like=amax) | self.top
        start = self.groups(codes)
        _, scales, macro, _ = start.expected
        values = self.values(start, scales, macro)
        element = self.fmt.element
        levels = np.unique(np.abs(element.values[np.isfinite(element.values)]))
        middles = (levels[1:] + levels[:-1]) / 2
        count = self.group - 2
        which = np.arange(n * count).reshape(n, count)
        neg = self.rng.random((n, count)) < 0.5
        h = middles[which // 3 % len(middles)]
        if self.fmt.macro:
            blocks = values.shape[1]
            value = np.repeat(values, self.group // blocks, axis=1)[:, 2:]
        else:
            value = np.where(neg & (self.fmt.sides == 2), values[:, -1:], values[:, :1])
        near = nearest_code(h * value, self.source) + which % 3 - 1
        side = np.where(neg, codes[:, 1:2] & (self.top - 1), amax[:, None])
        limit = side if self.fmt.sides == 2 else amax[:, None]
        near = np.clip(near, 0, limit if self.fmt.has_block_scale else self.infinity - 1)
        codes[:, 2:] = near | np.where(neg, self.top, 0)
        order = self.rng.permuted(np.tile(np.arange(self.group), (n, 1)), axis=1)
        return self.groups(np.take_along_axis(codes, order, axis=1), start.outside)

    def rivals(self, n: int) -> Groups:
        """Groups of nearly equal magnitudes, the largest about where the scale changes."""
        amax, outside = self.maxima(n), None
        if self.fmt.tensor_scale:
            outside = np.float32(2.0 ** self.rng.uniform(-20, 20, n))
            scales = np.unique(np.abs(self.fmt.scale.values[np.isfinite(self.fmt.scale.values)]))
            middles = self.rng.choice((scales[1:] + scales[:-1]) / 2, n)
            amax = nearest_code(middles * self.fmt.element.largest * outside, self.source)
            amax = np.clip(amax + self.rng.integers(-1, 2, n), 0, self.infinity - 1)
        codes = np.maximum(amax[:, None] - self.rng.integers(0, 4, (n, self.group)), 0)
        codes[np.arange(n), self.rng.integers(0, self.group, n)] = amax
        signs = self.rng.random(codes.shape) < self.rng.choice([0, 0.5, 1], (n, 1))
        return self.groups(codes | np.where(signs, self.top, 0), outside)

    def values(self, start: Groups, scales: np.ndarray, macro) -> np.ndarray:
        """What an element's unit is worth in each block and side, float64 (N, blocks or sides)."""
        if not self.fmt.has_block_scale:
            return start.outside.astype(np.float64)[:, None]
        values = np.nan_to_num(self.fmt.scale.values[scales])
        if start.outside is not None:
            values = values * start.outside.astype(np.float64)[:, None]
        if macro is not None:
            values = values / self.fmt.macro.factor.values[macro][:, None]
        return values

    def maxima(self, n: int, like: np.ndarray | None = None) -> np.ndarray:
        """Codes of magnitudes about which scales change, or any; ``like``: of a similar size."""
        spread = 1 << self.mantissa
        fields = self.infinity // spread
        field = self.rng.integers(0, fields, n) if like is None else like // spread
        if like is not None:
            field = np.clip(field - self.rng.integers(0, 12, n), 0, fields - 1)
        steps = np.array(
            [0, 1, 1 / 2, 3 / 4, 7 / 8, 15 / 16, 127 / 128, 1 / 32, 7 / 32, 13 / 32, 11 / 16]
        )
        if self.fmt.tensor_scale is False and self.fmt.scale.mantissa_width:
            width = self.fmt.scale.mantissa_width
            middles = (np.arange(1, 4 << width) + 0.5) * self.fmt.element.largest
            steps = np.concatenate([steps, np.frexp(middles)[0] * 2 - 1])
        part = np.where(
            self.rng.random(n) < 0.7,
            (self.rng.choice(steps, n) * spread).astype(np.int64) + self.rng.integers(-1, 2, n),
            self.rng.integers(0, spread, n),
        )
        codes = field * spread + part
        if like is not None:
            codes = np.minimum(codes, like)
        return np.clip(codes, 0, self.infinity - 1)

    def random(self, n: int) -> Groups:
        """``n`` groups of all kinds over the whole range of exponents, some with a NaN or Inf."""
        spread = 1 << self.mantissa
        fields = self.infinity // spread
        shape = (n, self.group)
        codes = self.rng.integers(0, self.infinity, shape)
        kind = self.rng.integers(0, len(KINDS), n)[:, None]
        near = np.clip(
            self.rng.integers(0, fields, (n, 1)) - self.rng.integers(0, 9, shape), 0, fields - 1
        )
        codes = np.where(kind == 0, codes, near * spread + codes % spread)
        gauss = np.abs(self.rng.standard_normal(shape)) * 2.0 ** self.rng.integers(-20, 20, (n, 1))
        codes = np.where(
            kind == 2, np.clip(nearest_code(gauss, self.source), 0, self.infinity - 1), codes
        )
        codes = np.where((kind == 3) & (self.rng.random(shape) < 0.9), 0, codes)
        signs = self.rng.random(shape) < self.rng.choice([0, 0.5, 0.5, 0.5, 1], (n, 1))
        codes |= np.where(signs, self.top, 0)
        rows = np.flatnonzero(self.rng.random(n) < 0.03)
        special = self.infinity + self.rng.integers(0, spread, len(rows)) * self.rng.integers(
            0, 2, len(rows)
        )
        codes[rows, self.rng.integers(0, self.group, len(rows))] = special | np.where(
            self.rng.random(len(rows)) < 0.5, self.top, 0
        )
        zeros = self.rng.random(n) < 0.01
        codes[zeros] &= self.top
        return self.groups(codes)

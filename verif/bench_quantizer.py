"""Stimuli for a quantizer: groups of floats, and what golden expects of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen.conversion import Quantization
from golden.quantizer import quantize_blocks
from verif.bench import binary, pack

KINDS = ("patterns", "near", "gaussian", "sparse")


def to_float32(codes: np.ndarray, source: str) -> np.ndarray:
    """Codes of a source format as float32, exactly.

    >>> to_float32(np.array([0x3F80], np.uint16), "bf16").tolist()
    [1.0]
    """
    if source != "fp16":
        bits = codes.astype(np.uint32) << (16 if source == "bf16" else 0)
        return bits.view(np.float32)
    return codes.astype(np.uint16).view(np.float16).astype(np.float32)


def nearest_code(x: np.ndarray, source: str) -> np.ndarray:
    """The source's magnitude code at or just below float64 magnitudes, finite."""
    if source == "fp16":
        codes = np.minimum(x, 65504.0).astype(np.float16)
        bits = codes.view(np.uint16).astype(np.int64)
        return bits - (codes.astype(np.float64) > x)
    codes = np.minimum(x, float(np.finfo(np.float32).max)).astype(np.float32)
    bits = codes.view(np.uint32).astype(np.int64) - (codes.astype(np.float64) > x)
    return bits >> 16 if source == "bf16" else bits


@dataclass
class Groups:
    """N groups of floats, codes (N, group); ``outside``: float32 (N,), the tensor scale or the
    given scale, or None."""

    configuration: Quantization
    codes: np.ndarray
    outside: np.ndarray | None = None

    @property
    def port(self) -> str | None:
        """The port of what comes from outside."""
        fmt = self.configuration.fmt
        return "i_tensor_scale" if fmt.tensor_scale else None if fmt.has_block_scale else "i_scale"

    @cached_property
    def expected(self):
        """Golden's results."""
        fmt = self.configuration.fmt
        name = "tensor_scales" if fmt.tensor_scale else "scales"
        outside = {} if self.outside is None else {name: self.outside}
        return quantize_blocks(to_float32(self.codes, self.configuration.source), fmt, **outside)

    @property
    def beats(self) -> int:
        """Transfers a group takes."""
        return self.configuration.group // self.configuration.lanes

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the output ports."""
        fmt = self.configuration.fmt
        names = ("o_elems", "o_scales") if fmt.has_block_scale else ("o_elems", "o_invalid")
        names += ("o_macro",) if fmt.macro else ()
        return names + (("o_last",) if self.beats > 1 else ())

    @property
    def results(self) -> int:
        return len(self.codes) * self.beats

    def __len__(self) -> int:
        return len(self.codes) * self.beats

    def slice(self, rows) -> "Groups":
        """Some of the groups."""
        rows = np.unique(np.asarray(rows) // self.beats)
        outside = None if self.outside is None else self.outside[rows]
        return Groups(self.configuration, self.codes[rows], outside)

    def columns(self) -> dict[str, list[int]]:
        """The values of every input port, transfer after transfer."""
        width = 32 if self.configuration.source == "fp32" else 16
        columns = {"i_x": pack(self.codes.reshape(len(self), -1), width)}
        if self.port:
            assert self.outside is not None
            columns[self.port] = np.repeat(self.outside.view(np.uint32), self.beats).tolist()
        return columns

    def expectations(self) -> list[tuple[str, ...]]:
        """The results as the simulator should show them."""
        fmt = self.configuration.fmt
        codes, scales, macro, special = self.expected
        n, beats = len(self.codes), self.beats
        lanes = codes.reshape(n * beats, -1)
        columns = [
            [f"{v:0{lanes.shape[1] * fmt.element.width}b}" for v in pack(lanes, fmt.element.width)]
        ]
        if fmt.has_block_scale:
            words = [f"{v:0{8 * scales.shape[1]}b}" for v in pack(scales.astype(np.uint8), 8)]
        else:
            words = binary(special, 1)
        columns.append([word for word in words for _ in range(beats)])
        if macro is not None:
            columns.append([word for word in binary(macro, 8) for _ in range(beats)])
        if beats > 1:
            columns.append(
                ["1" if beat == beats - 1 else "0" for _ in range(n) for beat in range(beats)]
            )
        return list(zip(*columns))

    def describe(self, result: int, got: tuple[str, ...]) -> str:
        """What went into one result, decoded, with what was expected and got."""
        group = result // self.beats
        fmt, source = self.configuration.fmt, self.configuration.source
        x = to_float32(self.codes[group], source)
        codes = self.expected[0][group]
        lines = [
            f"x {source}: "
            + " ".join(f"{int(c):x}={float(v)!r}" for c, v in zip(self.codes[group], x))
        ]
        if self.outside is not None:
            lines.append(f"{self.port}: {float(self.outside[group])!r}")
        lines.append(f"expected codes {codes.tolist()}")
        for name, want, bits in zip(self.outputs, self.expectations()[result], got):
            lines.append(f"{name}: expected {want}, got {bits}")
        width = fmt.element.width
        if set(got[0]) <= {"0", "1"}:
            words = [got[0][i : i + width] for i in range(0, len(got[0]), width)]
            lines.append(f"got codes {[int(word, 2) for word in reversed(words)]}")
        return "\n".join(lines)


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

"""Stimuli for a dequantizer: groups of codes with their factors, and what golden expects."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from gen.conversion import Dequantization
from golden.binary32 import to_bf16
from golden.dequantizer import dequantize_blocks
from verif.bench import pack

TURNS = 3  # lanes that every element code is in
SMALL = 0.4  # of the binary32 scales make many products subnormal
RARE = 0.03  # of the random scales are any code, NaN included


@dataclass
class Codes:
    """N groups: element codes (N, group), scale codes (N, blocks * sides), the binary32 bits from
    outside (N,), which are a tensor scale or the given scale, and macro-block factors (N,)."""

    configuration: Dequantization
    codes: np.ndarray
    scales: np.ndarray | None = None
    outside: np.ndarray | None = None
    macro: np.ndarray | None = None

    outputs = ("o_x",)

    @cached_property
    def expected(self) -> np.ndarray:
        """Golden's results, as bits (N, group)."""
        fmt = self.configuration.fmt
        scales, t = self.scales, None
        if scales is not None:  # the top bit of a byte may mean nothing
            scales = scales & np.uint8(
                (1 << fmt.scale.exponent_width + fmt.scale.mantissa_width) - 1
            )
        if self.outside is not None:
            outside = self.outside.view(np.float32)
            scales, t = (scales, outside) if fmt.tensor_scale else (outside, None)
        bits = dequantize_blocks(self.codes, fmt, scales, t, self.macro).view(np.uint32)
        return to_bf16(bits) if self.configuration.out == "bf16" else bits

    @property
    def results(self) -> int:
        return len(self)

    def __len__(self) -> int:
        return len(self.codes)

    def slice(self, rows) -> "Codes":
        """Some of the groups."""
        arrays = [getattr(self, field.name) for field in fields(self)[1:]]
        return Codes(self.configuration, *(x if x is None else x[rows] for x in arrays))

    def columns(self) -> dict[str, list[int]]:
        """The values of every input port, group after group."""
        fmt = self.configuration.fmt
        columns = {"i_elems": pack(self.codes, fmt.element.width)}
        if self.scales is not None:
            columns["i_scales"] = pack(self.scales, fmt.scale.width)
        if self.outside is not None:
            columns["i_tensor_scale" if fmt.tensor_scale else "i_scale"] = self.outside.tolist()
        if self.macro is not None:
            columns["i_macro"] = self.macro.tolist()
        return columns

    def expectations(self) -> list[tuple[str, ...]]:
        """The results as the simulator should show them."""
        width = 16 if self.configuration.out == "bf16" else 32
        digits = self.codes.shape[1] * width
        return [(f"{word:0{digits}b}",) for word in pack(self.expected, width)]

    def describe(self, result: int, got: tuple[str, ...]) -> str:
        """What went into the first wrong lane of one group, with what was expected and got."""
        fmt, want = self.configuration.fmt, self.expected[result].tolist()
        width = len(got[0]) // len(want)
        words = [got[0][i : i + width] for i in range(0, len(got[0]), width)][::-1]
        lane = next(k for k, word in enumerate(words) if word != f"{want[k]:0{width}b}")
        code = int(self.codes[result, lane])
        lines = [f"lane {lane}: {fmt.element.name} code {code:x}, {fmt.element.values[code]:g}"]
        if self.scales is not None:
            lines.append(f"scales {fmt.scale.name}: {self.scales[result].tolist()}")
        if self.outside is not None:
            value = self.outside[result : result + 1].view(np.float32)[0]
            lines.append(f"binary32 scale {self.outside[result]:08x}, {float(value)!r}")
        if self.macro is not None:
            lines.append(f"macro factor code {self.macro[result]}")
        return "\n".join([*lines, f"expected {want[lane]:x}", f"got binary {words[lane]}"])


class DequantizerStimuli:
    """What a dequantizer is driven with; each method returns Codes."""

    def __init__(self, configuration: Dequantization, rng: np.random.Generator):
        self.configuration, self.rng = configuration, rng
        self.fmt, self.group = configuration.fmt, configuration.group
        self.count = 1 << self.fmt.element.width
        self.dtype = np.uint8 if self.count <= 256 else np.uint16
        block = self.fmt.block_size if self.fmt.has_block_scale else None
        self.per_group = self.group // (block or self.group) * self.fmt.sides

    def every(self) -> Codes:
        """Every element code in several lanes, with every scale code on every side."""
        rows = self.every_element()
        if self.fmt.scale is None:
            return Codes(self.configuration, rows)
        if not self.fmt.has_block_scale:  # all exponents and signs, several significands each
            factors = np.arange(512, dtype=np.uint32) << 23
            factors = np.concatenate([factors, factors | self.fractions(512)])
            rows, chosen = (x.ravel() for x in np.indices((len(rows), len(factors))))
            codes = self.every_element()[rows]
            return Codes(self.configuration, codes, outside=factors[chosen])
        turns = len(rows)
        rows, scale, side = (x.ravel() for x in np.indices((turns, 256, self.fmt.sides)))
        scales = self.scales(len(rows))
        block = self.rng.integers(0, self.per_group // self.fmt.sides, len(rows))
        scales[np.arange(len(rows)), block * self.fmt.sides + side] = scale
        return self.codes(self.every_element()[rows], scales)

    def every_element(self) -> np.ndarray:
        """Groups (n, group) that hold every code in some lanes."""
        codes = np.arange(max(self.count, self.group)) % self.count
        codes = np.append(codes, codes[: -len(codes) % self.group]).reshape(-1, self.group)
        turned = [np.roll(codes, turn * self.group // TURNS, axis=1) for turn in range(TURNS)]
        return np.concatenate(turned).astype(self.dtype)

    def random(self, n: int) -> Codes:
        """``n`` groups of any codes and any factors."""
        codes = self.rng.integers(0, self.count, (n, self.group)).astype(self.dtype)
        return self.codes(codes, self.scales(n) if self.fmt.has_block_scale else None)

    def codes(self, codes: np.ndarray, scales: np.ndarray | None) -> Codes:
        """Groups of these codes, with what comes from outside drawn."""
        n, fmt = len(codes), self.fmt
        outside = macro = None
        if fmt.tensor_scale or (fmt.scale is not None and not fmt.has_block_scale):
            sign = self.rng.integers(0, 2, n).astype(np.uint32) << 31
            small = self.rng.random(n) < SMALL
            exponent = self.rng.integers(0, np.where(small, 16, 256)).astype(np.uint32) << 23
            outside = sign | exponent | self.fractions(n)
        if fmt.macro is not None:
            macro = self.rng.integers(0, 1 << fmt.macro.factor.width, n).astype(np.uint8)
        return Codes(self.configuration, codes, scales, outside, macro)

    def scales(self, n: int) -> np.ndarray:
        """Scale codes (n, blocks * sides), nearly all of them finite."""
        scale = self.fmt.scale
        finite = np.flatnonzero(np.isfinite(scale.values)).astype(np.uint8)
        shape = (n, self.per_group)
        chosen = self.rng.choice(finite, shape)
        odd = self.rng.random(shape) < RARE / self.per_group
        return np.where(odd, self.rng.integers(0, 256, shape), chosen).astype(np.uint8)

    def fractions(self, n: int) -> np.ndarray:
        """Fractions of binary32: any, and those of few bits, which products tie on."""
        bits = self.rng.integers(0, 1 << 23, n)
        few = bits >> self.rng.integers(0, 24, n) << self.rng.integers(0, 24, n) & 0x7FFFFF
        kinds = [np.zeros(n, np.int64), bits, few, 0x7FFFFF ^ few]
        return np.choose(self.rng.integers(0, len(kinds), n), kinds).astype(np.uint32)

"""Groups of floats for a quantizer: how they are driven, and what golden expects of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen.conversion import Quantization
from golden.quantizer import quantize_blocks
from verif.bench import binary, pack


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

"""Steps of a mac: operands, accumulator, and what golden expects; alone and in chains."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from golden.formats import BlockFormat
from verif.bench import binary, decoded, pack
from verif.bench_step import after_step


@dataclass
class Steps:
    """N chains of L steps. A step is a dot product of K added to the accumulator.

    ``a_codes``, ``b_codes``: (N, L, K); ``a_scales``, ``b_scales``: (N, L, blocks[, 2]); ``c``:
    (N, L) bits, of which only a chain's first counts; ``last``: (N, L), whether a result leaves
    after the step. Scales of a format without have no blocks. ``fraction``: F of fp32 if not the
    pair's own.
    """

    fa: BlockFormat
    fb: BlockFormat
    acc: str
    fraction: int | None
    a_codes: np.ndarray
    a_scales: np.ndarray
    b_codes: np.ndarray
    b_scales: np.ndarray
    c: np.ndarray
    last: np.ndarray

    outputs = ("o_d",)

    @classmethod
    def single(cls, fa, fb, acc, fraction, a_codes, a_scales, b_codes, b_scales, c) -> "Steps":
        """N chains of one step each, from arrays without the axis L."""
        arrays = [np.asarray(x)[:, None] for x in (a_codes, a_scales, b_codes, b_scales, c)]
        return cls(fa, fb, acc, fraction, *arrays, np.ones((len(c), 1), bool))

    @classmethod
    def concatenated(cls, parts: list["Steps"]) -> "Steps":
        """Chains of one length, one part after the other."""
        names = [f.name for f in fields(cls)][4:]
        arrays = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        first = parts[0]
        return cls(first.fa, first.fb, first.acc, first.fraction, *arrays)

    @cached_property
    def expected(self) -> np.ndarray:
        """The accumulator after every step, (N, L) bits."""
        after, acc = np.empty(self.c.shape, np.uint32), self.c[:, 0]
        for i in range(self.c.shape[1]):
            operands = (x[:, i] for x in self._operands)
            after[:, i] = acc = after_step(self.fa, self.fb, self.acc, operands, acc, self.fraction)
        return after

    @property
    def _operands(self) -> tuple[np.ndarray, ...]:
        return self.a_codes, self.a_scales, self.b_codes, self.b_scales

    @property
    def results(self) -> int:
        """How many results leave."""
        return int(self.last.sum())

    def __len__(self) -> int:
        """How many steps there are."""
        return self.c.size

    def with_c(self, c: np.ndarray) -> "Steps":
        """Single steps with another accumulator (N,)."""
        return replace(self, c=c.astype(np.uint32)[:, None])

    def slice(self, rows) -> "Steps":
        """Some of the chains."""
        arrays = (getattr(self, f.name)[rows] for f in fields(self)[4:])
        return Steps(self.fa, self.fb, self.acc, self.fraction, *arrays)

    def chained(self, length: int, rng: np.random.Generator) -> "Steps":
        """The same steps in chains, with a result after the last and after some of the others."""
        count = len(self) // length
        arrays = (
            x.reshape(len(self), *x.shape[2:])[: count * length] for x in (*self._operands, self.c)
        )
        arrays = (x.reshape(count, length, *x.shape[1:]) for x in arrays)
        last = rng.random((count, length)) < 0.3
        last[:, -1] = True
        return Steps(self.fa, self.fb, self.acc, self.fraction, *arrays, last)

    def columns(self) -> dict[str, list[int]]:
        """The values of every input port, step after step."""
        first = np.zeros(self.c.shape, np.uint8)
        first[:, 0] = 1
        ports = {"i_first": (first, 1), "i_last": (self.last.astype(np.uint8), 1)}
        ports["i_c"] = (self.c, 32)
        for name, fmt in (("a", self.fa), ("b", self.fb)):
            ports[f"i_{name}_elems"] = (getattr(self, f"{name}_codes"), fmt.element.width)
            if fmt.has_block_scale:
                ports[f"i_{name}_scales"] = (getattr(self, f"{name}_scales"), 8)
        return {name: pack(x.reshape(len(self), -1), width) for name, (x, width) in ports.items()}

    def expectations(self) -> list[tuple[str, ...]]:
        """The results as the simulator should show them."""
        return [(bits,) for bits in binary(self.expected[self.last], 32)]

    def describe(self, result: int, got: tuple[str, ...]) -> str:
        """What went into one result, decoded, with what was expected and got."""
        chain, step = (int(i[result]) for i in np.nonzero(self.last))
        start = self.c[chain, 0] if step == 0 else self.expected[chain, step - 1]
        lines = [f"step {step + 1} of {self.c.shape[1]} of its chain"]
        for name, fmt in (("a", self.fa), ("b", self.fb)):
            lines += decoded(
                f"{name} codes ", fmt.element, getattr(self, f"{name}_codes")[chain, step]
            )
            if fmt.has_block_scale:
                scales = getattr(self, f"{name}_scales")[chain, step]
                lines += decoded(f"{name} scales", fmt.scale, scales)
        return "\n".join(lines + compared(self.acc, start, self.expected[chain, step], got[0]))


def compared(acc: str, before: int, expected: int, got: str) -> list[str]:
    """Lines that show an accumulator before and after a step, and the bits that came instead.

    >>> compared("int32", 0, 0xFFFFFFFE, "x" * 32)[1]
    'expected           fffffffe  -2'
    """
    value = show_integer if acc == "int32" else show
    seen = value(int(got, 2)) if set(got) <= {"0", "1"} else got
    lines = [f"accumulator before {value(before)}", f"expected           {value(expected)}"]
    return [*lines, f"got                {seen}"]


def show_integer(bits: int) -> str:
    """An integer of 32 bits in hex and in two's complement.

    >>> show_integer(0xFFFFFFFE)
    'fffffffe  -2'
    """
    return f"{int(bits):08x}  {int(np.uint32(bits).view(np.int32))}"


def show(bits: int) -> str:
    """Binary32 bits in hex and decoded.

    >>> show(0xC0200000)
    'c0200000  -2.5'
    """
    return f"{int(bits):08x}  {float(np.uint32(bits).view(np.float32))!r}"

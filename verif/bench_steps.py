"""Steps of a mac: operands, accumulator, and what golden expects; alone and in chains."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from golden.arith import mac_step
from golden.formats import BlockFormat
from verif.bench import binary, decoded, pack


@dataclass
class Steps:
    """N chains of L steps. A step is a dot product of K added to the accumulator.

    ``a_codes``, ``b_codes``: (N, L, K); ``a_scales``, ``b_scales``: (N, L, blocks[, 2]); ``c``:
    (N, L) binary32 bits, of which only a chain's first counts; ``last``: (N, L), whether a result
    leaves after the step.
    """

    fa: BlockFormat
    fb: BlockFormat
    a_codes: np.ndarray
    a_scales: np.ndarray
    b_codes: np.ndarray
    b_scales: np.ndarray
    c: np.ndarray
    last: np.ndarray

    outputs = ("o_d",)

    @classmethod
    def single(cls, fa, fb, a_codes, a_scales, b_codes, b_scales, c) -> "Steps":
        """N chains of one step each, from arrays without the axis L."""
        arrays = [np.asarray(x)[:, None] for x in (a_codes, a_scales, b_codes, b_scales, c)]
        return cls(fa, fb, *arrays, np.ones((len(c), 1), bool))

    @classmethod
    def concatenated(cls, parts: list["Steps"]) -> "Steps":
        """Chains of one length, one part after the other."""
        names = [f.name for f in fields(cls)][2:]
        arrays = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        return cls(parts[0].fa, parts[0].fb, *arrays)

    @cached_property
    def expected(self) -> np.ndarray:
        """The accumulator after every step, (N, L) binary32 bits."""
        after, acc = np.empty(self.c.shape, np.uint32), self.c[:, 0]
        for i in range(self.c.shape[1]):
            operands = (x[:, i] for x in self._operands)
            after[:, i] = acc = mac_step(self.fa, self.fb, *operands, acc)
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
        arrays = (getattr(self, f.name)[rows] for f in fields(self)[2:])
        return Steps(self.fa, self.fb, *arrays)

    def chained(self, length: int, rng: np.random.Generator) -> "Steps":
        """The same steps in chains, with a result after the last and after some of the others."""
        count = len(self) // length
        arrays = (
            x.reshape(-1, *x.shape[2:])[: count * length].reshape(count, length, *x.shape[2:])
            for x in (*self._operands, self.c)
        )
        last = rng.random((count, length)) < 0.3
        last[:, -1] = True
        return Steps(self.fa, self.fb, *arrays, last)

    def columns(self) -> dict[str, list[int]]:
        """The values of every input port, step after step."""
        first = np.zeros(self.c.shape, np.uint8)
        first[:, 0] = 1
        ports = {"i_first": (first, 1), "i_last": (self.last.astype(np.uint8), 1)}
        ports["i_c"] = (self.c, 32)
        for name, fmt in (("a", self.fa), ("b", self.fb)):
            ports[f"i_{name}_elems"] = (getattr(self, f"{name}_codes"), fmt.element.width)
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
            lines += decoded(
                f"{name} scales", fmt.scale, getattr(self, f"{name}_scales")[chain, step]
            )
        lines.append(f"accumulator before {show(start)}")
        lines.append(f"expected           {show(self.expected[chain, step])}")
        known = set(got[0]) <= {"0", "1"}
        lines.append(f"got                {show(int(got[0], 2)) if known else got[0]}")
        return "\n".join(lines)


def show(bits: int) -> str:
    """Binary32 bits in hex and decoded.

    >>> show(0xC0200000)
    'c0200000  -2.5'
    """
    return f"{int(bits):08x}  {float(np.uint32(bits).view(np.float32))!r}"

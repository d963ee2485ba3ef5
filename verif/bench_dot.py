"""Stimuli for a dot unit: pairs of code vectors, and what golden expects of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from golden.arith import DotResult, dot
from golden.formats import BlockFormat
from verif.bench import binary, decoded, pack
from verif.bench_codes import Elements, every_pair

SUMS = {
    (1, 1): ("o_sum",),
    (1, 2): ("o_sum_p", "o_sum_n"),
    (2, 1): ("o_sum_p", "o_sum_n"),
    (2, 2): ("o_sum_pp", "o_sum_pn", "o_sum_np", "o_sum_nn"),
}
FLAGS = ("o_nan", "o_pos_inf", "o_neg_inf")


@dataclass
class Vectors:
    """N pairs of code vectors, (N, K) each; ``widths``: of the output ports, by name."""

    fa: BlockFormat
    fb: BlockFormat
    a_codes: np.ndarray
    b_codes: np.ndarray
    widths: dict[str, int]

    @cached_property
    def expected(self) -> DotResult:
        """Golden's results."""
        return dot(self.fa, self.fb, self.a_codes, self.b_codes)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the output ports."""
        flags = FLAGS if self.fa.element.has_nan or self.fb.element.has_nan else ()
        return SUMS[self.fa.sides, self.fb.sides] + flags

    @property
    def results(self) -> int:
        return len(self)

    def __len__(self) -> int:
        return len(self.a_codes)

    def slice(self, rows) -> "Vectors":
        """Some of the pairs."""
        return Vectors(self.fa, self.fb, self.a_codes[rows], self.b_codes[rows], self.widths)

    def columns(self) -> dict[str, list[int]]:
        """The values of every input port, vector after vector."""
        return {
            "i_a_elems": pack(self.a_codes, self.fa.element.width),
            "i_b_elems": pack(self.b_codes, self.fb.element.width),
        }

    def expectations(self) -> list[tuple[str, ...]]:
        """The results as the simulator should show them."""
        names, result = self.outputs, self.expected
        columns = [*np.moveaxis(result.sums, -1, 0), result.nan, result.pos_inf, result.neg_inf]
        return list(zip(*(binary(x, self.widths[name]) for name, x in zip(names, columns))))

    def describe(self, result: int, got: tuple[str, ...]) -> str:
        """What went into one result, decoded, with what was expected and got."""
        lines = []
        for name, fmt in (("a", self.fa), ("b", self.fb)):
            lines += decoded(f"{name} codes", fmt.element, getattr(self, f"{name}_codes")[result])
        for name, want, bits in zip(self.outputs, self.expectations()[result], got):
            lines.append(f"{name}: expected {signed(want)}, got {signed(bits)}")
        return "\n".join(lines)


def signed(bits: str) -> str:
    """Bits as a simulator shows them: hex, and as a two's complement integer.

    >>> signed("1110")
    '0xe (-2)'
    """
    if not set(bits) <= {"0", "1"}:
        return bits
    value = int(bits, 2)
    return f"{value:#x} ({value - (int(bits[0]) << len(bits)) if len(bits) > 1 else value})"


class DotStimuli:
    """What a dot unit of one pair and K is driven with; each method returns Vectors."""

    def __init__(self, fa, fb, k, rng: np.random.Generator, widths: dict[str, int]):
        self.fa, self.fb, self.k, self.rng, self.widths = fa, fb, k, rng, widths
        self.a, self.b = Elements(fa, k, rng), Elements(fb, k, rng)

    def vectors(self, a_codes: np.ndarray, b_codes: np.ndarray) -> Vectors:
        return Vectors(self.fa, self.fb, a_codes, b_codes, self.widths)

    def pairs(self) -> Vectors:
        """Every pair of element codes."""
        return self.vectors(*every_pair(self.a, self.b, ordered=False))

    def corners(self) -> Vectors:
        """The largest and smallest sums: every lane one code, of both ends and about zero."""
        ends = []
        for x in (self.a, self.b):
            values = self.fa.element.values if x is self.a else self.fb.element.values
            order = x.finite[np.argsort(values[x.finite])]
            ends.append(np.unique([*order[:3], *order[-3:], x.zero, *x.by_magnitude[:4]]))
        grid = np.stack(np.meshgrid(*ends), -1).reshape(-1, 2)
        every = np.ones((1, self.k), np.uint8)
        return self.vectors(
            grid[:, :1].astype(np.uint8) * every, grid[:, 1:].astype(np.uint8) * every
        )

    def random(self, n: int) -> Vectors:
        """``n`` vector pairs: any codes, finite ones, near ones, sparse ones; shuffled."""
        kinds = (Elements.any, Elements.uniform, Elements.near, Elements.sparse)
        draws = []
        for i, kind in enumerate(kinds):
            size = n // len(kinds) + (i < n % len(kinds))
            other = Elements.uniform if kind is Elements.sparse else kind
            draws.append((kind(self.a, size), other(self.b, size)))
        order = self.rng.permutation(n)
        return self.vectors(*(np.concatenate(codes)[order] for codes in zip(*draws)))

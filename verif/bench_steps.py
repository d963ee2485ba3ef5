"""Steps of a mac: operands, accumulator start, and what golden expects; chains of them."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from golden.arith import mac_step
from golden.formats import BlockFormat
from verif.bench import binary, pack


@dataclass
class Steps:
    """N chains of L steps. Each step is a dot product of K added to the accumulator.

    ``a_codes``, ``b_codes``: (N, L, K); ``a_scales``, ``b_scales``: (N, L, blocks[, 2]); ``c``: (N, L) binary32 bits,
    of which only a chain's first counts; ``last``: (N, L), whether a result leaves after the step.
    """

    fa: BlockFormat
    fb: BlockFormat
    a_codes: np.ndarray
    a_scales: np.ndarray
    b_codes: np.ndarray
    b_scales: np.ndarray
    c: np.ndarray
    last: np.ndarray

    @classmethod
    def single(cls, fa, fb, a_codes, a_scales, b_codes, b_scales, c) -> "Steps":
        """N chains of one step each, from arrays without the axis L."""
        arrays = [np.asarray(x)[:, None] for x in (a_codes, a_scales, b_codes, b_scales, c)]
        return cls(fa, fb, *arrays, np.ones((len(c), 1), bool))

    @cached_property
    def expected(self) -> np.ndarray:
        """The accumulator after every step, (N, L) binary32 bits."""
        after, acc = np.empty(self.c.shape, np.uint32), self.c[:, 0]
        for i in range(self.c.shape[1]):
            arrays = (x[:, i] for x in (self.a_codes, self.a_scales, self.b_codes, self.b_scales))
            acc = mac_step(self.fa, self.fb, *arrays, acc)
            after[:, i] = acc
        return after

    @property
    def results(self) -> int:
        """How many results leave."""
        return int(self.last.sum())

    def __len__(self) -> int:
        """How many steps there are."""
        return self.c.size

    def slice(self, rows) -> "Steps":
        """Some of the chains."""
        arrays = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in ("fa", "fb")}
        return Steps(self.fa, self.fb, **arrays)

    def chained(self, length: int, rng: np.random.Generator) -> "Steps":
        """The same steps in chains of ``length``, a result after the last and after some of the others."""
        count = len(self) // length
        arrays = [
            x.reshape(-1, *x.shape[2:])[: count * length].reshape(count, length, *x.shape[2:])
            for x in (self.a_codes, self.a_scales, self.b_codes, self.b_scales, self.c)
        ]
        last = rng.random((count, length)) < 0.3
        last[:, -1] = True
        return Steps(self.fa, self.fb, *arrays, last)

    def columns(self) -> tuple[list[str], list[list[int]]]:
        """Names of the input ports and their values, step after step."""
        first = np.zeros(self.c.shape, np.uint8)
        first[:, 0] = 1
        ports = {"i_first": (first, 1), "i_last": (self.last.astype(np.uint8), 1), "i_c": (self.c, 32)}
        for name, fmt in (("a", self.fa), ("b", self.fb)):
            ports[f"i_{name}_elems"] = (getattr(self, f"{name}_codes"), fmt.element.width)
            ports[f"i_{name}_scales"] = (getattr(self, f"{name}_scales"), 8)
        return list(ports), [pack(x.reshape(len(self), -1), width) for x, width in ports.values()]

    def outputs(self) -> list[tuple[str, ...]]:
        """The results as the simulator should show them."""
        return [(bits,) for bits in binary(self.expected[self.last], 32)]

    def describe(self, result: int, got: str) -> str:
        """What went into one result, decoded, with what was expected and got."""
        chain, step = (int(i[result]) for i in np.nonzero(self.last))
        lines = [f"chain {chain}, step {step} of {self.c.shape[1]}"]
        start = self.c[chain, 0] if step == 0 else self.expected[chain, step - 1]
        for name, fmt in (("a", self.fa), ("b", self.fb)):
            codes, scales = getattr(self, f"{name}_codes")[chain, step], getattr(self, f"{name}_scales")[chain, step]
            lines += [f"{name} {fmt.name} codes  {codes.tobytes().hex(' ')}"]
            lines += [f"{name} values {' '.join(f'{v:g}' for v in fmt.element.values[codes])}"]
            values = fmt.scale.values[scales & 0x7F if fmt.scale.width == 8 and fmt.scale.mantissa_width else scales]
            lines += [f"{name} scales {scales.tobytes().hex(' ')}  {' '.join(f'{v:g}' for v in values.ravel())}"]
        lines.append(f"accumulator before {show(start)}")
        lines.append(f"expected           {show(self.expected[chain, step])}")
        known = set(got) <= {"0", "1"}
        lines.append(f"got                {show(int(got, 2)) if known else got}")
        return "\n".join(lines)


def show(bits: int) -> str:
    """Binary32 bits in hex and decoded."""
    return f"{int(bits):08x}  {float(np.uint32(bits).view(np.float32))!r}"

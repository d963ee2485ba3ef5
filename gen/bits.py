"""Vectors of bits of named wires and constants, cut, joined and extended."""

from __future__ import annotations

from collections.abc import Iterable

Chunk = tuple[str, int, int]
"""(wire, lowest bit, width), or ("", value, width) for a constant."""

Spec = tuple[Chunk, ...]
"""A vector, as chunks from the low bits up."""


def constant(value: int, width: int) -> Spec:
    """A constant vector, of the value's low bits."""
    return (("", value & ((1 << width) - 1), width),) if width else ()


def wire(name: str, width: int, low: int = 0) -> Spec:
    """Bits of a wire."""
    return ((name, low, width),)


def width_of(spec: Spec) -> int:
    """The number of bits of a vector."""
    return sum(width for _, _, width in spec)


def value_of(spec: Spec) -> int | None:
    """The value of a constant vector whose neighbours are joined, else None."""
    if not spec:
        return 0
    return spec[0][1] if len(spec) == 1 and not spec[0][0] else None


def joined(chunks: Iterable[Chunk]) -> Spec:
    """A vector of ``chunks``; neighbouring bits of one wire, and constants, become one chunk."""
    result: list[Chunk] = []
    for name, low, width in chunks:
        if not width:
            continue
        before = result[-1] if result else ("", 0, 0)
        if before[2] and before[0] == name == "":
            result[-1] = ("", before[1] | low << before[2], before[2] + width)
        elif before[2] and before[0] == name and before[1] + before[2] == low:
            result[-1] = (name, before[1], before[2] + width)
        else:
            result.append((name, low, width))
    return tuple(result)


def sliced(spec: Spec, low: int, width: int) -> Spec:
    """Bits ``low`` up of a vector, as many as there are up to ``width``."""
    result = []
    for name, start, size in spec:
        first, last = max(low, 0), min(low + width, size)
        if first < last:
            mask = (1 << (last - first)) - 1
            inner = start + first if name else start >> first & mask
            result.append((name, inner, last - first))
        low -= size
    return joined(result)


def extended(spec: Spec, width: int, signed: bool = False) -> Spec:
    """A vector extended or cut to ``width`` bits."""
    missing = width - width_of(spec)
    if missing <= 0:
        return sliced(spec, 0, width)
    top = sliced(spec, width_of(spec) - 1, 1) if signed and spec else constant(0, 1)
    return joined([*spec, *top * missing])


def renamed(spec: Spec, names: dict[str, str]) -> Spec:
    """A vector with other names for its wires."""
    return tuple((names.get(name, name), low, width) for name, low, width in spec)

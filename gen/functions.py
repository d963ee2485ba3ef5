"""Boolean functions as Liberty writes them, turned into truth tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\].]*|[01!'^&*|+()])")


def variable(index: int, count: int) -> int:
    """The truth table of input `index` among `count`: bit r is that input's value in row r."""
    return sum(1 << row for row in range(1 << count) if row >> index & 1)


def truth_table(text: str, inputs: Sequence[str]) -> int | None:
    """The table of expression `text` over `inputs`, the first input in the row number's lowest bit.

    ``!x`` and ``x'`` negate; then, from tight to loose, ``^``; ``&``, ``*`` or nothing; ``|`` or
    ``+``. None when the expression names something that is no input, as a flip-flop's state.

    >>> bin(truth_table("!(A B)", ["A", "B"]))
    '0b111'
    """
    tokens = _tokens(text)
    ones = (1 << (1 << len(inputs))) - 1
    names = {name: variable(index, len(inputs)) for index, name in enumerate(inputs)}
    if any((token[0].isalpha() or token[0] == "_") and token not in names for token in tokens):
        return None

    def either() -> int:
        value = both()
        while tokens and tokens[0] in "|+":
            tokens.pop(0)
            value |= both()
        return value

    def both() -> int:
        value = differ()
        while tokens and tokens[0] not in "|+)":
            if tokens[0] in "&*":
                tokens.pop(0)
            value &= differ()
        return value

    def differ() -> int:
        value = atom()
        while tokens and tokens[0] == "^":
            tokens.pop(0)
            value ^= atom()
        return value

    def atom() -> int:
        token = tokens.pop(0) if tokens else ""
        if token == "!":
            return ones ^ atom()
        if token == "(":
            value = either()
            if not tokens or tokens.pop(0) != ")":
                raise ValueError(f"function {text!r} has an open parenthesis")
        elif token in names:
            value = names[token]
        elif token in ("0", "1"):
            value = ones * int(token)
        else:
            raise ValueError(f"function {text!r} is no expression")
        while tokens and tokens[0] == "'":
            tokens.pop(0)
            value ^= ones
        return value

    value = either()
    if tokens:
        raise ValueError(f"function {text!r} is no expression")
    return value


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"function {text!r} is no expression")
        tokens.append(match[1])
        position = match.end()
    return tokens

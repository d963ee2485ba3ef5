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


def expression(table: int, names: Sequence[str], inverse: str = "~{}") -> str:
    """The reverse: an expression in ``&``, ``|``, ``^`` and `inverse` of a truth table.

    Verilog and Python both read it; a constant is ``1'b0`` or ``1'b1``.

    >>> expression(truth_table("!(A B)", ["A", "B"]), ["A", "B"])
    '(~A | ~B)'
    >>> expression(truth_table("A^B^C", "ABC"), "ABC"), expression(0b0011, "AB", "!{}")
    ('((A ^ B) ^ C)', '!B')
    """
    rows = 1 << len(names)
    ones = (1 << rows) - 1
    if table in (0, ones):
        return f"1'b{table & 1}"
    rest, name = names[:-1], names[-1]
    half = ones >> rows // 2
    low, high = table & half, table >> rows // 2  # With the last input at 0, and at 1.
    if low == high:
        return expression(low, rest, inverse)
    not_name = inverse.format(name)
    if {low, high} == {0, half}:
        return name if high else not_name
    if low == half ^ high:
        return f"({expression(low, rest, inverse)} ^ {name})"

    def term(selector: str, cofactor: int) -> str:
        return (
            selector
            if cofactor == half
            else f"({selector} & {expression(cofactor, rest, inverse)})"
        )

    both = low & high
    terms = [expression(both, rest, inverse)] if both in (low, high) and both else []
    terms += [term(not_name, low)] if low != both else []
    terms += [term(name, high)] if high != both else []
    if both not in (0, low, high):
        terms = [term(not_name, low), term(name, high)]
    return terms[0] if len(terms) == 1 else f"({' | '.join(terms)})"

"""Verilog expressions: which operators are written inside others, and what the rest is called."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby

from .bits import Chunk, Spec, value_of, width_of
from .keywords import is_name
from .netlist import Netlist, Op

LARGEST_EXPRESSION = 6  # operands; more read better in two steps
LARGEST_DECIMAL = 1023

_UNSIGNED = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_SIGNED = {"smul": "*", "slt": "<", "sle": "<=", "sgt": ">", "sge": ">="}
_BINARY = {"and": "&", "or": "|", "xor": "^", "add": "+", "sub": "-", "mul": "*"}
_BINARY |= {"shl": "<<", "shr": ">>", "sshr": ">>>", "eq": "==", "ne": "!=", **_SIGNED, **_UNSIGNED}
_REDUCTION = {"any": "|", "all": "&", "parity": "^"}

# What an operator that needs a name is called, after the name of what it is for.
_WORDS = {
    "sum": ("add",),
    "difference": ("sub",),
    "product": ("mul", "smul"),
    "shifted": ("shl", "shr", "sshr"),
    "choice": ("mux",),
    "inverse": ("not",),
    "negative": ("neg",),
    "masked": ("and",),
    "merged": ("or",),
    "flipped": ("xor",),
    "less": ("lt", "slt"),
    "at_most": ("le", "sle"),
    "greater": ("gt", "sgt"),
    "at_least": ("ge", "sge"),
    "equal": ("eq",),
    "unequal": ("ne",),
}
_WORD = {kind: word for word, kinds in _WORDS.items() for kind in kinds}
_WORD_OF_BIT = {"and": "both", "or": "either", "xor": "differ"}


def literal(value: int, width: int) -> str:
    """A sized constant: decimal where that reads well, else hexadecimal."""
    if width == 1:
        return f"1'b{value}"
    return f"{width}'d{value}" if value <= LARGEST_DECIMAL else f"{width}'h{value:x}"


def runs(spec: Spec) -> list[tuple[Chunk, int]]:
    """The chunks of a vector from the high bits down, each with how often it repeats in a row."""
    return [(chunk, len(list(group))) for chunk, group in groupby(reversed(spec))]


class Expressions:
    """The text of every vector of a simplified netlist."""

    def __init__(self, netlist: Netlist, taken: set[str]):
        """``taken``: names that are not free."""
        self.netlist = netlist
        self.ops = netlist.ops
        self.order = netlist.order()
        self.folded = self._fold()
        self.names = self._name(set(taken))

    def _fold(self) -> set[str]:
        """Temporaries to write inside their user: their only one, which takes all their bits."""
        uses: Counter[str] = Counter()
        partial = set()
        specs = [spec for op in self.ops.values() for spec in op.operands]
        for spec in specs + [spec for _, spec in self.netlist.sinks()]:
            for (name, _, width), _ in runs(spec):
                uses[name] += 1
                if name in self.ops and width != self.ops[name].width:
                    partial.add(name)
        folded: set[str] = set()
        size: Counter[str] = Counter()
        for name in self.order:
            op = self.ops[name]
            leaves = [source for spec in op.operands for (source, _, _), _ in runs(spec)]
            size[name] = sum(size[source] if source in folded else 1 for source in leaves)
            # Signed results would turn unsigned among others: they are written on their own.
            if not name.startswith("$") or name in partial or op.kind in ("smul", "sshr"):
                continue
            inverter = op.kind == "not" and len(leaves) == 1 and leaves[0] not in folded
            if inverter or (uses[name] == 1 and size[name] <= LARGEST_EXPRESSION):
                folded.add(name)
        return folded

    def _name(self, taken: set[str]) -> dict[str, str]:
        """Names for temporaries that are not folded, and for what Verilog cannot call so."""
        wires = self.netlist.wires
        taken.update(name for name in wires if not name.startswith("$"))
        user: dict[str, tuple[str, bool]] = {}
        for name in self.order:
            for spec in self.ops[name].operands:
                for source, _, _ in spec:
                    user.setdefault(source, (name, False))
        for label, spec in self.netlist.sinks():
            for source, _, _ in spec:
                user.setdefault(source, (label, len(spec) == 1))
        stems: dict[str, str] = {}
        roots: dict[str, str] = {}
        for name in reversed(self.order):
            if name.startswith("$"):
                label, whole = user[name]
                roots[name] = root = roots.get(label, label)
                kind, width = self.ops[name].kind, self.ops[name].width
                word = (_WORD_OF_BIT if width == 1 else _WORD).get(kind, _WORD.get(kind, kind))
                stems[name] = root if whole and root not in taken else f"{root}_{word}"
        inner = [name for name, wire in wires.items() if not wire.direction and name[0] != "$"]
        for suffix, found in (("value", inner), ("instance", self.netlist.instances)):
            for name in found:
                if not is_name(name):
                    stems[name] = re.sub(r"\W", "_", f"{name}_{suffix}", flags=re.ASCII)
        names: dict[str, str] = {}
        for name in (*wires, *self.netlist.instances):
            if name in stems and name not in self.folded:
                chosen, serial = stems[name], 1
                while chosen in taken:
                    serial += 1
                    chosen = f"{stems[name]}_{serial}"
                taken.add(chosen)
                names[name] = chosen
        return names

    def name(self, wire: str) -> str:
        """What a wire or an instance is called."""
        return self.names.get(wire, wire)

    def reads(self, spec: Spec) -> list[str]:
        """The wires whose names stand in the text of a vector."""
        found = []
        for name, _, _ in spec:
            if name in self.folded:
                inner = self.ops[name].operands
                found += [wire for operand in inner for wire in self.reads(operand)]
            elif name:
                found.append(name)
        return found

    def text(self, spec: Spec) -> str:
        """A vector: an expression of its width in any context, unsigned but for bare ports."""
        return self._term(spec)[0]

    def _term(self, spec: Spec) -> tuple[str, str]:
        """A vector's text and what it is: "primary", or the kind of its outermost operator."""
        if len(spec) == 1:
            name, low, width = spec[0]
            if not name:
                return literal(low, width), "primary"
            if name in self.folded:
                return self.operator(self.ops[name])
            if width == self.netlist.wires[name].width:
                return self.name(name), "primary"
            bits = f"{low}" if width == 1 else f"{low + width - 1}:{low}"
            return f"{self.name(name)}[{bits}]", "primary"
        parts = []
        for chunk, count in runs(spec):
            text, kind = self._term((chunk,))
            text = f"({text})" if kind == "mux" else text
            parts.append(text if count == 1 else f"{{{count}{{{text}}}}}")
        return (parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"), "primary"

    def _operand(self, spec: Spec, *bare: str) -> str:
        """A vector inside an operator, in parentheses unless simple or of one of the kinds."""
        text, kind = self._term(spec)
        return text if kind in ("primary", *bare) else f"({text})"

    def _signed_operand(self, spec: Spec) -> str:
        width, value = width_of(spec), value_of(spec)
        if value is None or value == 1 << (width - 1):
            return f"$signed({self.text(spec)})"
        positive = value < 1 << (width - 1)
        return f"{width}'sd{value}" if positive else f"-{width}'sd{(1 << width) - value}"

    def operator(self, op: Op) -> tuple[str, str]:
        """An operator's text, and its kind as it is written."""
        kind, first = op.kind, op.operands[0]
        if kind == "copy":
            return self._term(first)
        if kind == "mux":
            select, then = self._operand(first, "not"), self._operand(op.operands[1], "not", "neg")
            other = self._operand(op.operands[2], "not", "neg", "mux")
            return f"{select} ? {then} : {other}", kind
        if kind == "not":
            text, inner = self._term(first)
            if inner == "reduction" and text[0] in "|&^":
                return f"~{text}", inner
            return f"~{self._operand(first)}", kind
        if kind == "neg":
            return f"-{self._operand(first)}", kind
        if kind in _REDUCTION:
            return f"{_REDUCTION[kind]}{self._operand(first)}", "reduction"
        second = op.operands[1]
        if kind in _SIGNED:
            texts = self._signed_operand(first), self._signed_operand(second)
        elif kind == "sshr":
            texts = f"$signed({self.text(first)})", self._operand(second)
        else:
            value = value_of(second)
            if kind == "add" and op.width > 1 and value is not None and value >> (op.width - 1):
                kind, second = "sub", (("", (1 << op.width) - value, op.width),)
            same = (kind,) if kind in ("and", "or", "xor") else ()
            left = ("add", "sub") if kind in ("add", "sub") else same
            texts = self._operand(first, "not", *left), self._operand(second, "not", *same)
        if kind in _UNSIGNED and all(self._is_signed(spec) for spec in op.operands):
            texts = f"$unsigned({texts[0]})", f"$unsigned({texts[1]})"
        return f"{texts[0]} {_BINARY[kind]} {texts[1]}", kind

    def _is_signed(self, spec: Spec) -> bool:
        """Whether a vector is written as the bare name of a signed port."""
        return len(spec) == 1 and bool(spec[0][0]) and self.netlist.wires[spec[0][0]].signed

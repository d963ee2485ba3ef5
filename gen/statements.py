"""Verilog always blocks: flip-flops, and logic with defaults and conditions."""

from __future__ import annotations

from .bits import Spec, sliced, value_of, width_of, wire
from .expressions import Expressions
from .netlist import Body, Register
from .rtlil import Assign, Case, Switch

COLUMNS = 100


def wrapped(text: str, indent: int) -> list[str]:
    """One statement as lines of at most 100 columns, broken at the outermost spaces."""
    lines, space = [], " " * indent
    while len(space) + len(text) > COLUMNS:
        limit = COLUMNS - len(space)
        depth, best, least = 0, 0, 0
        for position, letter in enumerate(text[: limit + 1]):
            depth += (letter in "([{") - (letter in ")]}")
            if letter == " " and position > limit // 2 and (not best or depth <= least):
                best, least = position, depth
        best = best or text.find(" ")
        if best < 0:
            break
        lines.append(space + text[:best])
        text, space = text[best + 1 :], " " * (indent + 4)
    return [*lines, space + text]


def always_blocks(expressions: Expressions, registers: list[Register]) -> list[list[str]]:
    """One clocked block for all registers of a clock and a reset, the reset first."""
    groups: dict[tuple[Spec, Spec], tuple[Body, Body]] = {}
    for register in registers:
        width = expressions.netlist.wires[register.name].width
        hold = Assign(wire(register.name, width), wire(register.name, width))
        body = register.body[1:] if register.body[0] == hold else register.body
        reset = _reset(body, width)
        key = register.clock, reset.selector if reset else ()
        resets, bodies = groups.setdefault(key, ([], []))
        if reset:
            resets += reset.cases[0].body
        _merge(bodies, body[:-1] if reset else body)
    blocks = []
    for (clock, selector), (resets, body) in groups.items():
        if selector:
            body = [Switch(selector, [Case(["1"], resets), Case([], body)])]
        lines = _statements(expressions, body, "<=", 8)
        blocks.append([f"    always @(posedge {expressions.text(clock)}) begin", *lines, "    end"])
    return blocks


def process_lines(expressions: Expressions, body: Body) -> list[str]:
    """A combinational block; its first assignment is the default."""
    return ["    always @* begin", *_statements(expressions, body, "=", 8), "    end"]


def _reset(body: Body, width: int) -> Switch | None:
    """The last statement if it is one condition of one bit that sets all bits to constants."""
    last = body[-1] if body else None
    if not isinstance(last, Switch) or width_of(last.selector) != 1:
        return None
    if [case.patterns for case in last.cases] != [["1"]]:
        return None
    covered = 0
    for statement in last.cases[0].body:
        if isinstance(statement, Switch) or value_of(statement.value) is None:
            return None
        covered += width_of(statement.target)
    return last if covered == width else None


def _merge(into: Body, body: Body) -> None:
    """Add the statements of one more register, under the conditions that are there already."""
    position = 0
    for statement in body:
        if isinstance(statement, Assign):
            while position < len(into) and isinstance(into[position], Assign):
                position += 1
            into.insert(position, statement)
            position += 1
            continue
        for i, other in enumerate(into[position:], position):
            if isinstance(other, Switch) and _fits(other, statement):
                for case, more in zip(other.cases, statement.cases):
                    _merge(case.body, more.body)
                position = i + 1
                break
        else:
            cases = [Case(case.patterns, list(case.body)) for case in statement.cases]
            into.append(Switch(statement.selector, cases))
            position = len(into)


def _fits(one: Switch, other: Switch) -> bool:
    """Whether two switches ask the same."""
    patterns = [[case.patterns for case in switch.cases] for switch in (one, other)]
    return one.selector == other.selector and patterns[0] == patterns[1]


def _statements(expressions: Expressions, body: Body, sign: str, indent: int) -> list[str]:
    lines: list[str] = []
    for statement in body:
        if isinstance(statement, Assign):
            target, value = expressions.text(statement.target), expressions.text(statement.value)
            lines += wrapped(f"{target} {sign} {value};", indent)
        else:
            lines += _switch(expressions, statement, sign, indent)
    return lines


def _switch(expressions: Expressions, switch: Switch, sign: str, indent: int) -> list[str]:
    """A switch: if and else if where every case asks for one bit, case or casez otherwise."""
    space = " " * indent
    cases = list(switch.cases)
    while cases and not cases[-1].body:
        cases.pop()
    conditions = [_condition(expressions, switch.selector, case.patterns) for case in cases]
    if None in conditions:
        loose = any("-" in pattern for case in cases for pattern in case.patterns)
        word = "casez" if loose else "case"
        lines = [f"{space}{word} ({expressions.text(switch.selector)})"]
        for case in cases:
            bits = (pattern.replace("-", "?") for pattern in case.patterns)
            labels = ", ".join(f"{width_of(switch.selector)}'b{pattern}" for pattern in bits)
            lines += [f"{space}    {labels or 'default'}: begin"]
            lines += _statements(expressions, case.body, sign, indent + 8)
            lines += [f"{space}    end"]
        return [*lines, f"{space}endcase"]
    lines = []
    for condition, case in zip(conditions, cases):
        if not lines and not condition:
            return _statements(expressions, case.body, sign, indent)
        alone = len(case.body) == 1 and isinstance(case.body[0], Switch)
        inner = _statements(expressions, case.body, sign, indent) if alone else []
        if lines and not condition and inner and inner[0].startswith(f"{space}if "):
            return [*lines, f"{space}end else {inner[0].lstrip()}", *inner[1:]]
        word = f"if ({condition}) begin" if condition else "begin"
        lines += [f"{space}end else {word}" if lines else f"{space}{word}"]
        lines += _statements(expressions, case.body, sign, indent + 4)
        if not condition:
            break
    return [*lines, f"{space}end"] if lines else []


def _condition(expressions: Expressions, selector: Spec, patterns: list[str]) -> str | None:
    """A case as the test of one bit, "" for one always taken, None for anything else."""
    if not patterns:
        return ""
    if len(patterns) > 1 or len(patterns[0].replace("-", "")) > 1:
        return None
    pattern = patterns[0][::-1]
    for position, value in enumerate(pattern):
        if value != "-":
            bit = sliced(selector, position, 1)
            text = expressions.text(bit)
            simple = text.isidentifier() or text.endswith("]")
            return text if value == "1" else f"!{text}" if simple else f"!({text})"
    return ""

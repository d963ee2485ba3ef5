"""The syntax of Liberty files: groups of attributes and groups.

By default only what area, function and delay need is kept; groups about power, noise and wires are
stepped over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

SKIPPED = frozenset(
    """ccsn_first_stage ccsn_last_stage dynamic_current input_voltage internal_power leakage_current
    leakage_power normalized_driver_waveform ocv_sigma_cell_fall ocv_sigma_cell_rise
    ocv_sigma_fall_constraint ocv_sigma_fall_transition ocv_sigma_rise_constraint
    ocv_sigma_rise_transition operating_conditions output_current_fall output_current_rise
    output_voltage pg_pin power_lut_template receiver_capacitance receiver_capacitance1_fall
    receiver_capacitance1_rise receiver_capacitance2_fall receiver_capacitance2_rise test_cell
    wire_load wire_load_selection wire_load_table""".split()
)

_COMMENT = re.compile(r"/\*.*?\*/|\\\r?\n", re.DOTALL)
_NAME = re.compile(r'[\s;]*(?:(\})|("[^"]*"|[^\s:(){};"]+)\s*([:(]))')
_VALUE = re.compile(r'[ \t]*("[^"]*"|[^;\n{}"]*)')
_ARGUMENTS = re.compile(r'((?:"[^"]*"|[^()"{};])*)\)[ \t]*(\{)?')
_BRACE = re.compile(r'"[^"]*"|[{}]')
_END = re.compile(r"[\s;]*\Z")


@dataclass
class Group:
    """One ``name (arguments) { ... }`` of a Liberty file."""

    name: str
    arguments: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def named(self, name: str) -> Iterator[Group]:
        """The groups of that name directly inside this one."""
        return (group for group in self.groups if group.name == name)

    def number(self, attribute: str, default: float = 0.0) -> float:
        """An attribute as a number."""
        return float(self.attributes.get(attribute, default))


def parse(
    text: str,
    is_skipped: Callable[[str, tuple[str, ...]], bool] = lambda name, arguments: name in SKIPPED,
) -> Group:
    """Return the ``library`` group of a Liberty text; ValueError says where the text is none.

    `is_skipped` tells, by name and arguments, which groups are stepped over.
    """
    text = _COMMENT.sub(" ", text)
    stack = [Group("", ())]
    position = 0
    while match := _NAME.match(text, position):
        position = match.end()
        if match[1]:
            if len(stack) == 1:
                break
            stack.pop()
            continue
        name, current = match[2].strip('"'), stack[-1]
        if match[3] == ":":
            value = _VALUE.match(text, position)
            assert value is not None  # The pattern matches the empty string.
            current.attributes[name] = value[1].strip().strip('"')
            position = value.end()
            continue
        arguments = _ARGUMENTS.match(text, position)
        if arguments is None:
            break
        position = arguments.end()
        values = tuple(re.findall(r'"([^"]*)"|([^\s,"]+)', arguments[1]))
        words = tuple(quoted or bare for quoted, bare in values)
        if arguments[2] is None:
            current.attributes[name] = ",".join(words)
        elif is_skipped(name, words):
            position = _closing(text, position)
        else:
            group = Group(name, words)
            current.groups.append(group)
            stack.append(group)
    if len(stack) != 1 or not _END.match(text, position):
        raise ValueError(f"it is cut off or wrong near byte {position} of its text")
    libraries = list(stack[0].named("library"))
    if len(libraries) != 1:
        raise ValueError("it has no library group")
    return libraries[0]


def _closing(text: str, position: int) -> int:
    """The position after the brace that closes the group whose inside starts at `position`."""
    depth = 1
    for match in _BRACE.finditer(text, position):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth:
            return match.end()
    raise ValueError("its last group is not closed")

"""Configurations: a unit, a format pair and its parameters, checked before anything is
generated."""

from dataclasses import dataclass
from math import lcm

from golden.formats import BlockFormat, get_format
from hdl.cell import FusedCell
from hdl.dot import Dot
from hdl.matrix import Matrix
from hdl.naming import pair_name
from hdl.stream import Stream

from .errors import UsageError

UNITS = ("mac", "dot")
ACCUMULATORS = ("fp32",)
DEFAULT_FORMAT = "amxfp4"
LARGEST_K = 1024


@dataclass(frozen=True)
class Configuration:
    """One piece of hardware: what ``make verilog`` writes, ``make sim`` checks and ``make synth``
    measures.

    ``k`` elements a step; ``acc``: the accumulator, None for a unit without one. Use :meth:`parse`,
    which checks the parameters against each other.
    """

    unit: str
    a: BlockFormat
    b: BlockFormat
    k: int
    acc: str | None = None

    @classmethod
    def parse(cls, fmt=None, unit=None, k=None, acc=None) -> "Configuration":
        """The configuration a user names: ``fmt`` is ``A`` or ``A:B`` (activations : weights).

        Raises UsageError, one sentence with the value and what is allowed, for anything the
        hardware cannot do.
        """
        a, b = parse_pair(fmt or DEFAULT_FORMAT)
        unit = unit or UNITS[0]
        if unit not in UNITS:
            raise UsageError(f"Unit must be one of {', '.join(UNITS)}, not {unit!r}")
        if unit == "dot" and acc:
            raise UsageError(
                f"Accumulator must be left out for unit dot, which has none, not {acc!r}"
            )
        if unit == "mac":
            acc = acc or ACCUMULATORS[0]
            if acc not in ACCUMULATORS:
                raise UsageError(
                    f"Accumulator must be one of {', '.join(ACCUMULATORS)}, not {acc!r}"
                )
        for operand in (a, b):
            _check_hardware(unit, operand)
        return cls(unit, a, b, _check_k(k, a, b), acc)

    @property
    def pair(self) -> str:
        """The format pair as a user types it."""
        return self.a.name if self.a == self.b else f"{self.a.name}:{self.b.name}"

    @property
    def name(self) -> str:
        """Name of the Verilog top and of the files."""
        parts = [self.unit, pair_name(self.a, self.b), f"k{self.k}"]
        return "_".join(parts + ([self.acc] if self.acc else []))

    @property
    def command(self) -> str:
        """The command that writes this configuration's Verilog."""
        acc = f" ACC={self.acc}" if self.acc else ""
        return f"make verilog FMT={self.pair} UNIT={self.unit} K={self.k}{acc}"

    def component(self) -> Stream:
        """The hardware: the unit's core behind streams."""
        if self.unit == "dot":
            return Stream(Dot(self.a, self.b, self.k), self.name)
        cell = FusedCell(self.a, self.b, self.k)
        return Stream(Matrix(cell, 1, 1, self.name, with_c=True), self.name)


def parse_pair(text: str) -> tuple[BlockFormat, BlockFormat]:
    """Both formats of ``A`` or ``A:B``; ``dint4`` alone means ``int8:dint4``. Raises UsageError."""
    names = text.split(":")
    if len(names) > 2 or not all(names):
        raise UsageError(f"Format pair must be A or A:B, not {text!r}")
    if names == ["dint4"]:
        names = ["int8", "dint4"]
    try:
        a, b = get_format(names[0]), get_format(names[-1])
    except ValueError as error:
        raise UsageError(str(error)) from None
    return a, b


def _check_hardware(unit: str, operand: BlockFormat) -> None:
    """UsageError if ``unit`` cannot take ``operand``."""
    name = operand.name
    if operand.element.width > 8:
        width = operand.element.width
        raise UsageError(
            f"Elements of a {unit} must have at most 8 bits, not the {width} of {name}"
        )
    if unit == "mac" and not operand.has_block_scale:
        raise UsageError(
            f"Formats of a mac must have a block scale of 8 bits, which {name} has not"
        )
    if unit == "mac" and operand.macro is not None:
        raise UsageError(f"Formats of a mac must have no macro-block factor, which {name} has")


def _check_k(k: int | str | None, a: BlockFormat, b: BlockFormat) -> int:
    """``k``, or the smallest multiple of both blocks from 32 up; UsageError if it does not fit
    them."""
    step = lcm(a.block_size or 1, b.block_size or 1)
    if k is None or k == "":
        return -(-32 // step) * step
    try:
        size = int(k)
    except ValueError:
        raise UsageError(f"K must be an integer, not {k!r}") from None
    if not 1 <= size <= LARGEST_K:
        raise UsageError(f"K must be from 1 to {LARGEST_K}, not {size}")
    for operand in (a, b):
        if size % (operand.block_size or 1):
            raise UsageError(
                f"K must be a multiple of the {operand.block_size} elements of"
                f" {operand.name}'s block, not {size}"
            )
    return size

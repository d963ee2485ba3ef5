"""What the hardware can do: every parameter of a configuration checked, with one sentence for what
it cannot."""

import re
from math import lcm

from golden import presets
from golden.exact import Window
from golden.formats import BlockFormat, FloatFormat
from hdl.lane import Sharing, forms
from hdl.operand import operand_layout, operand_ports
from hdl.pipeline import DEEPEST

from .errors import UsageError

UNITS = ("mac", "dot", "tile")
ACCUMULATORS = ("fp32", "exact", "int32", *presets.PRESETS)
LARGEST_K = 1024
LARGEST_TILE = 64
WIDEST_WINDOW = 160
WIDEST = 65_000
FRACTION = (8, 36)  # least and most of F: golden's sums of every pair and K fit 61 bits


def check_operands(unit: str, a: BlockFormat, b: BlockFormat) -> None:
    """UsageError if ``unit`` cannot take this pair, whatever its accumulator."""
    for operand in (a, b):
        width = operand.element.width
        if unit == "dot" and width > 8:
            raise UsageError(
                f"Elements of a dot must have at most 8 bits, not the {width} of {operand.name}"
            )
        if unit != "dot" and getattr(operand.element, "asymmetric", False):
            raise UsageError(
                f"Formats of a {unit} must have no zero points, which {operand.name} has"
            )
    if unit != "dot":
        for operand, other in ((a, b), (b, a)):
            if _scaled_outside(operand) and not _scaled_outside(other):
                raise UsageError(
                    f"Partner of {operand.name} must have binary32 scales as well, which"
                    f" {other.name} has not"
                )
    sizes = [f.block_size for f in (a, b) if f.has_block_scale and f.block_size]
    if sizes and max(sizes) % min(sizes):
        raise UsageError(f"Blocks must divide each other, not {a.block_size} and {b.block_size}")


def default_accumulator(a: BlockFormat, b: BlockFormat) -> str:
    """The accumulator of a pair when none is named: ``int32`` if all scales are binary32."""
    return "int32" if _scaled_outside(a) and _scaled_outside(b) else ACCUMULATORS[0]


def _scaled_outside(fmt: BlockFormat) -> bool:
    """Whether a format's scales are binary32, which no unit sees."""
    return fmt.scale is not None and not fmt.has_block_scale


def check_accumulator(acc: str, a: BlockFormat, b: BlockFormat) -> None:
    """UsageError if accumulator ``acc`` is unknown or cannot take this pair."""
    if acc not in ACCUMULATORS:
        raise UsageError(f"Accumulator must be one of {', '.join(ACCUMULATORS)}, not {acc!r}")
    if acc in presets.PRESETS:
        try:
            presets.check_operands(presets.PRESETS[acc], a, b)
        except ValueError as error:
            raise UsageError(str(error)) from None
        return
    macros = {f.macro.size for f in (a, b) if f.macro is not None}
    if macros and acc != "fp32":
        raise UsageError(f"Accumulator for macro blocks must be fp32, not {acc}")
    if len(macros) > 1:
        raise UsageError(f"Macro blocks of both formats must be alike, not {sorted(macros)}")
    for operand in (a, b):
        is_integer = not isinstance(operand.element, FloatFormat)
        if acc == "int32" and (not is_integer or operand.has_block_scale or operand.sides == 2):
            raise UsageError(
                f"Formats for int32 must be integers without block scales, not {operand.name}"
            )
        if acc != "int32" and _scaled_outside(operand):
            raise UsageError(
                f"Accumulator for {operand.name} must be int32, not {acc}: its scales are binary32"
            )


def check_k(k: int | str | None, a: BlockFormat, b: BlockFormat, acc: str | None) -> int:
    """``k``, or the smallest multiple of both blocks from 32 up; UsageError if it does not fit."""
    length = presets.PRESETS[acc].length if acc in presets.PRESETS else 1
    step = lcm(a.block_size or 1, b.block_size or 1, length)
    if k is None or k == "":
        return step if length > 1 else -(-32 // step) * step
    size = integer("K", k, 1, LARGEST_K)
    for operand in (a, b):
        if size % (operand.block_size or 1):
            raise UsageError(
                f"K must be a multiple of the {operand.block_size} elements of"
                f" {operand.name}'s block, not {size}"
            )
        if operand.macro is not None and operand.macro.size % size:
            raise UsageError(
                f"K must divide the {operand.macro.size} elements of {operand.name}'s macro block,"
                f" not {size}"
            )
    if size % length:
        raise UsageError(f"K must be a multiple of the {length} products of {acc}, not {size}")
    return size


def check_window(window: str | None, acc: str | None, a: BlockFormat, b: BlockFormat):
    """The window of accumulator ``exact``, ``LOW:HIGH:LENGTH`` or by default all the pair reaches;
    None for other accumulators. UsageError for one that is not sensible."""
    if acc != "exact":
        if window:
            raise UsageError(f"WINDOW must be left out for accumulator {acc}, not {window!r}")
        return None
    if window:
        if not re.fullmatch(r"[+-]?\d+:[+-]?\d+:[+-]?\d+", window):
            raise UsageError(f"WINDOW must be LOW:HIGH:LENGTH, three whole numbers, not {window!r}")
        try:
            chosen = Window(*map(int, window.split(":")))
        except ValueError as error:
            raise UsageError(f"WINDOW must be LOW:HIGH:LENGTH, not {window!r}: {error}") from None
    else:
        low = high = 0
        for fmt in (a, b):
            low += fmt.element.ulp_exponent + (fmt.scale.ulp_exponent if fmt.scale else 0)
            high += fmt.element.max_exponent + (fmt.scale.max_exponent if fmt.scale else 0) + 2
        chosen = Window(low, high + (a.block_size or LARGEST_K).bit_length(), 1024)
    if chosen.width > WIDEST_WINDOW:
        raise UsageError(
            f"WINDOW must need at most {WIDEST_WINDOW} bits, not the {chosen.width} of"
            f" {chosen.low}:{chosen.high}:{chosen.length}"
        )
    if not -(1 << 10) <= chosen.low < chosen.high <= 1 << 10:
        raise UsageError(f"WINDOW must lie between 2**-1024 and 2**1024, not {window}")
    return chosen


def check_fraction(fraction, acc: str | None) -> int | None:
    """F of accumulator ``fp32``, None for the pair's own; UsageError for what it cannot be."""
    if fraction in (None, ""):
        return None
    if acc != "fp32":
        what = f"accumulator {acc}" if acc else "unit dot"
        raise UsageError(f"FRACTION must be left out for {what}, not {fraction!r}")
    return integer("FRACTION", fraction, *FRACTION)


def check_output(out: str | None, unit: str, acc: str | None) -> str:
    """The format of a unit's results, by default that of its accumulator; UsageError for another
    than it has."""
    own = "int32" if acc == "int32" else "fp32"
    allowed = (own, "bf16") if unit == "tile" and own == "fp32" else (own,)
    if out and out not in allowed:
        what = f"{unit} with accumulator {acc}" if acc else unit
        raise UsageError(f"OUT of a {what} must be {' or '.join(allowed)}, not {out!r}")
    return out or own


def check_shape(unit: str, m, n, pipeline, default: int) -> tuple[int, int, int]:
    """Rows, columns and pipeline stages of a unit; UsageError for what it has not or cannot be."""
    given = {"M": m, "N": n}
    if unit == "tile":
        m, n = (
            default if value in (None, "") else integer(name, value, 1, LARGEST_TILE)
            for name, value in given.items()
        )
    else:
        for name, value in given.items():
            if value not in (None, ""):
                raise UsageError(f"{name} must be left out for unit {unit}, not {value!r}")
        m = n = 1
    stages = 0 if pipeline in (None, "") else integer("PIPELINE", pipeline, 0, DEEPEST)
    if stages and unit == "dot":
        raise UsageError(f"PIPELINE must be left out for unit dot, not {stages}")
    return m, n, stages


def check_width(a: BlockFormat, b: BlockFormat, k: int, m: int, n: int, pipeline: int) -> None:
    """UsageError for a unit one of whose modules has more inputs than Amaranth's 2^16 bits."""
    decoded_a, decoded_b = (
        operand_layout(fmt, k, form).size
        for fmt, form in zip((a, b), forms(a, b, Sharing.of(m, n, k, pipeline)))
    )
    codes_a, codes_b = (sum(operand_ports(fmt, k).values()) for fmt in (a, b))
    unit = m * codes_a + n * codes_b + 32 * m * n
    row = decoded_a + n * (decoded_b + 2 * 32)
    if max(unit, row) > WIDEST:
        raise UsageError(
            f"M, N and K must be such that a unit and a row of it have at most {WIDEST} bits of"
            f" inputs, not {max(unit, row)}"
        )


def integer(name: str, value: int | str, low: int, high: int) -> int:
    """``value`` as an integer from ``low`` to ``high``; UsageError otherwise."""
    try:
        number = int(value)
    except ValueError:
        raise UsageError(f"{name} must be an integer, not {value!r}") from None
    if not low <= number <= high:
        raise UsageError(f"{name} must be from {low} to {high}, not {number}")
    return number

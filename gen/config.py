"""Configurations: a unit, a format pair and its parameters, checked before anything is
generated."""

from dataclasses import dataclass, field

from golden.arith import default_fraction_bits
from golden.exact import Window
from golden.formats import BlockFormat, get_format
from hdl.naming import pair_name
from hdl.stream import Stream
from hdl.tile import Tile

from .errors import UsageError
from .limits import (
    UNITS,
    check_accumulator,
    check_fraction,
    check_k,
    check_operands,
    check_output,
    check_shape,
    check_width,
    check_window,
    default_accumulator,
)
from .units import component

DEFAULT_FORMAT = "amxfp4"
DEFAULT_SIZE = 4


@dataclass(frozen=True)
class Configuration:
    """One piece of hardware: what ``make verilog`` writes, ``make sim`` checks and ``make synth``
    measures.

    ``k`` elements a step; ``acc``: the accumulator, None for a unit without one; ``m``, ``n``: rows
    and columns of results; ``pipeline``: register stages in the datapath; ``window``: what the
    accumulator ``exact`` holds; ``fraction``: F of accumulator ``fp32``, None for the pair's own;
    ``out``: the format of a tile's results; ``pair``: the formats as the user typed them, names or
    files. Use :meth:`parse`, which checks the parameters against each other.
    """

    unit: str
    a: BlockFormat
    b: BlockFormat
    k: int
    acc: str | None = None
    m: int = 1
    n: int = 1
    pipeline: int = 0
    window: Window | None = None
    fraction: int | None = None
    out: str = "fp32"
    pair: str = field(default="", compare=False)

    results = "dot products"

    @classmethod
    def parse(
        cls,
        fmt=None,
        unit=None,
        k=None,
        acc=None,
        m=None,
        n=None,
        pipeline=None,
        window=None,
        fraction=None,
        out=None,
    ) -> "Configuration":
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
        acc = None if unit == "dot" else acc or default_accumulator(a, b)
        check_operands(unit, a, b)
        if acc:
            check_accumulator(acc, a, b)
        size = check_k(k, a, b, acc)
        m, n, pipeline = check_shape(unit, m, n, pipeline, DEFAULT_SIZE)
        if acc:
            check_width(a, b, size, m, n, pipeline)
        held = check_window(window, acc, a, b)
        bits = check_fraction(fraction, acc)
        return cls(
            unit,
            a,
            b,
            size,
            acc,
            m,
            n,
            pipeline,
            held,
            None if acc and bits == default_fraction_bits(a, b) else bits,
            check_output(out, unit, acc),
            fmt or DEFAULT_FORMAT,
        )

    @property
    def name(self) -> str:
        """Name of the Verilog top and of the files."""
        size = f"{self.m}x{self.n}x{self.k}" if self.unit == "tile" else f"k{self.k}"
        parts = [self.unit, pair_name(self.a, self.b), size]
        parts += [self.acc] if self.acc else []
        if self.window:
            parts.append(f"{self.window.low}to{self.window.high}x{self.window.length}")
        parts += [f"f{self.fraction}"] if self.fraction else []
        parts += ["bf16"] if self.out == "bf16" else []
        parts += [f"p{self.pipeline}"] if self.pipeline else []
        return "_".join(parts).replace("-", "m")

    @property
    def command(self) -> str:
        """The command that writes this configuration's Verilog."""
        words = [f"make verilog FMT={self.pair} UNIT={self.unit}"]
        words += [f"M={self.m} N={self.n}"] if self.unit == "tile" else []
        words += [f"K={self.k}"] + ([f"ACC={self.acc}"] if self.acc else [])
        if self.window:
            words.append(f"WINDOW={self.window.low}:{self.window.high}:{self.window.length}")
        words += [f"FRACTION={self.fraction}"] if self.fraction else []
        words += ["OUT=bf16"] if self.out == "bf16" else []
        return " ".join(words + ([f"PIPELINE={self.pipeline}"] if self.pipeline else []))

    @property
    def formats(self) -> dict[str, BlockFormat]:
        """The formats by their names in NAME.json."""
        return {"a": self.a, "b": self.b}

    @property
    def settings(self) -> dict:
        """What NAME.json says besides."""
        return {"k": self.k, "acc": self.acc}

    @property
    def summary(self) -> str:
        """What the Verilog's head says of the formats."""
        return f"a {self.a.name}, b {self.b.name}; {self.k} elements a step"

    def component(self) -> Stream | Tile:
        """The hardware: the unit behind streams."""
        return component(self)


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

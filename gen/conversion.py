"""Configurations of the units that convert: floats to blocks and back."""

from dataclasses import dataclass, field, replace

from golden.formats import SCALE_RULES, BlockFormat, DenormalIntFormat, get_format
from golden.rules import check_format
from hdl.dequantizer import RESULTS, Dequantizer
from hdl.quantizer import DEEPEST, Quantizer
from hdl.quantizer_serial import SerialQuantizer
from hdl.source import SOURCES
from hdl.stream import Stream

from .errors import UsageError
from .limits import integer
from .quantizers import scales_of

DEFAULT_FORMAT = "amxfp4"
DEFAULT_FLOAT = "fp32"
DEFAULT_LANES = 32
LARGEST_ROW = 256


@dataclass(frozen=True)
class Quantization:
    """A quantizer: blocks of floats in, codes out.

    ``source``: the format of the floats; ``group``: elements that share all they share, a block, a
    macro block or what a given scale is for; ``lanes``: elements a cycle; ``pipeline``: register
    stages. Use :meth:`parse`, which checks them against each other.
    """

    fmt: BlockFormat
    source: str
    group: int
    lanes: int
    pipeline: int = 0
    typed: str = field(default="", compare=False)

    unit = "quantizer"
    results = "blocks"
    m = n = 1

    @classmethod
    def parse(
        cls, fmt=None, source=None, rule=None, k=None, lanes=None, pipeline=None
    ) -> "Quantization":
        """The quantizer a user names. UsageError for one that cannot be exact."""
        typed = fmt or DEFAULT_FORMAT
        chosen = named_format(typed)
        if rule:
            if rule not in SCALE_RULES:
                allowed = ", ".join(SCALE_RULES)
                raise UsageError(f"RULE must be one of {allowed}, not {rule!r}")
            if rule != chosen.scale_rule:
                chosen = replace(chosen, scale_rule=rule, name=f"{chosen.name}_{rule}")
        source = check_float("IN", source, tuple(SOURCES))
        check_quantizer(chosen, source)
        group = check_group(chosen, k)
        stages = 0 if pipeline in (None, "") else integer("PIPELINE", pipeline, 0, DEEPEST)
        typed += f" RULE={rule}" if rule else ""
        count = check_lanes(lanes, chosen, group)
        if stages and count < group:
            raise UsageError(f"PIPELINE must be left out for LANES={count}, not {stages}")
        return cls(chosen, source, group, count, stages, typed)

    @property
    def name(self) -> str:
        """Name of the Verilog top and of the files."""
        parts = [self.unit, self.fmt.name, self.source]
        parts += [f"k{self.group}"] if not self.fmt.has_block_scale else []
        parts += [f"l{self.lanes}"] if self.lanes < self.group else []
        return "_".join(parts + ([f"p{self.pipeline}"] if self.pipeline else []))

    @property
    def command(self) -> str:
        """The command that writes this configuration's Verilog."""
        words = [f"make verilog FMT={self.typed} UNIT={self.unit} IN={self.source}"]
        words += [f"K={self.group}"] if not self.fmt.has_block_scale else []
        words += [f"LANES={self.lanes}"] if self.lanes < self.group else []
        return " ".join(words + ([f"PIPELINE={self.pipeline}"] if self.pipeline else []))

    @property
    def formats(self) -> dict[str, BlockFormat]:
        """The formats by their names in NAME.json."""
        return {"format": self.fmt}

    @property
    def settings(self) -> dict:
        """What NAME.json says besides."""
        return {"in": self.source, "group": self.group, "lanes": self.lanes}

    @property
    def summary(self) -> str:
        """What the Verilog's head says of the formats."""
        return f"{self.source} in, {self.fmt.name} out; {self.lanes} elements a transfer"

    def component(self) -> Stream:
        """The hardware: the core behind streams."""
        scales, width = scales_of(self.fmt, self.source), self.fmt.element.width
        if self.lanes < self.group:
            sizes = (self.group, self.lanes, width)
            return Stream(SerialQuantizer(scales, self.source, *sizes, self.name), self.name)
        core = Quantizer(scales, self.source, self.group, width, self.name, self.pipeline)
        return Stream(core, self.name)


@dataclass(frozen=True)
class Dequantization:
    """A dequantizer: codes in, floats out.

    ``out``: the format of the floats; ``group``: elements that share all they share. Use
    :meth:`parse`, which checks them against each other.
    """

    fmt: BlockFormat
    out: str
    group: int
    typed: str = field(default="", compare=False)

    unit = "dequantizer"
    results = "blocks"
    m = n = 1
    pipeline = 0

    @classmethod
    def parse(cls, fmt=None, out=None, k=None) -> "Dequantization":
        """The dequantizer a user names. UsageError for what the hardware cannot do."""
        typed = fmt or DEFAULT_FORMAT
        chosen = named_format(typed)
        check_zero_points("dequantizer", chosen)
        out = check_float("OUT", out, tuple(RESULTS))
        return cls(chosen, out, check_group(chosen, k), typed)

    @property
    def k(self) -> int:
        """Elements a transfer."""
        return self.group

    @property
    def name(self) -> str:
        """Name of the Verilog top and of the files."""
        size = [] if self.fmt.has_block_scale else [f"k{self.group}"]
        return "_".join([self.unit, self.fmt.name, self.out, *size])

    @property
    def command(self) -> str:
        """The command that writes this configuration's Verilog."""
        size = "" if self.fmt.has_block_scale else f" K={self.group}"
        return f"make verilog FMT={self.typed} UNIT={self.unit} OUT={self.out}{size}"

    @property
    def formats(self) -> dict[str, BlockFormat]:
        """The formats by their names in NAME.json."""
        return {"format": self.fmt}

    @property
    def settings(self) -> dict:
        """What NAME.json says besides."""
        return {"out": self.out, "group": self.group}

    @property
    def summary(self) -> str:
        """What the Verilog's head says of the formats."""
        return f"{self.fmt.name} in, {self.out} out; {self.group} elements a transfer"

    def component(self) -> Stream:
        """The hardware: the core behind streams."""
        return Stream(Dequantizer(self.fmt, self.out, self.group, self.name), self.name)


def named_format(name: str) -> BlockFormat:
    """The format of that name, or of the file of that path; UsageError if there is none."""
    try:
        return get_format(name)
    except ValueError as error:
        raise UsageError(str(error)) from None


def check_zero_points(unit: str, fmt: BlockFormat) -> None:
    """UsageError for a format whose groups have zero points."""
    if isinstance(fmt.element, DenormalIntFormat) and fmt.element.asymmetric:
        raise UsageError(f"Format of a {unit} must have no zero points, which {fmt.name} has")


def check_float(label: str, name: str | None, allowed: tuple[str, ...]) -> str:
    """The name of a float format, by default binary32; UsageError for another than ``allowed``."""
    if name and name not in allowed:
        raise UsageError(f"{label} must be {' or '.join(allowed)}, not {name!r}")
    return name or DEFAULT_FLOAT


def check_quantizer(fmt: BlockFormat, source: str) -> None:
    """UsageError unless the hardware can choose this format's codes exactly."""
    if fmt.scale is None:
        raise UsageError(f"Format of a quantizer must have a scale, which {fmt.name} has not")
    check_zero_points("quantizer", fmt)
    try:
        check_format(fmt)
    except ValueError as error:
        raise UsageError(f"Format {fmt.name} cannot be quantized to: {error}") from None
    if fmt.has_block_scale and fmt.scale.mantissa_width and fmt.scale_rule != "amax":
        raise UsageError(
            f"RULE must be amax for {fmt.name}, whose scale is {fmt.scale.name},"
            f" not {fmt.scale_rule!r}"
        )
    if not fmt.has_block_scale and fmt.scale_rule != "amax":
        raise UsageError(
            f"RULE must be left out for {fmt.name}, whose scale is given, not {fmt.scale_rule!r}"
        )
    if fmt.element.max_exponent < 0:
        raise UsageError(
            f"Largest element of a quantizer must be at least 1, not {fmt.element.largest:g}"
        )


def check_group(fmt: BlockFormat, k: str | int | None) -> int:
    """Elements of a group; UsageError for a K that the format does not leave open."""
    if fmt.has_block_scale:
        if k not in (None, ""):
            raise UsageError(f"K must be left out for {fmt.name}, whose block decides, not {k!r}")
        return fmt.macro.size if fmt.macro else fmt.block_size or DEFAULT_LANES
    return DEFAULT_LANES if k in (None, "") else integer("K", k, 1, LARGEST_ROW)


def check_lanes(lanes: str | int | None, fmt: BlockFormat, group: int) -> int:
    """Elements a cycle, by default all of a group; UsageError unless they divide it."""
    if lanes in (None, ""):
        return group
    count = integer("LANES", lanes, 1, group)
    if group % count:
        raise UsageError(f"LANES must divide the {group} elements of {fmt.name}, not be {count}")
    return count

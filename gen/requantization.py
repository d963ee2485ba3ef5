"""Configurations of a tile whose results leave as blocks of the next layer's format."""

from dataclasses import dataclass, field

from golden.formats import BlockFormat
from hdl.quantizer import Quantizer
from hdl.requantizer import Requantizer

from .config import DEFAULT_FORMAT, Configuration
from .conversion import check_quantizer, named_format
from .errors import UsageError
from .limits import LARGEST_TILE
from .quantizers import scales_of


@dataclass(frozen=True)
class Requantization:
    """A tile, and the format its rows are quantized to.

    ``typed``: that format as the user named it. Use :meth:`parse`, which checks both against each
    other.
    """

    tile: Configuration
    following: BlockFormat
    typed: str = field(default="", compare=False)

    unit = "requantize"
    results = "rows"

    @classmethod
    def parse(
        cls,
        fmt=None,
        following=None,
        k=None,
        acc=None,
        m=None,
        n=None,
        pipeline=None,
        window=None,
        fraction=None,
        out=None,
    ) -> "Requantization":
        """What a user names; NEXT is A's format if left out. UsageError for what the hardware
        cannot do."""
        typed = following or (fmt or DEFAULT_FORMAT).split(":")[0]
        chosen = named_format(typed)
        group = check_next(chosen)
        n = n if n not in (None, "") else group or None
        options = {"window": window, "fraction": fraction, "out": out}
        tile = Configuration.parse(fmt, "tile", k, acc, m, n, pipeline, **options)
        if tile.out == "int32":
            raise UsageError(f"Accumulator of unit {cls.unit} must give binary32, not int32")
        check_quantizer(chosen, tile.out)
        if tile.n % (group or tile.n):
            raise UsageError(
                f"N must be a multiple of the {group} elements of {chosen.name}'s block,"
                f" not {tile.n}"
            )
        return cls(tile, chosen, typed)

    def __getattr__(self, name: str):
        """Rows, columns and the tile's other parameters."""
        if name in ("m", "n", "k", "acc", "pipeline", "out"):
            return getattr(self.tile, name)
        raise AttributeError(name)

    @property
    def group(self) -> int:
        """Elements that share all they share: a block, or with a given scale the row."""
        return check_next(self.following) or self.n

    @property
    def name(self) -> str:
        """Name of the Verilog top and of the files."""
        return f"{self.tile.name.replace('tile', self.unit, 1)}_to_{self.following.name}"

    @property
    def command(self) -> str:
        """The command that writes this configuration's Verilog."""
        line = self.tile.command.replace("UNIT=tile", f"UNIT={self.unit}", 1)
        return f"{line} NEXT={self.typed}"

    @property
    def formats(self) -> dict[str, BlockFormat]:
        """The formats by their names in NAME.json."""
        return {**self.tile.formats, "next": self.following}

    @property
    def settings(self) -> dict:
        """What NAME.json says besides."""
        return self.tile.settings | {"group": self.group}

    @property
    def summary(self) -> str:
        """What the Verilog's head says of the formats."""
        return f"{self.tile.summary}; {self.tile.out} rows to {self.following.name}"

    def component(self) -> Requantizer:
        """The hardware."""
        scales, width = scales_of(self.following, self.tile.out), self.following.element.width
        core = Quantizer(scales, self.tile.out, self.group, width, f"{self.name}_block")
        return Requantizer(self.tile.component(), core, self.n // self.group, self.name)


def check_next(fmt: BlockFormat) -> int | None:
    """Elements of a group, None for the whole row; UsageError if no row is as long."""
    if not fmt.has_block_scale:
        return None
    group = fmt.macro.size if fmt.macro else fmt.block_size
    if group and group > LARGEST_TILE:
        raise UsageError(
            f"NEXT must have groups of at most {LARGEST_TILE} elements, the longest row,"
            f" not the {group} of {fmt.name}"
        )
    return group

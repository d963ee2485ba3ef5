"""What a sweep goes through: lists of options, or a TOML file of them."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from gen.cells import BUILT_IN
from gen.config import Configuration
from gen.configure import CONVERSIONS, LABELS, AnyConfiguration, configure
from gen.errors import UsageError
from golden import BlockFormat

_PARSERS: list[Callable] = [Configuration.parse, *(kind.parse for kind in CONVERSIONS.values())]
PARAMETERS = tuple(
    dict.fromkeys(name for parse in _PARSERS for name in inspect.signature(parse).parameters)
)
"""What names a configuration, and may be a list in a sweep."""
KEYS = tuple(LABELS.get(name, name).lower() for name in PARAMETERS)
"""The same as they are called in a TOML file."""


@dataclass(frozen=True)
class Refusal:
    """A configuration that cannot be, as the user named it, and the sentence that says why."""

    named: str
    reason: str

    def __str__(self) -> str:
        return f"{self.named or 'the default'}: {self.reason}"


@dataclass(frozen=True)
class Plan:
    """A sweep: the union of `grids`, each the product of its lists, on each of `libs`.

    `name` is that of the tables, `command` what repeats it. A grid maps names of :data:`PARAMETERS`
    to lists of values. `flatten`, `power`: as for ``make synth``.
    """

    name: str
    grids: tuple[Mapping[str, Sequence[str]], ...]
    libs: tuple[Path, ...] = (BUILT_IN,)
    command: str = "make sweep"
    flatten: bool | None = None
    power: bool = False

    @classmethod
    def parse(
        cls,
        options: Mapping[str, str | None],
        libs: Sequence[Path | str] = (),
        file: Path | None = None,
        name: str | None = None,
        flatten: bool | None = None,
        power: bool = False,
    ) -> Plan:
        """The sweep of comma lists, or that of a TOML file, whose lists they replace.

        UsageError for a file that cannot be read, an unknown key or an empty list.

        >>> plan = Plan.parse({"fmt": "mxfp4,nvfp4", "k": "32, 64", "unit": None})
        >>> plan.grids
        ({'fmt': ('mxfp4', 'nvfp4'), 'k': ('32', '64')},)
        """
        found = _read(file) if file else {}
        parts = found.pop("sweep", None) or [{}]
        listed = found.pop("lib", ())
        given = {key: value for key, value in options.items() if value is not None}
        grids = tuple(
            {
                PARAMETERS[KEYS.index(key)] if key in KEYS else key: _values(key, value)
                for key, value in (found | part).items()
            }
            | {key: _values(_label(key), value) for key, value in given.items()}
            for part in parts
        )
        paths = tuple(map(Path, libs or (_values("lib", listed) if listed else ())))
        name = name or (file.stem if file else "sweep")
        if not name.replace("-", "").replace("_", "").isalnum():
            raise UsageError(f"NAME must be letters, digits, - and _, not {name!r}")
        words = [f"{_label(key)}={value}" for key, value in given.items()]
        words += [f'LIB="{" ".join(path.name for path in paths)}"'] if paths else []
        words += [f"PLAN={file}"] if file else []
        words += [f"FLATTEN={int(flatten)}"] if flatten is not None else []
        words += ["POWER=1"] if power else []
        return cls(
            name, grids, paths or (BUILT_IN,), " ".join(["make sweep", *words]), flatten, power
        )

    def configurations(self) -> tuple[list[AnyConfiguration], list[Refusal]]:
        """Every configuration once, in order, and those that cannot be."""
        found: dict[AnyConfiguration, None] = {}
        refused = []
        for named in self._named():
            try:
                found[configure(**named)] = None
            except UsageError as error:
                words = (f"{_label(key)}={value}" for key, value in named.items())
                refused.append(Refusal(" ".join(words), str(error)))
        return list(found), refused

    def _named(self) -> Iterator[dict[str, str]]:
        for grid in self.grids:
            for values in product(*grid.values()):
                yield dict(zip(grid, values, strict=True))


def formats_of(configuration: AnyConfiguration) -> tuple[BlockFormat, BlockFormat]:
    """The formats of activations and weights; of a quantizer both are its own."""
    found = configuration.formats
    own = next(iter(found.values()))
    return found.get("a", own), found.get("b", own)


def pair_of(configuration: AnyConfiguration) -> str:
    """The names of a configuration's formats, ``A`` or ``A:B``.

    >>> pair_of(Configuration.parse("dint4")), pair_of(Configuration.parse("nvfp4:nvfp4"))
    ('int8:dint4', 'nvfp4')
    """
    a, b = formats_of(configuration)
    return a.name if a == b else f"{a.name}:{b.name}"


def _label(name: str) -> str:
    """A parameter as a user writes it."""
    return LABELS.get(name, name.upper())


def _read(file: Path) -> dict:
    """A sweep's TOML file; lists at its head hold for every ``[[sweep]]``."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror
        raise UsageError(f"PLAN must be a readable TOML file, not {file}: {reason}") from None
    except ValueError as error:
        raise UsageError(f"PLAN must be a TOML file, which {file} is not: {error}") from None
    parts = found.get("sweep", [])
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise UsageError(f"PLAN must have its parts under [[sweep]], which {file} has not")
    allowed = ("lib", "sweep", *KEYS)
    for keys, names in ((found, allowed), *((part, KEYS) for part in parts)):
        for key in keys:
            if key not in names:
                known = ", ".join(names)
                raise UsageError(f"Keys of {file} must be among {known}, not {key!r}")
    return found


def _values(key: str, value: object) -> tuple[str, ...]:
    """A list of values: a comma list, a number, or a list of text and numbers."""
    items = value.split(",") if isinstance(value, str) else value
    items = items if isinstance(items, list | tuple) else [items]
    texts = tuple(str(item).strip() for item in items)
    if not texts or not all(texts) or any(type(item) not in (str, int) for item in items):
        raise UsageError(f"{key.upper()} must be a list of names or whole numbers, not {value!r}")
    return texts

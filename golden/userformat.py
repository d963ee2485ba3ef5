"""A user's own block format: a TOML file with the fields of golden.formats.BlockFormat.

docs/formats.md documents the keys; every message names the file, the key, the value and what is
allowed.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from golden.formats import (
    E0M8,
    E8M0,
    ELEMENTS,
    FORMATS,
    FP32,
    ROUNDINGS,
    SCALE_RULES,
    UE4M3,
    UE5M2,
    BlockFormat,
    ElementFormat,
    FloatFormat,
    IntFormat,
    Macro,
)
from golden.rules import check_format

_KEYS = ("name", "element", "scale", "block_size", "scale_rule", "rounding", "sides")
KEYS = (*_KEYS, "tensor_scale", "macro")
FLOAT_KEYS = ("exponent_width", "mantissa_width", "bias", "specials")
INT_KEYS = ("width", "fraction_width")
SCALES = {f.name: f for f in (E8M0, UE4M3, UE5M2, FP32)}
_METHODS = ("static", "dynamic", "hybrid")


def load_format(path: str | Path) -> BlockFormat:
    """The block format that a TOML file describes.

    Raises ValueError for a file that cannot be read, is no TOML, or has a key or value that is not
    allowed.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "mxfp4_b64.toml")
    ...     _ = Path(path).write_text('element = "e2m1"\\nscale = "e8m0"\\nblock_size = 64')
    ...     load_format(path).name
    'mxfp4_b64'
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ValueError(f"{path} must be a readable file, not one with: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} must be TOML, not text with: {error}") from None
    try:
        return parse_format(table, path.stem)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def parse_format(table: dict[str, Any], default_name: str = "custom") -> BlockFormat:
    """The block format of a parsed TOML table. Raises ValueError as :func:`load_format` does.

    >>> parse_format({"element": "int4", "scale": "ue4m3", "block_size": 16, "sides": 2}).sides
    2
    """
    _known(table, KEYS, "key")
    name = table.get("name", default_name)
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"name must be lower-case letters, digits and underscores, not {name!r}")
    if name in FORMATS:
        raise ValueError(f"name must be none of the catalogue's, not {name!r}")
    if "element" not in table:
        raise ValueError("element must be given, a name or a table")
    element = _element(table["element"], name)
    scale = _choice(table, "scale", tuple(SCALES), None)
    rule = _choice(table, "scale_rule", SCALE_RULES, "amax" if scale in ("fp32", None) else "floor")
    size = None
    if scale != "fp32" and scale is not None:
        size = _integer(table, "block_size", 8, 256, 32)
    elif "block_size" in table:
        size = _integer(table, "block_size", 1, 1 << 20, None)
    macro = None
    if "macro" in table:
        inner = _table(table, "macro", ("size", "method"))
        method = _choice(inner, "method", _METHODS, "hybrid", "macro.")
        macro = Macro(_integer(inner, "size", 8, 4096, 128, "macro."), E0M8, method)
    tensor_scale = table.get("tensor_scale", False)
    if not isinstance(tensor_scale, bool):
        raise ValueError(f"tensor_scale must be true or false, not {tensor_scale!r}")
    fmt = BlockFormat(
        name,
        element,
        None if scale is None else SCALES[scale],
        size,
        rule,
        _choice(table, "rounding", ROUNDINGS, "nearest_even"),
        _integer(table, "sides", 1, 2, 1),
        tensor_scale,
        macro,
    )
    check_format(fmt)
    return fmt


def _element(value: Any, name: str) -> ElementFormat:
    """An element by name, or from a table of a float's or an integer's fields."""
    if isinstance(value, str):
        if value not in ELEMENTS:
            raise ValueError(f"element must be one of {', '.join(ELEMENTS)}, not {value!r}")
        return ELEMENTS[value]
    if not isinstance(value, dict):
        raise ValueError(f"element must be a name or a table, not {value!r}")
    if "width" in value:
        _known(value, INT_KEYS, "element key")
        width = _integer(value, "width", 2, 8, None, "element.")
        fraction = _integer(value, "fraction_width", 0, width - 1, 0, "element.")
        return IntFormat(f"{name}_element", width, fraction)
    _known(value, FLOAT_KEYS, "element key")
    e = _integer(value, "exponent_width", 1, 5, None, "element.")
    m = _integer(value, "mantissa_width", 1, 6, None, "element.")
    if e + m > 7:
        raise ValueError(f"element must have at most 8 bits, not {1 + e + m}")
    bias = _integer(value, "bias", 0, 31, (1 << (e - 1)) - 1, "element.")
    specials = _choice(value, "specials", ("none", "nan", "ieee"), "none", "element.")
    if specials == "ieee" and e < 2:
        raise ValueError("element.specials must be none or nan for one exponent bit, not 'ieee'")
    return FloatFormat(f"{name}_element", 1 + e + m, e, m, bias, specials)


def _known(table: dict[str, Any], keys: tuple[str, ...], what: str) -> None:
    for key in table:
        if key not in keys:
            raise ValueError(f"{what} must be one of {', '.join(keys)}, not {key!r}")


def _table(table: dict[str, Any], key: str, keys: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(table[key], dict):
        raise ValueError(f"{key} must be a table, not {table[key]!r}")
    _known(table[key], keys, f"{key} key")
    return table[key]


def _integer(
    table: dict[str, Any], key: str, low: int, high: int, default: int | None, prefix: str = ""
) -> int:
    value = table.get(key, default)
    if value is None:
        raise ValueError(f"{prefix}{key} must be given, an integer from {low} to {high}")
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{prefix}{key} must be an integer from {low} to {high}, not {value!r}")
    return value


def _choice(
    table: dict[str, Any], key: str, allowed: tuple[str, ...], default: Any, prefix: str = ""
) -> Any:
    if key not in table:
        return default
    if table[key] not in allowed:
        raise ValueError(f"{prefix}{key} must be one of {', '.join(allowed)}, not {table[key]!r}")
    return table[key]

"""From what a user types to a configuration of any unit."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .config import Configuration
from .conversion import Dequantization, Quantization
from .errors import UsageError
from .limits import UNITS as PRODUCTS
from .requantization import Requantization

AnyConversion = Quantization | Dequantization | Requantization
AnyConfiguration = Configuration | AnyConversion

CONVERSIONS: dict[str, type[AnyConversion]] = {
    "quantizer": Quantization,
    "dequantizer": Dequantization,
    "requantize": Requantization,
}
UNITS = (*PRODUCTS, *CONVERSIONS)
LABELS = {"source": "IN", "following": "NEXT"}


def configure(unit: str | None = None, **named: Any) -> AnyConfiguration:
    """The configuration of ``unit`` (by default ``mac``) with these parameters, None or "" for
    those left out. UsageError for anything the hardware cannot do."""
    unit = unit or UNITS[0]
    if unit not in UNITS:
        raise UsageError(f"Unit must be one of {', '.join(UNITS)}, not {unit!r}")
    given = {name: value for name, value in named.items() if value not in (None, "")}
    parse: Callable[..., AnyConfiguration] = Configuration.parse
    if unit in CONVERSIONS:
        parse = CONVERSIONS[unit].parse
    else:
        given["unit"] = unit
    known = inspect.signature(parse).parameters
    for name, value in given.items():
        if name not in known:
            label = LABELS.get(name, name.upper())
            raise UsageError(f"{label} must be left out for unit {unit}, not {value!r}")
    return parse(**given)

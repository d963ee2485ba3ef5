"""Element and scale formats: what one code stands for.

Sources: OCP Microscaling Formats (MX) v1.0, OCP FP8 v1.0, arXiv 2311.05161 (dINT).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class FloatFormat:
    """A floating-point code: sign | exponent | mantissa from the most significant bit.

    ``specials``: "none", "nan" (all ones is NaN, no Inf) or "ieee" (largest exponent is Inf and
    NaN). Without ``signed`` the bits above the exponent are zero; without ``subnormals`` exponent 0
    is an exponent like any other, and there is no zero.
    """

    name: str
    width: int
    exponent_width: int
    mantissa_width: int
    bias: int
    specials: str = "none"
    signed: bool = True
    subnormals: bool = True

    @property
    def min_exponent(self) -> int:
        """Exponent of the smallest normal value, and of every subnormal."""
        return (1 if self.subnormals else 0) - self.bias

    @cached_property
    def max_exponent(self) -> int:
        """Exponent of the largest finite value."""
        return int(np.frexp(self.largest)[1]) - 1

    @cached_property
    def largest(self) -> float:
        """The largest finite value."""
        return float(np.max(self.values, where=np.isfinite(self.values), initial=0.0))

    @property
    def ulp_exponent(self) -> int:
        """Exponent of the smallest subnormal, whose power of two divides every finite value."""
        return self.min_exponent - self.mantissa_width

    @property
    def has_nan(self) -> bool:
        return self.specials != "none"

    @property
    def has_inf(self) -> bool:
        return self.specials == "ieee"

    @cached_property
    def nan_code(self) -> int | None:
        """The code that marks a NaN (all exponent and mantissa bits set), or None."""
        return (1 << (self.exponent_width + self.mantissa_width)) - 1 if self.has_nan else None

    @cached_property
    def values(self) -> np.ndarray:
        """Value of every code, float64, shape (2**width,). Raises ValueError above 16 bits."""
        if self.width > 16:
            raise ValueError(f"Width of a value table must be at most 16 bits, not {self.width}")
        code = np.arange(1 << self.width)
        mantissa = code & ((1 << self.mantissa_width) - 1)
        exponent = (code >> self.mantissa_width) & ((1 << self.exponent_width) - 1)
        hidden = (exponent != 0) if self.subnormals else np.ones_like(code)
        scale = np.maximum(exponent, 1 if self.subnormals else 0) - self.bias - self.mantissa_width
        value = np.ldexp(
            (hidden.astype(np.int64) << self.mantissa_width | mantissa).astype(np.float64), scale
        )
        top = exponent == (1 << self.exponent_width) - 1
        all_ones = mantissa == (1 << self.mantissa_width) - 1
        if self.specials == "nan":
            value[top & all_ones] = np.nan
        elif self.specials == "ieee":
            value[top] = np.where(mantissa[top] == 0, np.inf, np.nan)
        sign = code >> (self.exponent_width + self.mantissa_width)
        value = np.where(sign & 1, -value, value) if self.signed else np.where(sign, np.nan, value)
        value.flags.writeable = False
        return value


@dataclass(frozen=True)
class IntFormat:
    """A two's complement integer in units of ``2**-fraction_width``.

    The most negative code only decodes.
    """

    name: str
    width: int
    fraction_width: int = 0

    specials = "none"
    has_nan = False
    has_inf = False
    nan_code = None
    signed = True

    @property
    def largest(self) -> float:
        return ((1 << (self.width - 1)) - 1) / (1 << self.fraction_width)

    @property
    def max_exponent(self) -> int:
        """Exponent of the largest value."""
        return self.width - 2 - self.fraction_width

    @property
    def ulp_exponent(self) -> int:
        return -self.fraction_width

    @cached_property
    def values(self) -> np.ndarray:
        """Value of every code, float64, shape (2**width,)."""
        code = np.arange(1 << self.width)
        value = np.ldexp(
            (code - ((code >> (self.width - 1)) << self.width)).astype(np.float64),
            -self.fraction_width,
        )
        value.flags.writeable = False
        return value


@dataclass(frozen=True)
class DenormalIntFormat:
    """dINT: ``2**width - 2`` uniform levels and, in the last two codes, +1/2 and -1/2 of a step.

    A level is ``u - zero_point``; if ``asymmetric``, every group has a zero point of its own. Which
    code is which, and the zero point 7 of the symmetric form, are our choice; the paper's fragments
    fix only the number of levels and the half steps.
    """

    name: str
    width: int
    zero_point: int
    asymmetric: bool = False

    specials = "none"
    has_nan = False
    has_inf = False
    nan_code = None
    signed = True
    ulp_exponent = -1

    @property
    def levels(self) -> int:
        """How many codes are uniform levels."""
        return (1 << self.width) - 2

    @property
    def largest(self) -> float:
        return float(self.levels - 1 - self.zero_point)

    @property
    def max_exponent(self) -> int:
        return int(np.frexp(self.largest)[1]) - 1

    @cached_property
    def values(self) -> np.ndarray:
        """Value of every code in steps, float64, shape (2**width,)."""
        value = np.append(np.arange(self.levels) - float(self.zero_point), [0.5, -0.5])
        value.flags.writeable = False
        return value


ElementFormat = FloatFormat | IntFormat | DenormalIntFormat

"""A quantized tensor: codes, scale codes, and how they belong together."""

from dataclasses import dataclass

import numpy as np

from golden.formats import BlockFormat, DenormalIntFormat, FloatFormat, resolve


@dataclass(frozen=True, eq=False)
class Quantized:
    """What :func:`golden.quantize` returns and :func:`golden.matmul` takes.

    ``codes``: uint8 (uint16 for 16-bit elements), ``shape`` with ``axis`` zero-padded to whole
    blocks. ``scales``: uint8 scale codes with the blocks along ``axis``, a last axis of 2 =
    (positive, negative) if two-sided; float32 values for a binary32 scale; None for formats
    without. ``axis``: where blocks run, counted from the front; None when one scale covers the
    whole tensor. ``tensor_scale``: float32, or None. ``macro_scales``: e0m8 codes, macro blocks
    along ``axis``, or None. ``zero_points``: uint8, shaped like ``scales``, for asymmetric dINT, or
    None.
    """

    format: BlockFormat
    codes: np.ndarray
    scales: np.ndarray | None
    shape: tuple[int, ...]
    axis: int | None
    tensor_scale: np.float32 | None = None
    macro_scales: np.ndarray | None = None
    zero_points: np.ndarray | None = None


def padded(length: int, block: int | None) -> int:
    """``length`` rounded up to whole blocks.

    >>> padded(33, 32), padded(33, None)
    (64, 33)
    """
    return length if block is None else -(-length // block) * block


def normal_axis(axis: int, ndim: int) -> int:
    """``axis`` counted from the front.

    Raises ValueError outside -ndim..ndim-1, TypeError for what is no int.

    >>> normal_axis(-1, 2)
    1
    """
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise TypeError(f"Axis must be an int, not {axis!r}")
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"Axis must be from {-ndim} to {ndim - 1} for {ndim} dimensions, not {axis}"
        )
    return int(axis) % ndim


def from_codes(
    codes: np.ndarray,
    fmt: BlockFormat | str,
    scales: np.ndarray | None = None,
    axis: int = -1,
    tensor_scale: float | None = None,
    macro_scales: np.ndarray | None = None,
    zero_points: np.ndarray | None = None,
) -> Quantized:
    """Operands that are codes already, as a :class:`Quantized`.

    ``codes``: unsigned integers of at least one dimension, whole blocks along ``axis``, each below
    ``2**element.width``. ``scales``: scale codes below ``2**scale.width`` (0..127 for ``ue4m3`` and
    ``ue5m2``), blocks along ``axis``, or float32 values for a binary32 scale; None for formats
    without. ``tensor_scale``: for formats that have one; 1 if not given.
    Raises TypeError for other kinds of numbers, ValueError for shapes or codes that do not fit.

    >>> q = from_codes(np.full((2, 32), 2, np.uint8), "mxfp4", np.full((2, 1), 128, np.uint8))
    >>> q.shape
    (2, 32)
    """
    fmt = resolve(fmt)
    codes = _unsigned("Codes", codes, fmt.element.width)
    if codes.ndim == 0 or 0 in codes.shape:
        raise ValueError(
            f"Codes must have at least one element along every axis, not shape {codes.shape}"
        )
    axis = normal_axis(axis, codes.ndim)
    length = codes.shape[axis]
    if fmt.scale is None:
        if scales is not None:
            raise ValueError(f"Scales must be None for {fmt.name}, which has no scale")
    else:
        if scales is None:
            raise ValueError(f"Scales must be given for {fmt.name}, not None")
        block = fmt.block_size or length
        if length % block:
            raise ValueError(
                f"Codes must be whole blocks of {block} along axis {axis}, not {length}"
            )
        shape = (
            codes.shape[:axis]
            + (length // block,)
            + codes.shape[axis + 1 :]
            + (2,) * (fmt.sides - 1)
        )
        scales = _scales(scales, fmt.scale, fmt.name, shape)
    if tensor_scale is not None and not fmt.tensor_scale:
        raise ValueError(f"Tensor scale must be None for {fmt.name}, not {tensor_scale}")
    t = np.float32(1 if tensor_scale is None else tensor_scale) if fmt.tensor_scale else None
    if fmt.macro is None:
        _refuse("Macro scales", macro_scales, fmt)
    else:
        count = -(-length // fmt.macro.size)
        shape = codes.shape[:axis] + (count,) + codes.shape[axis + 1 :]
        factor = fmt.macro.factor
        macro_scales = _side_codes("Macro scales", macro_scales, factor.mantissa_width, shape)
    if isinstance(fmt.element, DenormalIntFormat) and fmt.element.asymmetric and scales is not None:
        zero_points = _side_codes("Zero points", zero_points, fmt.element.width, scales.shape)
        if zero_points.max() >= fmt.element.levels:
            last = fmt.element.levels - 1
            raise ValueError(f"Zero points must be from 0 to {last}, not {zero_points.max()}")
    else:
        _refuse("Zero points", zero_points, fmt)
    return Quantized(fmt, codes, scales, codes.shape, axis, t, macro_scales, zero_points)


def _refuse(what: str, value: np.ndarray | None, fmt: BlockFormat) -> None:
    if value is not None:
        raise ValueError(f"{what} must be None for {fmt.name}, which has none")


def _side_codes(
    what: str, codes: np.ndarray | None, width: int, shape: tuple[int, ...]
) -> np.ndarray:
    """Codes of a given shape beside the elements, zeros if None."""
    codes = _unsigned(what, np.zeros(shape, np.uint8) if codes is None else codes, width)
    if codes.shape != shape:
        raise ValueError(f"{what} must have shape {shape}, not {codes.shape}")
    return codes


def _scales(
    scales: np.ndarray, scale: FloatFormat, name: str, shape: tuple[int, ...]
) -> np.ndarray:
    """Checked scale codes, or float32 values of binary32 scales."""
    if scale.width > 8:
        scales = np.asarray(scales)
        if scales.dtype != np.float32:
            raise TypeError(f"Scales of {name} must be float32, not {scales.dtype}")
        if not np.isfinite(scales).all():
            raise ValueError(f"Scales of {name} must be finite")
    else:
        scales = _unsigned("Scales", scales, scale.exponent_width + scale.mantissa_width)
    if scales.shape != shape:
        raise ValueError(f"Scales of {name} must have shape {shape}, not {scales.shape}")
    return scales


def _unsigned(what: str, codes: np.ndarray, width: int) -> np.ndarray:
    """Codes as the smallest unsigned type, checked against their width."""
    codes = np.asarray(codes)
    if codes.dtype.kind not in "ui":
        raise TypeError(f"{what} must be integers, not {codes.dtype}")
    if codes.size and (codes.min() < 0 or codes.max() >> width):
        bad = codes.min() if codes.min() < 0 else codes.max()
        raise ValueError(f"{what} must be from 0 to {(1 << width) - 1}, not {bad}")
    return codes.astype(np.uint8 if width <= 8 else np.uint16)

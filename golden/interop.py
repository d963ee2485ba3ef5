"""Quantized tensors to ml_dtypes arrays and back; ml_dtypes is imported only when called."""

from typing import Any

import numpy as np

from golden.formats import BlockFormat, FloatFormat, IntFormat, resolve
from golden.quantized import Quantized, from_codes

_ELEMENTS = {
    "e2m1": "float4_e2m1fn",
    "e2m3": "float6_e2m3fn",
    "e3m2": "float6_e3m2fn",
    "e4m3": "float8_e4m3fn",
    "e5m2": "float8_e5m2",
    "bf16": "bfloat16",
    "fp16": "float16",
    "mxint8": "int8",
    "int8": "int8",
    "int4": "int4",
}
_SCALES = {"e8m0": "float8_e8m0fnu", "ue4m3": "float8_e4m3fn", "ue5m2": "float8_e5m2"}


def dtype_of(fmt: Any) -> np.dtype:
    """The ml_dtypes (or NumPy) type of an element or scale format.

    Raises TypeError for formats without one, such as dINT4 or a user's own float.

    >>> from golden.formats import E2M1
    >>> dtype_of(E2M1).name
    'float4_e2m1fn'
    """
    import ml_dtypes

    name = _ELEMENTS.get(fmt.name) or _SCALES.get(fmt.name)
    if fmt.name == "fp32":
        name = "float32"
    if name is None:
        raise TypeError(f"Format must be one that ml_dtypes has, not {fmt.name}")
    return np.dtype(getattr(ml_dtypes, name, None) or name)


def to_ml_dtypes(q: Quantized) -> tuple[np.ndarray, np.ndarray | None]:
    """Elements and scales of a quantized tensor as ml_dtypes arrays of the same shapes.

    mxint8 elements are int8 in units of 2**-6; an unused sign bit of a scale is 0.

    >>> from golden import quantize
    >>> elements, scales = to_ml_dtypes(quantize(np.float32([1, -6]), "mxfp4"))
    >>> elements[:2].astype(float).tolist(), scales.astype(float).tolist()
    ([1.0, -6.0], [1.0])
    """
    fmt = q.format
    kind = dtype_of(fmt.element)
    if isinstance(fmt.element, IntFormat):
        spare = 8 - fmt.element.width
        elements = ((q.codes << spare).astype(np.uint8).view(np.int8) >> spare).astype(kind)
    else:
        elements = q.codes.view(kind)
    if q.scales is None or fmt.scale is None:
        return elements, None
    return elements, q.scales if fmt.scale.width > 8 else q.scales.view(dtype_of(fmt.scale))


def from_ml_dtypes(
    elements: np.ndarray,
    fmt: BlockFormat | str,
    scales: np.ndarray | None = None,
    axis: int = -1,
    tensor_scale: float | None = None,
) -> Quantized:
    """A quantized tensor from ml_dtypes arrays; shapes as :func:`golden.from_codes` has them.

    Raises TypeError for arrays of other types than the format's.

    >>> import ml_dtypes
    >>> x = np.array([1.5, -448], ml_dtypes.float8_e4m3fn)
    >>> from_ml_dtypes(x, "fp8_e4m3").codes.tolist()
    [60, 254]
    """
    fmt = resolve(fmt)
    element = fmt.element
    _check_type("Elements", elements, dtype_of(element))
    if isinstance(element, FloatFormat):
        codes = elements.view(np.uint8 if element.width <= 8 else np.uint16)
    else:
        codes = elements.astype(np.int8).view(np.uint8) & np.uint8((1 << element.width) - 1)
    if scales is not None and fmt.scale is not None:
        _check_type("Scales", scales, dtype_of(fmt.scale))
        if fmt.scale.width <= 8:
            scales = scales.view(np.uint8)
    return from_codes(codes, fmt, scales, axis, tensor_scale)


def _check_type(what: str, array: np.ndarray, kind: np.dtype) -> None:
    if np.asarray(array).dtype != kind:
        raise TypeError(f"{what} must be {kind.name}, not {np.asarray(array).dtype.name}")

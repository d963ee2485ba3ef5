"""Which fields of a block format go together."""

from golden.formats import ROUNDINGS, SCALE_RULES, BlockFormat, DenormalIntFormat, FloatFormat


def check_format(fmt: BlockFormat) -> None:
    """Raises ValueError, which names the field, unless a format's fields go together.

    >>> from golden.formats import get_format
    >>> check_format(get_format("mxfp4"))
    """
    if fmt.scale_rule not in SCALE_RULES:
        allowed = ", ".join(SCALE_RULES)
        raise ValueError(f"scale_rule must be one of {allowed}, not {fmt.scale_rule!r}")
    if fmt.rounding not in ROUNDINGS:
        raise ValueError(f"rounding must be one of {', '.join(ROUNDINGS)}, not {fmt.rounding!r}")
    if fmt.sides not in (1, 2):
        raise ValueError(f"sides must be 1 or 2, not {fmt.sides!r}")
    size = fmt.block_size
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise ValueError(f"block_size must be a positive integer or None, not {size!r}")
    if fmt.scale is None:
        if not isinstance(fmt.element, FloatFormat):
            raise ValueError(f"scale must be given for {fmt.element.name} elements, not None")
        if fmt.sides == 2 or fmt.tensor_scale or fmt.macro is not None:
            raise ValueError("scale must be given for two sides, tensor scales and macro blocks")
        if not fmt.element.has_nan:
            raise ValueError(f"scale must be given for {fmt.element.name}, which has no NaN")
        return
    if fmt.scale.width > 8 and fmt.scale.name != "fp32":
        raise ValueError(f"scale must have at most 8 bits or be fp32, not {fmt.scale.name}")
    if fmt.element.width > 8:
        raise ValueError(f"element must have at most 8 bits under a scale, not {fmt.element.name}")
    if isinstance(fmt.element, DenormalIntFormat) and fmt.sides == 2:
        raise ValueError("sides must be 1 for dINT elements, not 2")
    if fmt.tensor_scale and (fmt.scale.width > 8 or fmt.scale.mantissa_width == 0):
        raise ValueError(f"tensor_scale must be false for {fmt.scale.name} scales, not true")
    if fmt.macro is not None:
        if fmt.macro.method not in ("static", "dynamic", "hybrid"):
            method = fmt.macro.method
            raise ValueError(f"macro.method must be static, dynamic or hybrid, not {method!r}")
        if fmt.scale.mantissa_width or fmt.scale.width > 8 or fmt.sides != 1 or not size:
            raise ValueError("macro must have one-sided e8m0 scales of a block size below it")
        if fmt.macro.size % size:
            raise ValueError(f"macro.size must be a multiple of {size}, not {fmt.macro.size}")

"""Matrix units in the field, as MMA-Sim (arXiv 2511.10909) found them: fused sums of L addends.

``hopper_fp8`` was checked against silicon, all of them against mmasim (docs/agreement.md).
"""

from dataclasses import dataclass

from golden.formats import BlockFormat
from golden.fused import Accumulator

_NAN = 0x7FFFFFFF
_NARROW = ("e4m3", "e5m2", "e3m2", "e2m3", "e2m1")


@dataclass(frozen=True)
class Preset:
    """One matrix unit: which operands it takes, and how it adds them.

    ``elements``: the element formats of both operands, in any mix. ``scales``: their scale formats,
    empty for plain operands. ``length``: products per fused sum (L); a longer K is a chain.
    ``size``: products summed exactly before they are aligned.
    """

    name: str
    elements: tuple[str, ...]
    scales: tuple[str, ...]
    length: int
    size: int
    accumulator: Accumulator


def _preset(
    name: str, elements: tuple[str, ...], length: int, bits: int, zero: int, output: int = 23
) -> Preset:
    accumulator = Accumulator(bits, zero, output, truncate=True, nan=_NAN, signed_zero=False)
    scales: tuple[str, ...] = ()
    size = 1
    if name.startswith("blackwell"):
        scales, size = ("e8m0",), 1 if length == 32 else 16
    if name == "blackwell_nvfp4":
        scales = ("ue4m3", "e8m0")
    return Preset(name, elements, scales, length, size, accumulator)


PRESETS = {
    p.name: p
    for p in (
        _preset("ampere_fp16", ("fp16",), 8, 24, -132),
        _preset("ampere_bf16", ("bf16",), 8, 24, -132),
        _preset("hopper_fp16", ("fp16",), 16, 25, -133),
        _preset("hopper_bf16", ("bf16",), 16, 25, -133),
        _preset("hopper_fp8", ("e4m3", "e5m2"), 32, 13, -133, 13),
        # One unit takes every mix of the five narrow floats; each name says what it is asked for.
        _preset("blackwell_mxfp8", _NARROW, 32, 25, -133),
        _preset("blackwell_mxfp6", _NARROW, 32, 25, -133),
        _preset("blackwell_mxfp4", _NARROW, 32, 25, -133),
        _preset("blackwell_nvfp4", ("e2m1",), 64, 35, -139),
        _preset("blackwell_mxfp4_k64", ("e2m1",), 64, 35, -139),
    )
}


def check_operands(preset: Preset, *formats: BlockFormat) -> None:
    """Raises ValueError unless the preset's matrix unit takes operands of these formats.

    >>> from golden.formats import get_format
    >>> check_operands(PRESETS["hopper_fp8"], get_format("fp8_e4m3"), get_format("fp8_e5m2"))
    """
    for fmt in formats:
        if fmt.element.name not in preset.elements:
            raise ValueError(
                f"Elements for {preset.name} must be one of {', '.join(preset.elements)}, "
                f"not {fmt.element.name}"
            )
        scale = "none" if fmt.scale is None else fmt.scale.name
        if scale not in (preset.scales or ("none",)) or fmt.sides != 1 or fmt.macro is not None:
            allowed = " or ".join(preset.scales) if preset.scales else "none"
            raise ValueError(
                f"Scales for {preset.name} must be one-sided {allowed}, not those of {fmt.name}"
            )
        if fmt.block_size is not None and preset.length % fmt.block_size:
            raise ValueError(
                f"Block size for {preset.name} must divide {preset.length}, not {fmt.block_size}"
            )

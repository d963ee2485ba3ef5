"""docs/formats.md from the catalogue: ``python -m gen.formats_page`` writes it."""

from pathlib import Path

from golden.arith import GROUP_FRACTION_BITS, PRODUCT_FRACTION_BITS
from golden.formats import (
    ELEMENTS,
    FORMATS,
    ROUNDINGS,
    SCALE_RULES,
    SCALES,
    BlockFormat,
    DenormalIntFormat,
    ElementFormat,
    FloatFormat,
)
from golden.presets import PRESETS
from golden.userformat import SCALES as USER_SCALES

PAGE = Path(__file__).parent.parent / "docs" / "formats.md"
_TEXT = PAGE.with_suffix(".md.in")


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def formats_page() -> str:
    """The text of docs/formats.md: the words of formats.md.in around the catalogue's tables.

    >>> formats_page().startswith("# Formats")
    True
    """
    parts = {
        "ELEMENTS": _elements(),
        "VALUES": _values(),
        "SCALES": _scales(),
        "FORMATS": _formats(),
        "PRESETS": _presets(),
        "RULES": ", ".join(f"`{r}`" for r in SCALE_RULES),
        "ROUNDINGS": ", ".join(f"`{r}`" for r in ROUNDINGS),
        "ELEMENT_NAMES": ", ".join(f"`{e}`" for e in ELEMENTS),
        "SCALE_NAMES": ", ".join(f"`{s}`" for s in USER_SCALES),
        "GROUP_BITS": str(GROUP_FRACTION_BITS),
        "PRODUCT_BITS": str(PRODUCT_FRACTION_BITS),
    }
    text = _TEXT.read_text(encoding="utf-8")
    for key, value in parts.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e6 and value == round(value, 6) else f"{value:.4g}"


def _kind(element: ElementFormat) -> str:
    if isinstance(element, FloatFormat):
        return f"1 + {element.exponent_width} + {element.mantissa_width}, bias {element.bias}"
    if isinstance(element, DenormalIntFormat):
        return f"{element.levels} levels and ±1/2"
    units = f" in 2^-{element.fraction_width}" if element.fraction_width else ""
    return f"two's complement{units}"


def _specials(fmt: FloatFormat) -> str:
    return {"none": "none", "nan": "NaN", "ieee": "Inf, NaN"}[fmt.specials]


def _elements() -> str:
    rows = []
    for e in ELEMENTS.values():
        special = _specials(e) if isinstance(e, FloatFormat) else "none"
        smallest = f"2^{e.ulp_exponent}"
        cells = [f"`{e.name}`", str(e.width), _kind(e), _number(e.largest), smallest, special]
        rows.append(cells)
    headings = ["element", "bits", "fields", "largest", "smallest step", "special codes"]
    return table(headings, rows)


def _values() -> str:
    rows = []
    for e in ELEMENTS.values():
        if e.width <= 6:
            half = e.values[: 1 << (e.width - 1)] if isinstance(e, FloatFormat) else e.values
            rows.append([f"`{e.name}`", " ".join(_number(float(v)) for v in half)])
    return table(
        ["element", "values in the order of their codes (floats: the positive half)"], rows
    )


def _scales() -> str:
    text = {
        "e8m0": "2^(code - 127); 0xFF is NaN; no zero",
        "ue4m3": "as `e4m3` without a sign; 0x7F is NaN",
        "ue5m2": "as `e5m2` without a sign; 0x7C to 0x7F read as NaN, 0x7F is written",
        "e0m8": "1 + code / 256, the factor of a macro block",
        "fp32": "binary32, applied outside the matrix unit",
    }
    return table(
        ["scale", "bits", "value"],
        [[f"`{s.name}`", str(s.width), text[s.name]] for s in SCALES.values()],
    )


def _formats() -> str:
    return table(
        ["format", "element", "block", "scales", "rule", "rounding", "bits/element"],
        [_row(f) for f in FORMATS.values()],
    )


def _row(f: BlockFormat) -> list[str]:
    scales, rule, block = "none", "", "none"
    if f.scale is not None:
        scales = f"{f.sides} `{f.scale.name}`"
        rule = f.scale_rule
        block = "row, or any group" if f.block_size is None else str(f.block_size)
    if f.tensor_scale:
        scales += ", 1 `fp32` per tensor"
    if f.macro is not None:
        scales += f", 1 `{f.macro.factor.name}` per {f.macro.size} ({f.macro.method})"
    bits = f"{f.bits_per_element:g}"
    return [f"`{f.name}`", f"`{f.element.name}`", block, scales, rule, f.rounding, bits]


def _presets() -> str:
    rows = []
    for p in PRESETS.values():
        acc = p.accumulator
        products = "products" if p.size == 1 else f"groups of {p.size}"
        elements = ", ".join(p.elements) + (f" x {' or '.join(p.scales)}" if p.scales else "")
        numbers = [str(n) for n in (p.length, acc.fraction_bits, acc.zero_exponent)]
        rows.append([f"`{p.name}`", elements, products, *numbers, str(acc.output_fraction)])
    headings = [
        "preset",
        "operands",
        "addends",
        "L",
        "F",
        "exponent of zeros",
        "output fraction bits",
    ]
    return table(headings, rows)


if __name__ == "__main__":
    PAGE.write_text(formats_page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")

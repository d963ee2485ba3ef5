"""Agreement with other models and with silicon: ``python -m verif.peers [FILE]``.

It writes docs/agreement.md. Optional: it needs ml_dtypes, gfloat and mmasim (which brings torch).
FILE is a set of wgmma vectors like the slice in verif/vectors, taken by default.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from gen.formats_page import table
from golden import from_codes, matmul
from verif.campaign import campaign_rows
from verif.peers_mmasim import compare
from verif.peers_values import gfloat_block_rows, gfloat_rows, ml_dtypes_rows

PAGE = Path(__file__).parent.parent / "docs" / "agreement.md"
SLICE = Path(__file__).parent / "vectors" / "h200_wgmma_fp8.npz"

TEXT = """# Agreement with others

Written by `python -m verif.peers`, with ml_dtypes {ml_dtypes}, gfloat {gfloat}, mmasim {mmasim}
and torch {torch}. Equal means the same value, NaN as NaN, +0 and -0 told apart; of matrix units,
the same bits.

## Fractions

`verif/oracle.py` and `verif/oracle_quantize.py` write the arithmetic down once more, in exact
fractions, and share no code with golden. All 2^16 bfloat16 values in blocks of four through every
stored format, and random blocks of eight through every combination of element, rule, scale
format, rounding and sides (`python -m verif.campaign`):

{campaign_table}

## ml_dtypes

Every code decoded, and every bfloat16 value within the element's range cast.

{ml_dtypes_table}

Where they differ: out of range our quantizers saturate, as the MX formats do, while ml_dtypes'
casts give Inf or NaN (`e4m3`, `e5m2`, `bf16`, `fp16`) or saturate (the narrow ones). Our plain
`fp8_e4m3`, `fp8_e5m2`, `bf16` and `fp16` do as ml_dtypes does, but for the code of NaN, which is
all ones here.

## gfloat

Every code decoded, and every finite bfloat16 value cast, saturating, by both roundings.

{gfloat_table}

Where they differ: gfloat rounds to `mxint8`'s -2 (code 0x80), which our quantizer never produces;
that is all of the missing ones, in the blocks too.

Blocks with the `floor` rule, dequantized, 2,000 random blocks of 32:

{gfloat_blocks}

## mmasim

Outputs of every matrix-unit preset on random codes (all of them, NaN and Inf included), on sparse
ones and on tiny ones; the slice in `verif/vectors/mmasim.npz` is what `make test` checks.

{mmasim_table}

## Silicon

`hopper_fp8` beside the `wgmma` m64n8k32 instruction of an NVIDIA H200, NaN and Inf included:

{silicon_table}
"""


def silicon_rows(path: Path) -> list[list[str]]:
    """A row per operand pair: how many outputs of the vectors are reproduced."""
    vectors = np.load(path)
    rows = []
    for pair in ("e4m3_e4m3", "e5m2_e5m2", "e4m3_e5m2"):
        a, b, c, d = (vectors[f"{pair}_{x}"] for x in "abcd")
        fa, fb = (f"fp8_{e}" for e in pair.split("_"))
        same = 0
        for i in range(len(a)):
            start = c[i].view(np.float32)
            got = matmul(from_codes(a[i], fa), from_codes(b[i], fb), "hopper_fp8", c=start)
            same += int((got.view(np.uint32) == d[i]).sum())
        rows.append([f"`{fa}`", f"`{fb}`", f"{same:,} of {d.size:,}"])
    return rows


def main() -> None:
    """Run every comparison, print the page and write it."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else SLICE
    text = TEXT.format(
        **{name: version(name) for name in ("ml_dtypes", "gfloat", "mmasim", "torch")},
        campaign_table=table(["blocks", "equal"], campaign_rows()),
        ml_dtypes_table=table(["element", "codes", "casts"], ml_dtypes_rows()),
        gfloat_table=table(["element", "codes", "ties to even", "ties away"], gfloat_rows()),
        gfloat_blocks=table(["format", "elements"], gfloat_block_rows()),
        mmasim_table=table(["preset", "a", "b", "outputs"], compare()),
        silicon_table=table(["a", "b", "outputs"], silicon_rows(path)),
    )
    print(text)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

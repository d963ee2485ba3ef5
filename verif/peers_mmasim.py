"""The matrix-unit presets beside the package mmasim, which models the same silicon independently.

Optional: it needs mmasim, which brings torch. ``python -m verif.peers`` runs it, with the other
comparisons; it writes the small slice that ``make test`` checks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from golden import from_codes, get_format, matmul
from golden.formats import E2M1, E2M3, E3M2, E8M0, UE4M3, BlockFormat

VECTORS = Path(__file__).parent / "vectors" / "mmasim.npz"
KEPT = {"blackwell_mxfp8": 8, "blackwell_mxfp6": 8}  # rows of each matrix in the slice, else 24
OUTPUTS = 12_000


@dataclass(frozen=True)
class Case:
    """One preset on one operand pair, and the name of the instruction in mmasim."""

    preset: str
    a: str
    b: str
    unit: str
    arch: str
    instruction: str
    k: int


def cases() -> list[Case]:
    """Every preset on every operand pair that mmasim and we have."""
    cases = []
    for t in ("fp16", "bf16"):
        ptx = t.replace("fp", "f")
        cases += [
            Case(f"ampere_{t}", t, t, "MMA", "Ampere", f"m16n8k16.f32.{ptx}.{ptx}.f32", 16),
            Case(f"hopper_{t}", t, t, "WGMMA", "Hopper", f"m64n8k16.f32.{ptx}.{ptx}", 16),
        ]
    for a in ("e4m3", "e5m2"):
        for b in ("e4m3", "e5m2"):
            name = f"m64n8k32.f32.{a}.{b}"
            cases.append(Case("hopper_fp8", f"fp8_{a}", f"fp8_{b}", "WGMMA", "Hopper", name, 32))
    mx = {"e4m3": "mxfp8_e4m3", "e5m2": "mxfp8_e5m2", "e3m2": "mxfp6_e3m2", "e2m3": "mxfp6_e2m3"}
    mx["e2m1"] = "mxfp4"
    presets = {"e4m3": "blackwell_mxfp8", "e3m2": "blackwell_mxfp6", "e2m1": "blackwell_mxfp4"}
    for a, preset in presets.items():
        for b in mx if a != "e2m1" else ("e2m1",):
            name = f"m128n8k32.kind::mxf8f6f4.block32.f32.{a}.{b}.ue8m0"
            cases.append(Case(preset, mx[a], mx[b], "TCGen05MMABlockScale", "Blackwell", name, 32))
    for preset, fmt, kind in (
        ("blackwell_nvfp4", "nvfp4", "mxf4nvf4.block16.f32.e2m1.e2m1.ue4m3"),
        ("blackwell_mxfp4_k64", "mxfp4", "mxf4.block32.f32.e2m1.e2m1.ue8m0"),
    ):
        name = f"m128n8k64.kind::{kind}"
        cases.append(Case(preset, fmt, fmt, "TCGen05MMABlockScale", "Blackwell", name, 64))
    return cases


def operands(rng: np.random.Generator, fmt: BlockFormat, rows: int, k: int, kind: int):
    """Random codes (rows, k) and scale codes; ``kind`` 0 all codes, 1 sparse and tame, 2 tiny."""
    width = fmt.element.width
    codes = rng.integers(0, 1 << width, (rows, k))
    if kind:
        finite = np.flatnonzero(np.isfinite(fmt.element.values))
        codes = finite[rng.integers(0, len(finite), (rows, k))]
        if width == 16:
            center = np.clip(rng.standard_normal((rows, k)) * 2.0**6, -60000, 60000)
            if kind == 2 and fmt.element.exponent_width == 8:
                center = np.ldexp(center, rng.integers(-88, -70, (rows, k)))
            table = fmt.element.values[finite]
            order = np.argsort(table)
            codes = finite[order[np.searchsorted(table[order], center)]]
        codes[rng.random((rows, k)) < 0.3] = 0
    codes = codes.astype(np.uint8 if width <= 8 else np.uint16)
    if fmt.scale is None:
        return codes, None
    shape = (rows, k // fmt.block_size)
    if fmt.scale is E8M0:
        low, high = [(0, 256), (120, 136), (46, 58)][kind]
    else:
        low, high = [(0, 128), (40, 80), (0, 10)][kind]
    return codes, rng.integers(low, high, shape).astype(np.uint8)


def starts(rng: np.random.Generator, shape: tuple[int, int], kind: int) -> np.ndarray:
    """Accumulator bits: any, near one, or near the smallest."""
    bits = rng.integers(0, 1 << 32, shape, dtype=np.uint32)
    if kind:
        exponent = rng.integers(*((115, 145) if kind == 1 else (0, 30)), shape).astype(np.uint32)
        bits = (bits & np.uint32(0x807FFFFF)) | exponent << np.uint32(23)
        bits[rng.random(shape) < (0.2 if kind == 1 else 0.6)] = 0
    return bits


def peer(case: Case) -> Callable[..., np.ndarray]:
    """mmasim's operation on code arrays: (a, scales_a, b, scales_b, c bits) to bits."""
    import mmasim.nv_ptx
    import torch

    operation = getattr(mmasim.nv_ptx, case.unit)(case.arch, case.instruction)

    def tensor(fmt: BlockFormat, codes: np.ndarray):
        if fmt.element in (E2M1, E2M3, E3M2):
            # mmasim's own layouts: packed with the even index high, or 4-bit codes two bits up.
            if case.k == 64:
                codes = codes[:, ::2] << 4 | codes[:, 1::2]
            elif fmt.element is E2M1:
                codes = codes << 2
            return torch.from_numpy(codes)
        types = {
            "fp16": torch.float16,
            "bf16": torch.bfloat16,
            "e4m3": torch.float8_e4m3fn,
            "e5m2": torch.float8_e5m2,
        }
        return torch.from_numpy(codes).view(types[fmt.element.name])

    def scale(fmt: BlockFormat, scales: np.ndarray):
        kind = torch.float8_e4m3fn if fmt.scale is UE4M3 else torch.float8_e8m0fnu
        return torch.from_numpy(scales).view(kind)

    def run(a, sa, b, sb, c):
        fa, fb = get_format(case.a), get_format(case.b)
        arguments = [tensor(fa, a), tensor(fb, b).T, torch.from_numpy(c.view(np.float32))]
        if sa is not None:
            arguments += [scale(fa, sa), scale(fb, sb).T]
        return operation(*arguments).numpy().view(np.uint32)

    return run


def batches(case: Case, rng: np.random.Generator) -> Iterator[dict[str, np.ndarray]]:
    """What mmasim makes of at least OUTPUTS random outputs, 512 at a time: codes, scale codes,
    starts and results by part."""
    fa, fb = get_format(case.a), get_format(case.b)
    run = peer(case)
    for i in range(-(-OUTPUTS // 512)):
        kind = i % 3
        a, sa = operands(rng, fa, 64, case.k, kind)
        b, sb = operands(rng, fb, 8, case.k, kind)
        c = starts(rng, (64, 8), kind)
        parts = {"a": a, "sa": sa, "b": b, "sb": sb, "c": c, "d": run(a, sa, b, sb, c)}
        yield {part: array for part, array in parts.items() if array is not None}


def compare() -> list[list[str]]:
    """Compare every case, write the slice, and return a row of text for each."""
    results = []
    rng = np.random.default_rng(2026)
    kept: dict[str, np.ndarray] = {}
    for case in cases():
        total = equal = 0
        for i, x in enumerate(batches(case, rng)):
            qa = from_codes(x["a"], case.a, x.get("sa"))
            qb = from_codes(x["b"], case.b, x.get("sb"))
            got = matmul(qa, qb, case.preset, c=x["c"].view(np.float32)).view(np.uint32)
            equal += int((got == x["d"]).sum())
            total += got.size
            rows = KEPT.get(case.preset, 24)
            for part, array in x.items() if i < 3 else ():
                array = array[None, : None if part in ("b", "sb") else rows]
                key = f"{case.preset}/{case.a}/{case.b}/{part}"
                kept[key] = np.append(kept.get(key, array[:0]), array, axis=0)
        count = f"{equal:,} of {total:,}"
        results.append([f"`{case.preset}`", f"`{case.a}`", f"`{case.b}`", count])
    kept["origin"] = np.array(
        f"mmasim {version('mmasim')} on torch {version('torch')}, python -m verif.peers"
    )
    VECTORS.parent.mkdir(exist_ok=True)
    np.savez_compressed(VECTORS, **kept)
    return results

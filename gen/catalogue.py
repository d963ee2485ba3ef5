"""The configurations that are verified, in tiers: what tests go through and README's table shows.

SUPPORTED: against golden in every run of the tests. EXPERIMENTAL: by ``python -m verif.catalogue``.
"""

from dataclasses import asdict, dataclass

from golden.formats import FORMATS

from .configure import AnyConfiguration, configure

SUPPORTED, EXPERIMENTAL = "supported", "experimental"


@dataclass(frozen=True)
class Entry:
    """One configuration, as a user names it."""

    tier: str
    fmt: str
    unit: str = "tile"
    m: int | None = None
    n: int | None = None
    k: int | None = None
    acc: str | None = None
    pipeline: int | None = None
    window: str | None = None
    fraction: int | None = None
    out: str | None = None
    source: str | None = None
    rule: str | None = None
    lanes: int | None = None
    following: str | None = None

    @property
    def configuration(self) -> AnyConfiguration:
        """What it names."""
        named = asdict(self)
        del named["tier"]
        return configure(**named)

    @property
    def name(self) -> str:
        """The name of the Verilog's top."""
        return self.configuration.name


CATALOGUE = (
    Entry(SUPPORTED, "mxfp4", m=4, n=4, k=32),
    Entry(SUPPORTED, "nvfp4", m=6, n=6, k=16),
    Entry(SUPPORTED, "amxfp4:mxfp4", m=2, n=3, k=32, pipeline=1),
    Entry(SUPPORTED, "nvfp4", m=1, n=3, k=64, pipeline=2),
    Entry(SUPPORTED, "mxfp6_e2m3:mxfp4", m=3, n=2, k=32, pipeline=3),
    Entry(SUPPORTED, "mxfp8_e4m3", m=2, n=1, k=32, pipeline=4),
    Entry(SUPPORTED, "dint4", m=2, n=2, k=32),
    Entry(SUPPORTED, "int8", m=1, n=2, k=32, pipeline=4),
    Entry(SUPPORTED, "int8:int4", m=2, n=1, k=32, pipeline=1),
    Entry(SUPPORTED, "fp8_e4m3:fp8_e5m2", m=2, n=1, acc="hopper_fp8"),
    Entry(SUPPORTED, "nvfp4", m=1, n=2, acc="blackwell_nvfp4"),
    Entry(SUPPORTED, "fp16", m=1, n=2, k=8, acc="ampere_fp16"),
    Entry(SUPPORTED, "mxfp4_mbs", m=1, n=2, k=64),
    Entry(SUPPORTED, "nvfp4", m=1, n=2, k=16, acc="exact"),
    Entry(SUPPORTED, "fp8_e4m3", m=2, n=2, k=2, acc="exact", window="-12:12:4", pipeline=1),
    Entry(SUPPORTED, "mxfp4", m=2, n=1, k=32, out="bf16"),
    Entry(EXPERIMENTAL, "mxfp4", m=16, n=16, k=32),
    Entry(EXPERIMENTAL, "mxfp4_mbs:mxfp4", m=2, n=2, k=32, pipeline=3),
    Entry(EXPERIMENTAL, "amxfp4:mxfp4", m=2, n=1, k=32, acc="exact", window="-60:40:256"),
    Entry(
        EXPERIMENTAL,
        "mxfp8_e4m3:mxfp4",
        m=1,
        n=2,
        k=32,
        acc="exact",
        window="-30:30:64",
        pipeline=4,
    ),
    Entry(EXPERIMENTAL, "amxfp4", m=1, n=2, k=32, pipeline=4),
    Entry(EXPERIMENTAL, "mxint8", m=2, n=2, k=32, pipeline=2),
    Entry(EXPERIMENTAL, "int4", m=5, n=1, k=64, pipeline=4),
    Entry(EXPERIMENTAL, "fp8_e4m3", m=1, n=2, k=32),
    Entry(EXPERIMENTAL, "bf16", m=1, n=2, k=16),
    Entry(EXPERIMENTAL, "fp16:fp8_e5m2", m=1, n=2, k=8),
    Entry(EXPERIMENTAL, "bf16", m=1, n=2, k=16, acc="ampere_bf16"),
    Entry(EXPERIMENTAL, "bf16", m=1, n=1, k=16, acc="hopper_bf16"),
    Entry(EXPERIMENTAL, "fp16", m=1, n=2, k=32, acc="hopper_fp16"),
    Entry(EXPERIMENTAL, "mxfp8_e4m3:mxfp4", m=3, n=1, k=32, acc="blackwell_mxfp8", pipeline=1),
    Entry(EXPERIMENTAL, "mxfp6_e3m2", m=1, n=2, k=32, acc="blackwell_mxfp6"),
    Entry(EXPERIMENTAL, "mxfp4", m=2, n=2, k=32, acc="blackwell_mxfp4"),
    Entry(EXPERIMENTAL, "mxfp4", m=1, n=1, k=64, acc="blackwell_mxfp4_k64", pipeline=3),
)


def _once(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Entries by name, the first of each name."""
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(entry.name, entry)
    return tuple(found.values())


def quantizer(tier: str, fmt: str, source: str, **options) -> Entry:
    """An entry for a quantizer."""
    return Entry(tier, fmt, "quantizer", source=source, **options)


_CHOSEN = (
    quantizer(SUPPORTED, "mxfp4", "bf16"),
    quantizer(SUPPORTED, "mxfp4_oas", "bf16", pipeline=2),
    quantizer(SUPPORTED, "mxfp4", "fp32", lanes=4),
    quantizer(SUPPORTED, "mxfp8_e4m3", "fp32", rule="rceil"),
    quantizer(SUPPORTED, "mxfp6_e2m3", "fp16", rule="ceil"),
    quantizer(SUPPORTED, "mxint8", "bf16", rule="even"),
    quantizer(SUPPORTED, "mxfp4_mbs", "bf16", lanes=8),
    quantizer(SUPPORTED, "nvfp4", "fp32"),
    quantizer(SUPPORTED, "amxfp4", "bf16", pipeline=1),
    quantizer(SUPPORTED, "amxfp4_e8m0", "fp16"),
    quantizer(SUPPORTED, "int8", "bf16", lanes=8),
    quantizer(SUPPORTED, "dint4", "bf16"),
)
_OTHERS = (
    *(
        quantizer(EXPERIMENTAL, fmt, source, rule=rule)
        for fmt in ("mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e3m2", "mxfp6_e2m3", "mxfp4", "mxint8")
        for source in ("fp32", "bf16", "fp16")
        for rule in ("floor", "ceil", "rceil", "even", "oas")
    ),
    *(
        quantizer(EXPERIMENTAL, fmt, source)
        for fmt in ("nvfp4", "amxfp4", "amxfp4_e8m0", "int8", "int4", "dint4", "mxfp4_mbs")
        for source in ("fp32", "bf16", "fp16")
    ),
    *(
        quantizer(EXPERIMENTAL, fmt, "bf16", lanes=lanes)
        for fmt in ("mxfp4", "nvfp4", "amxfp4")
        for lanes in (1, 8)
    ),
    quantizer(EXPERIMENTAL, "mxfp4_mbs", "fp32", lanes=64),
    quantizer(EXPERIMENTAL, "int4", "fp32", k=48, lanes=3),
    quantizer(EXPERIMENTAL, "nvfp4", "bf16", pipeline=2),
    quantizer(EXPERIMENTAL, "docs/formats/fp5_b16.toml", "bf16"),
    quantizer(EXPERIMENTAL, "docs/formats/aint4_ue4m3.toml", "bf16"),
)
QUANTIZERS = _once(_CHOSEN + _OTHERS)


def dequantizer(tier: str, fmt: str, out: str, **options) -> Entry:
    """An entry for a dequantizer."""
    return Entry(tier, fmt, "dequantizer", out=out, **options)


DEQUANTIZERS = _once(
    (
        dequantizer(SUPPORTED, "mxfp4", "fp32"),
        dequantizer(SUPPORTED, "mxfp8_e5m2", "bf16"),
        dequantizer(SUPPORTED, "nvfp4", "bf16"),
        dequantizer(SUPPORTED, "amxfp4", "fp32"),
        dequantizer(SUPPORTED, "int8", "fp32", k=8),
        dequantizer(SUPPORTED, "fp16", "bf16", k=4),
        *(
            dequantizer(EXPERIMENTAL, fmt, out)
            for fmt in (*FORMATS, "docs/formats/fp5_b16.toml", "docs/formats/aint4_ue4m3.toml")
            for out in ("fp32", "bf16")
            if fmt != "dint4_asym"
        ),
    )
)


def requantize(tier: str, fmt: str, following: str, **options) -> Entry:
    """An entry for a tile whose rows leave quantized."""
    return Entry(tier, fmt, "requantize", following=following, **options)


REQUANTIZERS = (
    requantize(SUPPORTED, "mxfp4", "mxfp4", m=1, n=32, k=32),
    requantize(SUPPORTED, "nvfp4", "nvfp4", m=1, n=16, k=16),
    requantize(SUPPORTED, "amxfp4:mxfp4", "int8", m=2, n=3, k=32, out="bf16", pipeline=2),
    requantize(EXPERIMENTAL, "amxfp4:mxfp4", "amxfp4", m=2, n=32, k=32),
    requantize(EXPERIMENTAL, "mxfp4", "nvfp4", m=3, n=32, k=32, out="bf16", pipeline=4),
    requantize(EXPERIMENTAL, "mxfp8_e4m3", "mxfp8_e4m3", m=1, n=32, k=32),
    requantize(EXPERIMENTAL, "nvfp4", "mxint8", m=1, n=64, k=16, acc="exact"),
)


def tier(name: str, entries: tuple[Entry, ...] = CATALOGUE) -> list[Entry]:
    """The entries of a tier."""
    return [entry for entry in entries if entry.tier == name]

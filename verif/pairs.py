"""The format pairs that the RTL is verified for."""

FORMATS = (
    "mxfp8_e4m3",
    "mxfp8_e5m2",
    "mxfp6_e3m2",
    "mxfp6_e2m3",
    "mxfp4",
    "mxint8",
    "mxfp4_oas",
    "nvfp4",
    "amxfp4",
    "amxfp4_e8m0",
)
MIXED = (
    "amxfp4:mxfp4",
    "mxfp8_e4m3:mxfp4",
    "nvfp4:mxfp4",
    "mxint8:mxfp4",
    "mxfp6_e3m2:amxfp4_e8m0",
    "mxfp8_e5m2:amxfp4",
)
# A dot unit takes formats whose scales are applied outside, too.
UNSCALED = (
    "int8",
    "int4",
    "dint4",
    "int8:int4",
    "dint4:dint4",
    "int4:dint4",
    "fp8_e5m2:fp8_e4m3",
)
OTHER_K = (("amxfp4", 64), ("nvfp4", 16), ("nvfp4:mxfp4", 64))
ODD = (("fp8_e5m2", 5),)

# What is simulated as another pair: one Verilog but for the names.
ALIKE = {
    ("mac", "mxfp4_oas"): "mxfp4",
    ("dot", "mxfp4_oas"): "mxfp4",
    ("dot", "nvfp4"): "mxfp4",
    ("dot", "nvfp4:mxfp4"): "mxfp4",
    ("dot", "amxfp4_e8m0"): "amxfp4",
}


def apart(unit, pairs):
    """Configurations of a unit, those that are alike once."""
    return [(unit, pair, None) for pair in pairs if (unit, pair) not in ALIKE]


CONFIGURATIONS = [
    *apart("mac", FORMATS + MIXED),
    *(("mac", pair, k) for pair, k in OTHER_K),
    *apart("dot", FORMATS + MIXED + UNSCALED),
    *(("dot", pair, k) for pair, k in ODD),
]
# Icarus takes seconds where Verilator takes none: every pair as a mac, some as a dot unit.
ON_ICARUS = [
    *apart("mac", FORMATS + MIXED),
    *apart("dot", ("amxfp4", "mxfp6_e3m2", "int8:int4")),
]


def ids(configurations) -> list[str]:
    """Names for tests: ``mac-amxfp4``, ``mac-amxfp4-k64``."""
    return ["-".join([unit, pair, *([f"k{k}"] if k else [])]) for unit, pair, k in configurations]

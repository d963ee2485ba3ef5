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
UNSCALED = ("int8", "int4", "dint4", "int8:int4", "fp8_e5m2:fp8_e4m3")
OTHER_K = (("amxfp4", 64), ("nvfp4", 16), ("nvfp4:mxfp4", 64))

CONFIGURATIONS = [
    *(("mac", pair, None) for pair in FORMATS + MIXED),
    *(("mac", pair, k) for pair, k in OTHER_K),
    *(("dot", pair, None) for pair in FORMATS + MIXED + UNSCALED),
]
IDS = [f"{unit}-{pair}" + (f"-k{k}" if k else "") for unit, pair, k in CONFIGURATIONS]

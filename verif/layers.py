"""Two layers in hardware: a quantizer, a tile, and the quantizer behind it, one simulated after the
other, what one gives being what the next one takes.

``python -m verif.layers`` prints how many codes are equal to golden's.
"""

import json

import numpy as np

from gen import verilog
from gen.configure import AnyConfiguration, configure
from gen.job import Job
from gen.requantization import Requantization
from gen.simulator import Simulation
from golden import Quantized, matmul, quantize
from verif.bench_groups import Groups
from verif.bench_tile import Product, Products, Rows

FOLDER = verilog.FOLDER.with_name("sim")
CASES = (("mxfp4", "mxfp4"), ("amxfp4:mxfp4", "amxfp4"), ("nvfp4", "nvfp4"))


def recorded(configuration: AnyConfiguration, columns: dict, results: int, simulator: str) -> dict:
    """What every output port of the unit shows when it is driven with these columns."""
    path, description = verilog.write(configuration)
    simulation = Simulation(path, simulator, FOLDER)
    simulation.build()
    vectors = [{port: np.array(values, object) for port, values in columns.items()}]
    told = json.loads(description.read_text())
    job = Job(configuration, told, seed=1, count=results, vectors=vectors)
    return simulation.run("verif.tb_record", job).values


def codes(texts: list[str], width: int) -> np.ndarray:
    """Codes (N, count) out of N results as the simulator shows them.

    >>> codes(["10100000"], 4).tolist()
    [[0, 10]]
    """
    words = [[text[i : i + width] for i in range(0, len(text), width)][::-1] for text in texts]
    return np.array([[int(word, 2) for word in row] for row in words], np.uint8)


def quantized(x: np.ndarray, fmt: str, t: np.float32 | None, simulator: str) -> Rows:
    """Rows of float32 through the Verilog of a quantizer."""
    configuration = configure("quantizer", fmt=fmt)
    bits = x.view(np.uint32).reshape(-1, configuration.group).astype(np.int64)
    groups = Groups(configuration, bits, None if t is None else np.full(len(bits), t))
    seen = recorded(configuration, groups.columns(), groups.results, simulator)
    elements = codes(seen["o_elems"], configuration.fmt.element.width).reshape(x.shape)
    scales = codes(seen["o_scales"], 8).reshape(len(x), -1, configuration.fmt.sides)
    return Rows(configuration.fmt, elements, scales[..., 0] if scales.shape[2] == 1 else scales)


def following(x, w, configuration: Requantization, t: dict, simulator: str) -> Rows:
    """x (m, K) and w (n, K), float32, through two quantizers, a tile and its quantizers; ``t``:
    tensor scales by "x", "w" and "next"."""
    tile, nxt = configuration.tile, configuration.following
    a = quantized(x, tile.a.name, t["x"], simulator)
    b = quantized(w, tile.b.name, t["w"], simulator)
    product = Product(tile, a, b, np.zeros((len(x), len(w)), np.uint32))
    columns = Products([product]).columns()
    if t["next"] is not None:
        columns["i_tensor_scale"] = [int(t["next"].view(np.uint32))] * product.steps
    seen = recorded(configuration, columns, len(x), simulator)
    assert seen["o_last"] == ["0"] * (len(x) - 1) + ["1"]
    scales = codes(seen["o_scales"], 8).reshape(len(x), -1, nxt.sides)
    elements = codes(seen["o_elems"], nxt.element.width)
    return Rows(nxt, elements, scales[..., 0] if scales.shape[2] == 1 else scales)


def by_golden(x, w, configuration: Requantization) -> tuple[Quantized, Quantized, Quantized]:
    """The same by golden alone: both operands, and the result in the next layer's format."""
    tile = configuration.tile
    a, b = quantize(x, tile.a), quantize(w, tile.b)
    return a, b, quantize(matmul(a, b, k=tile.k), configuration.following)


def check(pair: str, fmt: str, simulator: str, seed: int, steps: int = 2, m: int = 2) -> int:
    """Raises AssertionError unless hardware and golden agree; returns the codes compared."""
    rng = np.random.default_rng(seed)
    group = 16 if fmt == "nvfp4" else 32
    configuration = configure("requantize", fmt=pair, following=fmt, m=m, n=group, k=32)
    x, w = (rng.standard_normal((rows, 32 * steps)).astype(np.float32) for rows in (m, group))
    x[0, 5] *= 40  # an outlier
    a, b, result = by_golden(x, w, configuration)
    t = {"x": a.tensor_scale, "w": b.tensor_scale, "next": result.tensor_scale}
    rows = following(x, w, configuration, t, simulator)
    assert np.array_equal(rows.codes, result.codes), (rows.codes, result.codes)
    assert np.array_equal(rows.scales, result.scales), (rows.scales, result.scales)
    return rows.codes.size + rows.scales.size


if __name__ == "__main__":
    for pair, fmt in CASES:
        print(f"{pair} -> {fmt}: {check(pair, fmt, 'verilator', 1)} codes equal to golden's")

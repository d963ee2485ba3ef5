"""Switching and glitches of a mapped netlist: against golden, and against Icarus edge for edge."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gen import gates
from gen.activity import Trace, simulate
from gen.cells import BUILT_IN
from gen.config import Configuration
from gen.delays import Delays
from gen.functions import expression
from gen.glitches import Network
from gen.liberty import Library, load
from gen.mapping import area
from gen.stimuli import Stimuli, stimuli
from gen.timing import slews_and_loads
from gen.verilog import emit
from golden.arith import dot

SEED = 3


@pytest.fixture(scope="module")
def mapped() -> tuple[Configuration, Library, dict, Stimuli]:
    """A small dot product on the built-in cells, flat, and what drives it."""
    configuration = Configuration.parse("int8:int4", "dot", 2)
    verilog, description = emit(configuration)
    library = load(BUILT_IN)
    modules = area(verilog, description["top"], library, adders="full and half").netlist
    flat = gates.flat(modules, description["top"])
    return configuration, library, flat, stimuli(configuration, description, seed=SEED)


def test_the_netlist_computes_what_golden_does(mapped):
    c, library, flat, driven = mapped
    trace = simulate(library, flat, driven.inputs, driven.lanes, driven.skipped)

    def codes(port: str, width: int) -> np.ndarray:
        """The codes at a port, (cycles, lanes, codes)."""
        octets = [trace.values[net].to_bytes(trace.cycles * 32, "little") for net in bits_of(port)]
        flags = np.unpackbits(np.frombuffer(b"".join(octets), np.uint8), bitorder="little")
        flags = flags.reshape(-1, width, trace.cycles, trace.lanes).astype(np.int64)
        return np.moveaxis((flags << np.arange(width)[:, None, None]).sum(1), 0, -1)

    def bits_of(port: str) -> list[int]:
        return flat["ports"][port]["bits"]

    a, b, o = codes("i_a_elems", 8), codes("i_b_elems", 4), codes("o_sum", len(bits_of("o_sum")))
    assert trace.lanes == 256 and len(np.unique(a)) > 200 and len(np.unique(b)) > 14
    sums = dot(c.a, c.b, a.reshape(-1, 2).astype(np.uint8), b.reshape(-1, 2).astype(np.uint8)).sums
    expected = sums.reshape(o[..., 0].shape) & (1 << len(bits_of("o_sum"))) - 1
    assert (o[1:, :, 0] == expected[:-1]).all()
    assert 0.1 < trace.toggles < 0.6


def test_switching_is_what_icarus_sees(mapped, tmp_path: Path):
    """Edges of every net in one of the streams, out of a VCD of the netlist as Verilog."""
    _, library, flat, driven = mapped
    top, lane = "top", 5
    ports = {name: port for name, port in flat["ports"].items() if port["direction"] == "input"}
    steps = len(driven.inputs["rst"][0])
    lines = ["`timescale 1ns/1ps", "module bench; reg clk = 0;"]
    lines += [f"reg [{len(p['bits']) - 1}:0] {n};" for n, p in ports.items() if n != "clk"]
    pins = ", ".join(f".{name}({name})" for name in ports)
    lines += [f"{top} u ({pins});", "initial begin"]
    for t in range(steps):
        if t == driven.skipped:
            lines.append('$dumpfile("gates.vcd"); $dumpvars(1, u);')
        for name, bits in driven.inputs.items():
            value = sum((bit[t] >> lane & 1) << i for i, bit in enumerate(bits))
            lines.append(f"{name} = {len(bits)}'d{value};")
        lines.append("#4 clk = 1; #1 clk = 0; #1;" if t < steps - 1 else "#1;")
    bench = tmp_path / "bench.v"
    text = gates.netlist({top: flat}, top)
    bench.write_text(
        "\n".join([*lines, "end endmodule", text, gates.models({top: flat}, top, library)])
    )
    subprocess.run(["iverilog", "-o", "bench.vvp", "bench.v"], cwd=tmp_path, check=True)
    subprocess.run(["vvp", "-n", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True)
    seen = edges((tmp_path / "gates.vcd").read_text())
    trace = simulate(library, flat, driven.inputs, driven.lanes, driven.skipped)
    stream = sum(1 << i * trace.lanes + lane for i in range(trace.cycles - 1))
    names, _ = gates.net_names(flat)
    compared = 0
    for net, name in names.items():
        if net in trace.values and name.startswith("n_"):
            ours = ((trace.rises(net) | trace.falls(net)) & stream).bit_count()
            assert ours == seen[name], name
            compared += ours
    assert compared > 400


def edges(vcd: str) -> Counter[str]:
    """How often each scalar of a VCD changes after its first value, at most once a clock cycle.

    Flip-flops change at the clock's edge and inputs when they are set: what settles in between is
    seen at the end of the cycle (its last nanosecond) alone.
    """
    names = {m[1]: m[2] for m in re.finditer(r"\$var \w+ 1 (\S+) (\S+) \$end", vcd)}
    now: dict[str, str] = {}
    settled: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for line in vcd[vcd.index("$dumpvars") :].splitlines():
        code = line[1:]
        if line[:1] in "01x" and code in names:
            now[code] = line[0]
            if names[code] == "clk" and line[0] == "1":
                counts.update(names[c] for c in now if settled.get(c, now[c]) != now[c])
                settled = dict(now)
    counts.update(names[c] for c in now if settled.get(c, now[c]) != now[c])
    return counts


def test_glitches_are_what_icarus_sees(mapped, tmp_path: Path):
    """Edges of every net of one stream, with the same delays as Verilog's ``assign #``."""
    _, library, flat, driven = mapped
    wide = simulate(library, flat, driven.inputs, driven.lanes, driven.skipped)
    lane, cycles = 7, 17
    values = {
        net: sum((value >> t * wide.lanes + lane & 1) << t for t in range(cycles))
        for net, value in wide.values.items()
    }
    trace = Trace(wide.gates, values, 1, cycles)
    delays = Delays(library)
    network = Network(delays, trace, *slews_and_loads(delays, flat))
    ours: Counter = Counter()
    for time in range(1, cycles):
        ours.update(network.edges(time))
    names, _ = gates.net_names(flat)
    plain = {net: re.sub(r"\W", "_", name) for net, name in names.items()}
    lines = ["`timescale 1ns/1ns", "module bench; integer i;"]
    sources = [net for net in network.sources if isinstance(net, int)]
    lines += [f"reg {plain[net]};" for net in sources]
    for element in network.elements:
        words = [plain.get(net, f"1'b{net}") for net in element.inputs]
        text = expression(element.gate.behaviour.outputs[element.pin], words)
        lines.append(
            f"wire {plain[element.net]}; assign #{element.delay} {plain[element.net]} = {text};"
        )
    lines.append("initial begin")
    for t in range(cycles):
        later = {}
        for net in sources:
            later.setdefault(network.launches.get(net, 0), []).append(net)
        now = 0
        for delay in sorted(later):
            lines.append(f"#{delay - now};")
            now = delay
            lines += [f"{plain[net]} = {values[net] >> t & 1};" for net in later[delay]]
        lines.append(f"#{5000 - now};")
        if t == 0:
            lines.append('$dumpfile("gates.vcd"); $dumpvars(1, bench); #1;')
    bench = tmp_path / "bench.v"
    bench.write_text("\n".join([*lines, "$finish; end endmodule"]))
    subprocess.run(["iverilog", "-o", "bench.vvp", "bench.v"], cwd=tmp_path, check=True)
    subprocess.run(["vvp", "-n", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True)
    vcd = (tmp_path / "gates.vcd").read_text()
    codes = {m[2]: m[1] for m in re.finditer(r"\$var \w+ 1 (\S+) (\S+) \$end", vcd)}
    seen = Counter(
        line[1:] for line in vcd[vcd.index("$dumpvars") :].splitlines() if line[:1] in ("0", "1")
    )
    settled = total = wrong = 0
    for element in network.elements:
        net = element.net
        edges = ((values[net] ^ values[net] >> 1) & (1 << cycles - 1) - 1).bit_count()
        extra = ours[net, 0] + ours[net, 1]
        settled, total = settled + edges, total + edges + extra
        wrong += abs(edges + extra - (seen[codes[plain[net]]] - 1))
    assert total > 1.1 * settled > 800
    assert wrong <= 0.01 * total  # Icarus may order what happens at one time otherwise.

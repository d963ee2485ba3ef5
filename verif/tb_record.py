"""Testbench that only drives, with random stalls: what every output shows goes into the report.

``Job.vectors`` holds the columns of the input ports; ``Job.count`` says how many results there are.
"""

import cocotb

from gen.job import Job, Report
from verif.bench import Bench

JOB = Job.current()


@cocotb.test()
async def record(dut):
    columns = {port: values.tolist() for port, values in JOB.vectors[0].items()}
    names = [port["name"] for port in JOB.description["ports"]]
    outputs = [name for name in names if name.startswith("o_") and name not in HANDSHAKE]
    bench = Bench(dut, columns, outputs)
    await bench.start()
    draw = JOB.rng("stalls").random
    results, cycles = await bench.stream(
        columns, JOB.count, offer=lambda: draw() < 0.8, take=lambda: draw() < 0.8
    )
    report = Report()
    report.values = {name: list(bits) for name, bits in zip(outputs, zip(*results))}
    report.add("recorded", len(results), len(results), cycles)


HANDSHAKE = ("o_valid", "o_ready")

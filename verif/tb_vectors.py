"""Testbench of a tile or mac on matrix products computed elsewhere, every bit of every result."""

import cocotb

from gen.job import Job, Report
from verif.bench_check import Checker
from verif.bench_tile import Product, Products, Rows

JOB = Job.current()
CHECKER = Checker(JOB, Report())


def product(vectors) -> Product:
    """One matrix product, whose results are given."""
    c = JOB.configuration
    a, b = (Rows(f, vectors[x], vectors.get(f"s{x}")) for f, x in ((c.a, "a"), (c.b, "b")))
    made = Product(c, a, b, vectors["c"])
    made.results = {"d": vectors["d"]}
    return made


@cocotb.test()
async def vectors(dut):
    products = Products([product(vectors) for vectors in JOB.vectors])
    await CHECKER.check(dut, "vectors", products.shuffled(JOB.rng("vectors")))

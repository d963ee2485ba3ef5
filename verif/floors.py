"""What the parts of a dot product come to by themselves: ``python -m verif.floors [ROW...]``.

Rows are those of ``python -m gen bench area`` that are dots. Each part is mapped alone, its inputs
free, by recipe area on osu018, with the adder cells that suit it; a lane and a sum are mapped with
and without signs. Lanes that come in pairs are mapped two at a time. What is left of the bound
beside the parts without signs is what signs may cost. The gates behind flags of NaN and Inf are
left out. Small lanes share gates with the sum, and the parts are more than the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click
from amaranth.hdl import Const, Module
from amaranth.lib.wiring import In, Out

from gen.bench_area import OSU018, ROWS, Row
from gen.config import Configuration
from gen.liberty import Library, load
from gen.mapping import area
from gen.verilog import emit_part
from hdl.decode import Decode
from hdl.heap import Reduction
from hdl.lane import forms, lane_layout, multiplies_integers
from hdl.lanes import generator, sum_shape
from hdl.shared import Shared, place

DOTS = {row.name: row for row in ROWS if row.options["unit"] == "dot"}
DEFAULT = ("dot_e4m3_k32", "dot_e5m2_k32")


@dataclass(frozen=True)
class Part:
    """So many of one thing, each of so many GE."""

    name: str
    count: int
    each: float

    @property
    def total(self) -> float:
        """GE of all."""
        return self.count * self.each


class Less(Shared):
    """A component without some of its ports: inputs are 0, outputs not used."""

    def __init__(self, whole: Shared, without: tuple[str, ...]):
        self._whole = whole
        self.module_name = f"less_{whole.module_name}"
        ports = {name: port for name, port in whole.members.items() if name not in without}
        super().__init__({n: (In if p.flow == In else Out)(p.shape) for n, p in ports.items()})

    def elaborate(self, platform):
        m = Module()
        inputs = {
            name: getattr(self, name) if name in self.members else Const(0, port.shape)
            for name, port in self._whole.members.items()
            if port.flow == In
        }
        outputs = vars(place(m, platform, "whole", self._whole, **inputs))
        m.d.comb += [getattr(self, n).eq(o) for n, o in outputs.items() if n in self.members]
        return m


def parts(row: Row, library: Library) -> Iterator[Part]:
    """The parts of a dot product, those without signs first."""
    c = row.configuration()
    assert isinstance(c, Configuration)
    taken = zip((c.a, c.b), forms(c.a, c.b))
    fields = {name for fmt, form in taken for name in lane_layout(fmt.element, form).members}
    lane = generator(c.a, c.b, fields)
    count = -(-c.k // lane.lanes)
    shape = sum_shape(c.a, c.b, c.k)

    def ge(component: Shared) -> float:
        return area(*emit_part(component), library).combinational

    # Only what is Inf asks whether its partner is zero, and some generators tell.
    told = [name for name in lane.members if name.endswith("nonzero")]
    unused = () if any(fmt.element.has_inf for fmt in (c.a, c.b)) else ("nonzero",)
    if not multiplies_integers(c.a, c.b):
        for fmt in (c.a, c.b):
            less = Less(Decode(fmt.element, False), ("nonzero",) if told else unused)
            yield Part("decoding an element", c.k, ge(less))
    flags = told if unused else []
    signs = [name for name in lane.members if name.endswith("_neg")]
    whole, positive = (ge(Less(lane, (*without, *flags))) for without in ([], signs))
    lanes = "two lanes" if lane.lanes == 2 else "a lane"
    yield Part(f"{lanes} of positive products", count, positive)
    sums = [
        ge(
            Reduction(
                count, bits, constant, shape, lane.key, lane.is_conjunction, lane.halves_first
            )
        )
        for bits, constant in (
            ([f for f in lane.factors if f > 0], 0),
            (lane.factors, lane.constant),
        )
    ]
    yield Part("the sum of their bits", 1, sums[0])
    yield Part(f"the sign of {lanes}", count, whole - positive)
    yield Part("signs in the sum", 1, sums[1] - sums[0])


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(DOTS)), metavar="[ROW]...")
def main(names: tuple[str, ...]) -> None:
    """Print the parts of each ROW, by default those whose bounds are not reached."""
    library = load(OSU018)
    for name in names or DEFAULT:
        row = DOTS[name]
        print(f"{name}: at most {row.bound:,.0f} GE")
        total = 0.0
        for part in parts(row, library):
            total += part.total
            print(
                f"  {part.name:28} {part.count:3} x {part.each:9,.1f} = {part.total:9,.1f}"
                f"   sum {total:9,.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""The shifter against integers: every value and amount of small shapes."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hdl.shift import shift_right

SHAPES = [
    (width, room, amount)
    for width in (1, 2, 3, 5)
    for room in (-2, 0, 1, 9, 20)
    for amount in (1, 3, 4, 6)
    if width + min(room, 0) > 0
]


@pytest.mark.parametrize("signed", (False, True))
@pytest.mark.parametrize(("width", "room", "amount"), SHAPES)
def test_shift_right(width, room, amount, signed):
    """What is kept is the floor of the shifted value; what is lost is told."""
    m, value, by = Module(), Signal(width), Signal(amount)
    kept, lost = shift_right(m, "shift", value, by, room, signed=signed)
    o, told = Signal(width + room), Signal()
    m.d.comb += [o.eq(kept), told.eq(lost)]
    assert len(kept) == width + room

    async def testbench(ctx):
        for code in range(1 << width):
            number = code - (1 << width) if signed and code >> (width - 1) else code
            for distance in range(1 << amount):
                ctx.set(value, code)
                ctx.set(by, distance)
                await ctx.delay(1e-9)
                # In units of 2**-2, the lowest bit of any room below 0.
                whole, cut = divmod(number << room + 2, 1 << distance + 2)
                assert ctx.get(o) == whole % (1 << width + room), (number, distance)
                assert ctx.get(told) == (cut != 0), (number, distance)

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()

"""Shifters that lose bits only where they say so."""

from amaranth.hdl import Cat, Const, Mux, Signal

INNER = 3
"""Bits of an amount that shift one after the other; the others choose a place for the result."""


def shift_right(m, name, value, amount, room, *, signed=False):
    """Shift right by ``amount``, keeping ``room`` more bits below the value.

        | value | room |  >>  amount

    Returns ``(kept, lost)``: ``len(value) + room`` bits, filled with the sign if ``signed``, and
    whether any bit that is 1 went below them. ``room`` may be negative: those bits go first.
    """
    lost = Const(0, 1)
    if room < 0:
        lost, value, room = value[:-room].any(), value[-room:], 0
    width, low = len(value) + room, 0
    fill = value[-1] if signed else Const(0, 1)

    # By the low bits of the amount: | value | low |.
    for i in range(min(INNER, len(amount))):
        step = 1 << i
        grown = min(low + step, room)
        padded = Cat(Const(0, grown - low), value)
        lost = lost | (amount[i] & padded[:step].any())
        stage = Signal(len(padded), name=f"{name}_by{step}")
        m.d.comb += stage.eq(Mux(amount[i], Cat(padded[step:], fill.replicate(step)), padded))
        value, low = stage, grown

    # By the high bits: each place that keeps some bit has a line, and one says that it is past it.
    high = amount[INNER:]
    count = min(((width - 1) >> INNER) + 1, 1 << len(high))
    starts = [room - low - (j << INNER) for j in range(count)]
    hot = [Signal(name=f"{name}_place{j}") for j in range(count)]
    past = [Signal(name=f"{name}_past{j}") for j in range(count)]
    for j, (here, gone) in enumerate(zip(hot, past)):
        m.d.comb += here.eq(high == j)
        m.d.comb += gone.eq((past[j - 1] if j else Const(1, 1)) & ~here)
    bits = []
    for k in range(width):
        inside = [h & value[k - s] for h, s in zip(hot, starts) if s <= k < s + len(value)]
        if signed:
            reaching = [gone for gone, s in zip(past, starts) if k < s + len(value)]
            inside.append(fill & reaching[-1])
        bits.append(Cat(inside).any())

    # What went below.
    cut, done = Const(0, 1), 0
    for here, start in zip(hot, starts):
        if start < 0:
            cut = cut | value[done:-start].any()
            lost, done = lost | (here & cut), -start
    if count < 1 << len(high):
        lost = lost | (past[-1] & value.any())
    return Cat(bits), lost


def normalize(m, name, value, limit, fill, width):
    """Shift left by at most ``limit`` until the top bit is 1, with ``fill`` from below.

        | width | below |  <<  distance

    Returns the top ``width`` bits, whether any and whether all of those below are 1 (which become
    no others where all bits below the value are ``fill``), and the distance.
    """
    below = len(value) - width
    any_below, all_below, low = Const(0, 1), Const(1, 1), 0
    size = len(value).bit_length()
    far = limit[size:].any()
    allowed = [(limit[i] if i < len(limit) else Const(0, 1)) | far for i in range(size)]
    distance = []
    for i in reversed(range(size)):
        step = 1 << i
        # Bits that the shifts left to do cannot bring to the top only count.
        cut = max(0, below - 2 * step + 1)
        passed, value, low = value[: cut - low], value[cut - low :], cut
        any_below, all_below = any_below | passed.any(), all_below & passed.all()
        zeros = Signal(name=f"{name}_zeros{step}")
        go = Signal(name=f"{name}_go{step}")
        stage = Signal(len(value), name=f"{name}_by{step}")
        m.d.comb += [zeros.eq(~value[-step:].any()), go.eq(zeros & allowed[i])]
        m.d.comb += stage.eq(Mux(go, Cat(fill.replicate(step), value)[: len(value)], value))
        # What is left of a limit that was not reached is no limit to the shifts that follow.
        unlimited = Signal(name=f"{name}_unlimited{step}")
        m.d.comb += unlimited.eq(~zeros & allowed[i])
        allowed = [bit | unlimited for bit in allowed[:i]]
        value = stage
        distance.insert(0, go)
    rest, top = value[: below - low], value[below - low :]
    return top, (any_below | rest.any(), all_below & rest.all()), Cat(distance)


def lead_with_one(m, name, value):
    """Shift left until the top bit is 1; returns ``(shifted, distance)``. A zero comes back as
    zero."""
    distance = []
    for i in reversed(range((len(value) - 1).bit_length())):
        step = 1 << i
        zeros = Signal(name=f"{name}_zeros{step}")
        stage = Signal(len(value), name=f"{name}_by{step}")
        m.d.comb += zeros.eq(~value[-step:].any())
        m.d.comb += stage.eq(Mux(zeros, Cat(Const(0, step), value)[: len(value)], value))
        value = stage
        distance.insert(0, zeros)
    return value, Cat(distance)

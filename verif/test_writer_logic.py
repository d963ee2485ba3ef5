"""Expressions through the Verilog writer: corner cases, and random logic, proved equivalent."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed

from gen.writer import verilog
from verif.equivalence import unproven
from verif.small_designs import logic, text_of


def body_of(written: str) -> list[str]:
    """The statements of a module of one page."""
    return [line.strip() for line in written.partition(");\n\n")[2].splitlines()]


CASES = {
    "carry": (
        lambda a, b, s: a + a[:3] + 1,
        "assign o = {1'b0, {1'b0, a} + {4'd0, a[2:0]}} + 8'd1;",
    ),
    "less_a_constant": (lambda a, b, s: (a - 3)[:6], "assign o = a - 6'd3;"),
    "negative_constant": (lambda a, b, s: (a + 61)[:6], "assign o = a - 6'd3;"),
    "signed_product": (
        lambda a, b, s: b * s.as_signed(),
        "assign o = $signed({{3{b[4]}}, b}) * $signed({{5{s[2]}}, s});",
    ),
    "mixed_product": (lambda a, b, s: b * a, None),
    "signed_less": (lambda a, b, s: b < -3, "assign o = $signed(b) < -5'sd3;"),
    "least_signed": (lambda a, b, s: b > -16, "assign o = $signed(b) > $signed(5'd16);"),
    "mixed_less": (
        lambda a, b, s: b < a,
        "assign o = $signed({{2{b[4]}}, b}) < $signed({1'b0, a});",
    ),
    "unsigned_less": (lambda a, b, s: a >= s, "assign o = a >= {3'd0, s};"),
    "signed_equal": (lambda a, b, s: b == s, None),
    "shift_left": (lambda a, b, s: b << s, "assign o = {{7{b[4]}}, b} << s;"),
    "shift_right": (lambda a, b, s: a >> s, "assign o = a >> s;"),
    "shift_signed": (lambda a, b, s: b >> s, "assign o = $signed(b) >>> s;"),
    "signed_shift_inside": (lambda a, b, s: (b >> s) ^ a, None),
    "part_of_signed": (lambda a, b, s: b.bit_select(s, 3), None),
    "word": (lambda a, b, s: a.word_select(s, 2), None),
    "part_past_the_end": (lambda a, b, s: s.bit_select(a, 4), None),
    "negative": (lambda a, b, s: -b, "assign o = -{b[4], b};"),
    "absolute": (lambda a, b, s: abs(b), None),
    "concatenation": (
        lambda a, b, s: Cat(s, Cat(a[1], b, a[2:4]), Const(5, 3)),
        "assign o = {3'd5, a[3:2], b, a[1], s};",
    ),
    "replication": (lambda a, b, s: a ^ s[1].replicate(6), "assign o = a ^ {6{s[1]}};"),
    "reductions": (
        lambda a, b, s: a.all() & (b.any() | ~s.xor()),
        "assign o = (&a) & ((|b) | (~^s));",
    ),
    "reduction_of_reductions": (
        lambda a, b, s: Cat(a[:3].any(), a[3:].any()).any(),
        "assign o = |a;",
    ),
    "two_bits": (lambda a, b, s: Cat(a[0], b[1]).any(), "assign o = a[0] | b[1];"),
    "mux_chain": (
        lambda a, b, s: Mux(s[0], a, Mux(s[1], 9, Mux(s[2], ~a, a << 1)))[:6],
        "assign o = s[0] ? a : s[1] ? 6'd9 : s[2] ? ~a : {a[4:0], 1'b0};",
    ),
    "neutral": (lambda a, b, s: ((a & 63) | 0) ^ 0, "assign o = a;"),
    "absorbing": (lambda a, b, s: (a & 0) | s, "assign o = {3'd0, s};"),
    "inverted_twice": (lambda a, b, s: ~~a, "assign o = a;"),
    "constant": (lambda a, b, s: (a[:0].any() | Const(1)) + Const(200), "assign o = 9'd201;"),
    "truncated_inside": (lambda a, b, s: ((a * a)[:4] + s)[:3], None),
    "high_bits": (lambda a, b, s: (a * a)[5:9], None),
    "carry_compared": (lambda a, b, s: (a + s) > 40, None),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path):
    value_of, expected = CASES[name]
    text = logic(name, value_of)
    written = verilog(text)
    assert unproven(text, written, tmp_path) == []
    if expected:
        assert body_of(written)[:-1] == [expected]


def random_value(rng: random.Random, leaves: list, depth: int):
    """A random expression of at most 10 bits; factors are small, as provers like them."""
    if depth == 0 or rng.random() < 0.1:
        value = rng.choice(leaves)
        return Const(rng.randrange(-9, 40), signed(7)) if rng.random() < 0.1 else value
    x, y, z = (random_value(rng, leaves, depth - 1) for _ in range(3))
    low = rng.randrange(len(x) + 1)
    choices = [
        lambda: x + y, lambda: x - y, lambda: -x, lambda: ~x, lambda: x & y, lambda: x | y,
        lambda: x ^ y, lambda: x < y, lambda: x >= y, lambda: x == y, lambda: x != y,
        lambda: x[:4] * (y[:3] if low % 2 else y[:3].as_signed()),
        lambda: x >> y[:3].as_unsigned(), lambda: x << y[:2].as_unsigned(), lambda: x.any(),
        lambda: x.all(), lambda: x.xor(), lambda: Mux(x, y, z), lambda: Cat(x, y, z),
        lambda: x[low:], lambda: x[:low], lambda: x.as_signed() if len(x) else x,
        lambda: x.bit_select(y[:3].as_unsigned(), 3), lambda: Mux(z.any(), x, y).as_unsigned(),
    ]  # fmt: skip
    value = rng.choice(choices)()
    return value[:10] if len(value) > 10 else value


def test_random_logic(tmp_path: Path):
    """Random expressions, some used twice, under random conditions and in registers."""
    rng = random.Random(20)
    texts = []
    for number in range(60):
        m = Module()
        inputs = [
            Signal(3, name="a"),
            Signal(signed(4), name="b"),
            Signal(5, name="c"),
            Signal(name="d"),
        ]
        leaves, outputs = list(inputs), []
        for i in range(5):
            value = random_value(rng, leaves, 3)
            target = Signal(max(1, rng.choice([len(value), rng.randrange(1, 9)])), name=f"t{i}")
            domain = m.d.sync if rng.random() < 0.3 else m.d.comb
            style = rng.randrange(4)
            if style == 0:
                with m.If(rng.choice(leaves).any()):
                    domain += target.eq(value)
                with m.Elif(inputs[3]):
                    domain += target[0].eq(~inputs[3])
            elif style == 1:
                with m.Switch(inputs[0]):
                    with m.Case(1, 2):
                        domain += target.eq(value)
                    with m.Case("1-0"), m.If(inputs[1] > 2):
                        domain += target.eq(value + 1)
                    with m.Default():
                        domain += target.eq(inputs[2])
            else:
                domain += target.eq(value)
            leaves += [target, value]
            outputs.append(target)
        texts.append(text_of(m, [*inputs, *outputs[2:]], f"random{number}"))
    written = "\n".join(verilog(text) for text in texts)
    assert unproven("\n".join(texts), written, tmp_path) == []

"""Small designs through the Verilog writer: corner cases, random logic, faults, bad input."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, Const, Instance, Module, Mux, Signal, signed

from gen.rtlil import RTLILError, parse
from gen.writer import verilog
from verif.equivalence import unproven


def text_of(m: Module, ports: list[Signal], name: str = "top") -> str:
    """The RTLIL of a module."""
    return rtlil.convert(m, ports=ports, name=name, emit_src=False)


def check(rtlil_text: str, folder: Path) -> str:
    """Write a design as Verilog, prove the two equivalent, and return the Verilog."""
    written = verilog(rtlil_text)
    assert unproven(rtlil_text, written, folder) == []
    return written


def body_of(written: str) -> list[str]:
    """The statements of a module of one page."""
    return [line.strip() for line in written.partition(");\n\n")[2].splitlines()]


def logic(name: str, value_of) -> tuple[str, str]:
    """A design of one output, ``value_of(a, b, s)`` of an unsigned, a signed and a small input."""
    a, b, s = Signal(6, name="a"), Signal(signed(5), name="b"), Signal(3, name="s")
    value = value_of(a, b, s)
    o = Signal(value.shape(), name="o")
    m = Module()
    m.d.comb += o.eq(value)
    return text_of(m, [a, b, s, o], name), name


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
    written = check(logic(name, value_of)[0], tmp_path)
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
        lambda: x + y, lambda: x - y, lambda: x[:4] * (y[:3] if low % 2 else y[:3].as_signed()), lambda: -x, lambda: ~x, lambda: x & y,
        lambda: x | y, lambda: x ^ y, lambda: x < y, lambda: x >= y, lambda: x == y, lambda: x != y,
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


def controller() -> str:
    """Registers under nested conditions, with reset, without, and one that is always loaded."""
    m = Module()
    en, load, data = Signal(name="en"), Signal(name="load"), Signal(4, name="data")
    count, last = Signal(4, init=3, name="count"), Signal(4, reset_less=True, name="last")
    busy, delayed = Signal(name="busy"), Signal(4, reset_less=True, name="delayed")
    with m.If(en):
        m.d.sync += busy.eq(load)
        with m.If(load):
            m.d.sync += [count.eq(data), last.eq(count)]
        with m.Else():
            m.d.sync += count[:2].eq(data[2:])
    m.d.sync += delayed.eq(last)
    return text_of(m, [en, load, data, count, last, busy, delayed], "controller")


CONTROLLER = """\
    always @(posedge clk) begin
        if (rst) begin
            busy <= 1'b0;
            count <= 4'd3;
        end else if (en) begin
            busy <= load;
            if (load) begin
                count <= data;
            end else begin
                count[1:0] <= data[3:2];
            end
        end
    end

    always @(posedge clk) begin
        delayed <= last;
        if (en) begin
            if (load) begin
                last <= count;
            end
        end
    end
endmodule
"""


def test_registers_of_one_reset_share_a_block(tmp_path: Path):
    written = check(controller(), tmp_path)
    blocks = written[written.index("    always") :]
    assert blocks == CONTROLLER
    assert "initial" not in written


def nested() -> str:
    """Combinational conditions of every form."""
    m = Module()
    a, b, s = Signal(4, name="a"), Signal(4, name="b"), Signal(3, name="s")
    o, p = Signal(4, name="o"), Signal(4, init=7, name="p")
    with m.If(a == 3):
        m.d.comb += o.eq(1)
    with m.Elif(b[0]):
        m.d.comb += o[2:4].eq(2)
    with m.Else():
        with m.Switch(s):
            with m.Case("1-0"):
                m.d.comb += o.eq(a)
            with m.Case(1, 2):
                m.d.comb += o[0].eq(b[1])
            with m.Default():
                m.d.comb += o[1:3].eq(3)
        m.d.comb += p.eq(o + 1)
    return text_of(m, [a, b, s, o, p], "nested")


def test_nested_conditions(tmp_path: Path):
    written = check(nested(), tmp_path)
    assert "casez (s)" in written and "3'b1?0: begin" in written and "3'b001, 3'b010" in written
    assert "if (o_equal) begin" in written and "end else if (b[0]) begin" in written


def hierarchy() -> str:
    """A submodule, a loop through its ready signal, and names that Verilog does not take."""
    m, inner = Module(), Module()
    a, o = Signal(4, name="a"), Signal(5, name="o")
    valid, ready, total = Signal(name="valid"), Signal(name="ready"), Signal(5, name="total")
    packed, word = Signal(5, name="packed"), Signal(4, name="word[0]")
    inner.d.comb += [word.eq(a * 3), packed.eq(word + (word >> 2))]
    inner.d.sync += [total.eq(packed), valid.eq(ready)]
    m.submodules.cell = inner
    m.d.comb += [o.eq(total ^ 1), ready.eq(~valid)]
    return text_of(m, [a, o], "outer")


def test_hierarchy_and_names(tmp_path: Path):
    written = check(hierarchy(), tmp_path)
    assert "outer_cell cell_instance (" in written
    assert re.search(r"\bword_0__value = ", written) and not re.search(r"\bpacked\b", written)


FAULTS = [
    (controller, "busy <= load", "busy <= en"),
    (controller, "count <= 4'd3", "count <= 4'd2"),
    (controller, "end else if (en)", "end if (en)"),
    (controller, "count[1:0] <=", "count[2:1] <="),
    (nested, "3'b1?0", "3'b1?1"),
    (nested, "3'b001, 3'b010", "3'b001"),
    (nested, "else if (b[0])", "else if (b[1])"),
    (lambda: logic("x", lambda a, b, s: b < -3)[0], "$signed(b)", "$unsigned(b)"),
    (lambda: logic("x", lambda a, b, s: b >> s)[0], "$signed(b)", "$unsigned(b)"),
    (lambda: logic("x", lambda a, b, s: b * a)[0], "b[4]", "b[3]"),
    (lambda: logic("x", lambda a, b, s: a + s)[0], "1'b0", "1'b1"),
]


@pytest.mark.parametrize(("design", "right", "wrong"), FAULTS)
def test_planted_fault_is_found(design, right: str, wrong: str, tmp_path: Path):
    text = design()
    written = verilog(text)
    assert right in written
    (module,) = parse(text)
    assert unproven(text, written.replace(right, wrong, 1), tmp_path) == [module.name]


def instance(kind: str, **parameters) -> str:
    m = Module()
    a, o = Signal(2, name="a"), Signal(2, name="o")
    m.submodules.box = Instance(kind, i_a=a, o_y=o, **parameters)
    return text_of(m, [a, o])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module \\m\n  wire width 1 \\a\n", "must close every module, cell, process"),
        ("module \\m\n  memory width 1 size 2 \\a\nend\n", "line 2 must be what Amaranth writes"),
        (
            "module \\m\n  wire width 1 \\a\n  connect \\a 1'x\nend\n",
            'not "connect \\\\\\\\a 1\'x"',
        ),
        ("module \\m\n  connect \\a 1'0\nend\n", "line 2 must be what Amaranth writes"),
        ("nonsense\n", "line 1 must be what Amaranth writes, not 'nonsense'"),
        ("module \\wire\nend\n", "must be a Verilog identifier and no keyword, not 'wire'"),
        (instance("no-name"), "must be a Verilog identifier and no keyword, not 'no-name'"),
        (
            "module \\m\n wire width 1 \\y\n cell $pow $1\n connect \\Y \\y\n end\nend\n",
            r"Cell of m must be one that the writer knows, not \$pow",
        ),
        (
            "module \\m\n wire width 1 \\y\n wire width 1 \\z\n cell $not $1\n parameter \\A_WIDTH 1\n"
            " parameter \\Y_WIDTH 1\n connect \\A \\y [0]\n connect \\Y \\y\n end\nend\n",
            "Logic of m must have no loop, not y, y",
        ),
    ],
)
def test_bad_input(text: str, message: str):
    with pytest.raises(RTLILError, match=message):
        verilog(text)

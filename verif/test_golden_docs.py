"""The pages under docs/ that golden generates are what it generates."""

import doctest
import inspect
import pkgutil
import re
from importlib import import_module

import numpy as np

import gen.accuracy
import golden
from gen import bench_golden
from gen.formats_page import PAGE, formats_page, table
from verif import peers_values
from verif.peers import PAGE as AGREEMENT
from verif.peers import SLICE, silicon_rows


def test_formats_page():
    """`python -m gen.formats_page` would change nothing."""
    text = formats_page()
    assert PAGE.read_text(encoding="utf-8") == text
    assert "{" not in text and "dint4_asym" in text


def test_every_public_function_has_a_doctest():
    """Each public function of golden shows a call of itself."""
    count, missing = 0, []
    for info in pkgutil.iter_modules(golden.__path__):
        module = import_module(f"golden.{info.name}")
        for name, member in vars(module).items():
            if name.startswith("_") or getattr(member, "__module__", "") != module.__name__:
                continue
            if inspect.isfunction(member):
                count += 1
                if ">>>" not in (member.__doc__ or ""):
                    missing.append(f"{info.name}.{name}")
    assert not missing and count > 40


def test_agreement_page():
    """What docs/agreement.md says of ml_dtypes is so now; all agrees but mxint8's -2."""
    text = AGREEMENT.read_text(encoding="utf-8")
    assert table(["element", "codes", "casts"], peers_values.ml_dtypes_rows()) in text
    counts = [re.findall(r"([\d,]+) of ([\d,]+)", line) for line in text.splitlines()]
    unequal = [c for line in counts for c in line if c[0] != c[1]]
    assert sum(map(len, counts)) > 60 and len(unequal) == 3
    assert all(line.startswith("| `mxint8`") for line in text.splitlines() if _differs(line))


def _differs(line):
    return any(a != b for a, b in re.findall(r"([\d,]+) of ([\d,]+)", line))


def test_silicon_slice():
    for row in silicon_rows(SLICE):
        assert row[2].split(" of ")[0] == row[2].split(" of ")[1]


def test_accuracy_page():
    """The page's table has the formats that the command measures; numbers need the real tensors."""
    text = gen.accuracy.PAGE.read_text(encoding="utf-8")
    for label, fmt in gen.accuracy.formats():
        assert f"| `{label}` | {fmt.bits_per_element:g} |" in text
    rng = np.random.default_rng(80)
    a, w, e = (rng.standard_normal((8, 64)).astype(np.float32) for _ in "awe")
    rows = gen.accuracy.measure(a, w, e)
    assert len(rows) == 9 and all(5 < r["output"] < 40 for r in rows)
    assert "| `nvfp4` | 4.5 |" in gen.accuracy.page(a, w, e)


def test_benchmark():
    """Small enough to be quick: every format is timed, and none needs twice the input's memory."""
    rows = bench_golden.run(64, 512, repeats=1)
    assert [r["format"] for r in rows] == [*golden.list_formats(), "mxfp4_mbs (weights)"]
    assert all(r["quantize"] > 0 and r["dequantize"] > 0 for r in rows)
    x = np.random.default_rng(81).standard_normal((1024, 2048)).astype(np.float32)
    for name in golden.list_formats():
        assert bench_golden.peak(lambda name=name: golden.quantize(x, name)) < 2 * x.nbytes


def test_examples_of_the_guide():
    """docs/golden.md says what happens."""
    result = doctest.testfile(str(PAGE.parent / "golden.md"), module_relative=False)
    assert result.attempted > 20 and result.failed == 0

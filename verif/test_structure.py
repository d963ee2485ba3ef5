"""The shape of the project: imports point one way, and every component says what it is."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from gen.config import Configuration
from gen.verilog import emit
from hdl.shared import Shared

ROOT = Path(__file__).parent.parent
OURS = {"golden", "hdl", "gen", "verif"}
# What a package may import of ours, as whole packages or single modules.
ALLOWED = {
    "golden": {"golden"},
    "hdl": {"hdl", "golden.formats"},
    "gen": {"gen", "hdl", "golden"},
}
WORDS = ("Function", "Formats", "Shapes", "Widths", "Timing", "Errors", "Source")


def imports(path: Path) -> set[str]:
    """Absolute names of what a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                names.add(path.parent.name)
            elif node.module in OURS:
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
            else:
                names.add(node.module or "")
    return {name for name in names if name.split(".")[0] in OURS}


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_one_way(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        for name in imports(path):
            prefixes = {name, name.split(".")[0], ".".join(name.split(".")[:2])}
            assert prefixes & ALLOWED[package], f"{path.name} imports {name}"


def components() -> list[type[Shared]]:
    """Every component class of hdl/."""
    found = []
    for path in sorted((ROOT / "hdl").glob("*.py")):
        module = importlib.import_module(f"hdl.{path.stem}")
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, Shared) and cls is not Shared and cls.__module__ == module.__name__:
                found.append(cls)
    return found


def test_components_are_found():
    assert len(components()) >= 20


@pytest.mark.parametrize("cls", components(), ids=lambda cls: cls.__name__)
def test_docstring_has_the_seven_words(cls):
    found = re.findall(rf"^ +({'|'.join(WORDS)})  +\S", inspect.getsource(cls), re.MULTILINE)
    assert tuple(found[: len(WORDS)]) == WORDS


GENERATORS = [cls for cls in components() if getattr(cls, "part", None) == "products"]


@pytest.mark.parametrize("cls", GENERATORS, ids=lambda cls: cls.__name__)
def test_generator_has_a_datapath(cls):
    """Its own, of the class or of its parameters: what NAME.json says of products."""
    assert re.search(r"\bdatapath = ", inspect.getsource(cls))


@pytest.mark.parametrize(
    ("unit", "pair"), [("dot", "mxfp6_e3m2"), ("dot", "dint4"), ("dot", "amxfp4"), ("tile", "int8")]
)
def test_description_tells_how_products_are_made(unit, pair):
    shape = {"m": 1, "n": 2} if unit == "tile" else {}
    _, description = emit(Configuration.parse(pair, unit, 32, **shape))
    products = {name for name, part in description["parts"].items() if part == "products"}
    assert products and products == set(description["datapath"])

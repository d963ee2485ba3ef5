"""The pages under docs/ that golden generates are what it generates."""

import inspect
import pkgutil
from importlib import import_module

import golden
from gen.formats_page import PAGE, formats_page


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

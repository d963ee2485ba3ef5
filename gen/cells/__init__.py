"""The built-in standard-cell library; `BUILT_IN` is its Liberty file."""

from pathlib import Path

BUILT_IN = Path(__file__).parent / "mxforge.lib"

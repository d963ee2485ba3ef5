"""Write mxforge.lib and docs/cells.md."""

from pathlib import Path

from gen.cells import BUILT_IN
from gen.cells.document import document
from gen.cells.write import liberty

BUILT_IN.write_text(liberty())
(Path(__file__).parents[2] / "docs" / "cells.md").write_text(document())

"""``python -m gen VERB ...``: the command line without an installed script."""

import sys

from gen.cli import main

sys.exit(main())

"""``python -m gen VERB ...``: the command line without an installed script."""

import sys

from gen.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m nasdsl` is the command `nasdsl`."""

import sys

from nasdsl.cli import main

if __name__ == "__main__":
    sys.exit(main())

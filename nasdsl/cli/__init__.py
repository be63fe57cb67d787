"""The command `nasdsl`: parse arguments, call, print, and say how it went by the exit status.

Exit status: 0 done; 1 the run ended without one successful trial (`fmt --check`: a file is not in
canonical form); 2 bad usage or a bad file; 130 interrupted.

One module per command holds `SUMMARY`, `add_arguments(parser)` and `run(options) -> int`; only the module
of the command that was asked for is imported, so that `nasdsl check` loads neither torch nor rich.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence

from nasdsl.cli.arguments import parse_arguments
from nasdsl.language.errors import NasdslError, SpaceError

DONE, NO_SUCCESS, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    # The linear algebra of a searcher is small: a second thread costs it more than it gives, and takes
    # a core from the candidates. Must be set before numpy is loaded.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    # Exact counts may have millions of digits; Python refuses to print more than 4,300 by default.
    sys.set_int_max_str_digits(0)
    try:
        command, options = _prepared(sys.argv[1:] if arguments is None else list(arguments))
        status = command(options)
        sys.stdout.flush()
        return status
    except SpaceError as error:
        print("\n\n".join(problem.render() for problem in error.diagnostics), file=sys.stderr)
        return BAD_INPUT
    except NasdslError as error:
        print(f"nasdsl: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        _discard_output()
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("nasdsl: interrupted", file=sys.stderr)
        return INTERRUPTED


def _prepared(arguments: list[str]) -> tuple[Callable[[Namespace], int], Namespace]:
    """What to run. Nothing that is loaded on the way is garbage, so nobody looks for any."""
    gc.disable()
    try:
        return parse_arguments(arguments)
    finally:
        gc.enable()


def _discard_output() -> None:
    """Whoever read our output is gone (`nasdsl … | head`); the flush at exit must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

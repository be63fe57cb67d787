"""Room for recursion over trees as deep as a file may nest.

The passes over the syntax tree are plain recursive functions of some ten frames a level, and two
hundred levels of them are more than Python's own limit of a thousand frames.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from nasdsl.language.scanner import MAX_NESTING

_ROOM = MAX_NESTING * 40  # frames

_lock = Lock()
_inside = 0  # of all threads: the limit is one for all of them, so the last to leave restores it


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Raise the interpreter's recursion limit for a while."""
    _change(+1)
    try:
        yield
    finally:
        _change(-1)


def _change(entered: int) -> None:
    global _inside
    with _lock:
        before, _inside = _inside, _inside + entered
        if not before or not _inside:
            sys.setrecursionlimit(sys.getrecursionlimit() + entered * _ROOM)

"""Room for recursion over trees as deep as a file may nest.

The passes over the syntax tree are plain recursive functions of some ten frames a level, and two
hundred levels of them are more than Python's own limit of a thousand frames. All that they make stays, so that the
collector of garbage would go through it again and again for nothing: it rests meanwhile.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from nasdsl.language.scanner import MAX_NESTING

_ROOM = MAX_NESTING * 40  # frames

_lock = Lock()
_inside = 0  # of all threads: the limit is one for all of them, so the last to leave restores it
_collects = True  # whether the collector was at work when the first came in


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Raise the interpreter's recursion limit for a while, and let the garbage lie."""
    _change(+1)
    try:
        yield
    finally:
        _change(-1)


def _change(entered: int) -> None:
    global _inside, _collects
    with _lock:
        before, _inside = _inside, _inside + entered
        if not before:
            _collects = gc.isenabled()
            gc.disable()
        elif not _inside and _collects:
            gc.enable()
        if not before or not _inside:
            sys.setrecursionlimit(sys.getrecursionlimit() + entered * _ROOM)

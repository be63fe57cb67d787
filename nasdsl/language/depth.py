"""Room for recursion over trees as deep as a file may nest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_FRAMES = 20_000  # a level of nesting takes some ten frames, and a file has at most a few hundred


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Raise the interpreter's recursion limit for a while."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)

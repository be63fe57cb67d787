"""Room on the stack for trees as deep as the language allows (see MAX_NESTING).

The passes over the syntax tree are plain recursive functions of some ten frames a level, and two
hundred levels of them are more than Python's own limit of a thousand frames.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeVar

from nasdsl.language.scanner import MAX_NESTING

_FRAMES_PER_LEVEL = 40
_ROOM = MAX_NESTING * _FRAMES_PER_LEVEL

_P = ParamSpec("_P")
_R = TypeVar("_R")
_lock = Lock()
_inside = 0  # calls in progress, of all threads: the limit is one for all, so the last restores it


def deep(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function with room to descend any tree that the parser lets through."""

    @wraps(function)
    def with_room(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        _enter()
        try:
            return function(*args, **kwargs)
        finally:
            _leave()

    return with_room


def _enter() -> None:
    global _inside
    with _lock:
        if _inside == 0:
            sys.setrecursionlimit(sys.getrecursionlimit() + _ROOM)
        _inside += 1


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        if _inside == 0:
            sys.setrecursionlimit(sys.getrecursionlimit() - _ROOM)

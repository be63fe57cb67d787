"""Values on the command line, for argparse's `type`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from nasdsl.language.decisions import Answer
from nasdsl.language.fixing import TRUTH

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def at_least(least: int) -> Callable[[str], int]:
    """A whole number of at least `least`."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least {least}")
        return value

    return convert


def duration(text: str) -> float:
    """`90`, `90s`, `10m`, `1.5h` or `2d`, in seconds."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _SECONDS else (text, "s")
    try:
        seconds = float(number) * _SECONDS[unit]
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write for example 90s, 10m or 1.5h")
    return seconds


def size(text: str) -> int:
    """`500M`, `4G` or `1.5G`, in bytes of 1024 to the next; a bare number counts bytes."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _BYTES else (text, "")
    try:
        found = float(number) * (_BYTES[unit] if unit else 1)
    except ValueError:
        found = 0.0
    if not 1 <= found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write for example 500M or 4G")
    return int(found)


def names(text: str) -> list[str]:
    """`0,1`: what stands between the commas."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is no list; write for example 0,1")
    return found


def setting(text: str) -> tuple[str, Answer]:
    """`network/width=32` or `epochs=5`: a path and its answer; the search says which paths there are."""
    path, equals, written = text.partition("=")
    if not equals or not path.strip() or not written.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no PATH=VALUE; write for example epochs=5")
    return path.strip(), _plain_value(written.strip())


def _plain_value(written: str) -> Answer:
    if written in TRUTH:
        return TRUTH[written]
    for convert in (int, float):
        try:
            return convert(written)
        except ValueError:
            continue
    return written

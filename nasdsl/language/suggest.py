"""The nearest known name to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

from nasdsl.language.habits import NAMES, plain

_LONGEST = 64  # longer names are not compared: nobody mistypes them by a letter or two


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean `conv2d`?`, or nothing where no known name is near."""
    if not name or len(name) > _LONGEST:
        return ""
    candidates = list(dict.fromkeys(k for k in known if len(k) <= _LONGEST))
    lowered = {k.lower(): k for k in candidates}
    if elsewhere := next((n for n in NAMES.get(plain(name), ()) if n in candidates), ""):
        return f"did you mean `{elsewhere}`?"
    near = get_close_matches(name.lower(), list(lowered), n=5, cutoff=0.6)
    # One or two slips, or the beginning of a name; other words that share some letters are no help.
    near = [one for one in near if _is_like(name.lower(), one)]
    # Swapped letters are the likeliest slip: `convd2` is `conv2d` rather than `conv3d`.
    swapped = [one for one in near if sorted(one) == sorted(name.lower())]
    return f"did you mean `{lowered[(swapped or near)[0]]}`?" if near else ""


def _is_like(name: str, known: str) -> bool:
    begins = len(name) > 1 and (known.startswith(name) or name.startswith(known))
    return begins or SequenceMatcher(None, name, known).ratio() > 0.68

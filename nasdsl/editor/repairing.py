"""Texts whose brackets do not match: what can still be read of them.

Items mostly begin at the very left of a line, so a bracket left open in one need not hide the others.
"""

from __future__ import annotations

import re

from nasdsl.language.diagnosing import ITEMS
from nasdsl.language.errors import Source
from nasdsl.language.scanner import CLOSES, OPENS, Token, scan

_ITEM = re.compile(rf"^(?:{'|'.join(ITEMS)})\b", re.MULTILINE)


def stretches(text: str) -> list[tuple[int, int]]:
    """From each line that begins with an item to the next; the first from the beginning."""
    starts = [0, *(match.start() for match in _ITEM.finditer(text) if match.start())]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def stretch(text: str, offset: int) -> tuple[int, int]:
    """The one around an offset."""
    return next(one for one in reversed(stretches(text)) if one[0] <= offset)


def open_brackets(tokens: list[Token]) -> list[str] | None:
    """Those that are open behind the tokens; None where one is closed that is not open."""
    opened: list[str] = []
    for token in tokens:
        if token.text in OPENS:
            opened.append(token.text)
        elif token.text in CLOSES and (not opened or opened.pop() != CLOSES[token.text]):
            return None
    return opened


def repaired(text: str) -> str:
    """The text with blanks for each stretch that has no tokens to go by; offsets stay."""
    return "".join(
        text[start:end] if _is_sound(text[start:end]) else re.sub(r"[^\n]", " ", text[start:end])
        for start, end in stretches(text)
    )


def _is_sound(text: str) -> bool:
    tokens, _, problems = scan(Source("", text))
    return not problems and open_brackets(tokens) == []

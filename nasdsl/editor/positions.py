"""Places as editors count them: lines, and units of an encoding within a line."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping

_LINE_END = re.compile(r"\r\n|\n|\r")
_UNITS: Mapping[str, Callable[[str], int]] = {
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "utf-32": len,
}


class Positions:
    """Offsets of a text, in characters, to (line, unit) and back; both count from 0."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self._text = text
        self._units = _UNITS[encoding]
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def of(self, offset: int) -> tuple[int, int]:
        """The line and the unit of an offset; beyond the text, its end."""
        offset = min(max(offset, 0), len(self._text))
        line = bisect_right(self._starts, offset) - 1
        return line, self._units(self._text[self._starts[line] : offset])

    def offset(self, line: int, unit: int) -> int:
        """The offset of a place; behind the end of a line, that end."""
        if line >= len(self._starts):
            return len(self._text)
        at = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self._text)
        while at < end and unit > 0 and self._text[at] not in "\r\n":
            unit -= self._units(self._text[at])
            at += 1
        return at

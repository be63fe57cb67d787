"""The outline of a space for people: as text, and as a picture of the tree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from xml.sax.saxutils import escape

from nasdsl.language.outline import Line

_WIDTH = 120  # columns of the text
_ROW, _STEP, _LETTER, _MARGIN, _BAR = 26.0, 22.0, 7.2, 16.0, 110.0  # pixels
# Fill and edge of each kind of part.
_COLOURS: Mapping[str, tuple[str, str]] = {
    "part": ("#1f2933", "#1f2933"),
    "choice": ("#fde8c8", "#c77d0a"),
    "answer": ("#fff8ec", "#d9a441"),
    "repeat": ("#d9efdf", "#3f8f5b"),
    "block": ("#dbe7fb", "#3d6bb3"),
    "wrapper": ("#e9e1f5", "#7a5aa6"),
    "layer": ("#f1f3f5", "#9aa5b1"),
}


def outline_text(name: str, doc: str, total: int | None, lines: Iterable[Line]) -> str:
    """One part per line, nested parts below it, the ways of each on the right where it has several."""
    rows = [*_indented(lines)]
    width = max([len(title) for title, _ in rows] + [0]) + 2
    counts = [way_text(ways) for _, ways in rows]
    column = min(width, _WIDTH - max([len(count) for count in counts] + [0]))
    widest = max([len(count) for count in counts] + [0])
    shown = [
        f"{title:<{column}}{count:>{widest}}".rstrip() for (title, _), count in zip(rows, counts, strict=True)
    ]
    head = [name, *([doc] if doc else []), "", f"{_total_text(total)}; each part by itself:", ""]
    return "\n".join([*head, *shown]) + "\n"


def _total_text(total: int | None) -> str:
    return (
        "points not counted: too many different situations"
        if total is None
        else f"{count_text(total)} points"
    )


def _indented(lines: Iterable[Line], level: int = 0) -> Iterator[tuple[str, int | None]]:
    for line in lines:
        yield "  " * level + line.title, line.ways
        yield from _indented(line.inner, level + 1)


def way_text(ways: int | None) -> str:
    """Nothing for a part that decides nothing, or that is counted with the one around it."""
    return "" if ways is None or ways == 1 else count_text(ways)


def count_text(count: int) -> str:
    """All digits of a number up to a million millions, then its order: `2.18e19`."""
    if count < 10**12:
        return f"{count:,}"
    digits = len(str(count))
    return f"{int(str(count)[:3]) / 100:.2f}e{digits - 1}"


# --- the picture ----------------------------------------------------------------------------


def outline_svg(name: str, total: int | None, lines: Iterable[Line]) -> str:
    """The tree from top to bottom; a bar beside each part is as long as its count has digits."""
    top = Line(name, "part", total, tuple(lines))
    rows = [*_rows(top)]
    right = max(_MARGIN + _STEP * level + _box_width(line) for line, level, _ in rows) + _MARGIN
    longest = max(len(way_text(line.ways)) for line, _, _ in rows) * _LETTER
    width, height = right + _BAR + longest + 2 * _MARGIN, _ROW * len(rows) + 2 * _MARGIN
    scale = _BAR / max(1.0, _digits(max(line.ways or 1 for line, _, _ in rows)))
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' "
        f"width='{width:.0f}' height='{height:.0f}' font-family='Helvetica, Arial, sans-serif'>",
        f"<title>{escape(name)}</title>",
        f"<rect width='{width:.0f}' height='{height:.0f}' fill='white'/>",
        *(_connector(row, level, parent) for row, (_, level, parent) in enumerate(rows) if parent >= 0),
        *(_row(row, line, level, right, scale) for row, (line, level, _) in enumerate(rows)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _rows(top: Line) -> Iterator[tuple[Line, int, int]]:
    """Each line with its level and the row of its parent."""
    waiting = [(top, 0, -1)]
    row = -1
    while waiting:
        line, level, parent = waiting.pop()
        row += 1
        yield line, level, parent
        waiting += [(inner, level + 1, row) for inner in reversed(line.inner)]


def _digits(ways: int) -> float:
    return math.log10(ways) if ways > 1 else 0.0


def _box_width(line: Line) -> float:
    return _LETTER * len(line.title) + 16


def _middle(row: int) -> float:
    return _MARGIN + _ROW * row + _ROW / 2


def _connector(row: int, level: int, parent: int) -> str:
    x, y = _MARGIN + _STEP * (level - 1) + 10, _middle(row)
    return (
        f"<path d='M {x:.1f} {_middle(parent) + 10:.1f} V {y - 6:.1f} q 0 6 6 6 H {x + _STEP - 10:.1f}' "
        "fill='none' stroke='#cbd2d9' stroke-width='1.3'/>"
    )


def _row(row: int, line: Line, level: int, right: float, scale: float) -> str:
    fill, edge = _COLOURS[line.kind]
    x, y = _MARGIN + _STEP * level, _middle(row)
    ink = "white" if line.kind == "part" else "#1f2933"
    box = (
        f"<rect x='{x:.1f}' y='{y - 10:.1f}' width='{_box_width(line):.1f}' height='20' rx='5' "
        f"fill='{fill}' stroke='{edge}'/>"
        f"<text x='{x + 8:.1f}' y='{y + 4:.1f}' font-size='12.5' fill='{ink}' "
        f"textLength='{_box_width(line) - 16:.1f}' lengthAdjust='spacingAndGlyphs'>{escape(line.title)}</text>"
    )
    ways = way_text(line.ways)
    if not ways:
        return box
    bar = max(2.0, scale * _digits(line.ways or 1))
    return box + (
        f"<rect x='{right:.1f}' y='{y - 5:.1f}' width='{bar:.1f}' height='10' rx='2' fill='{edge}' opacity='0.55'/>"
        f"<text x='{right + bar + 8:.1f}' y='{y + 4:.1f}' font-size='12' fill='#52606d'>{ways}</text>"
    )

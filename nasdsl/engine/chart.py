"""Values over trials as one inline SVG picture, without a script."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT = 860.0, 280.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 16.0, 14.0, 36.0
_DOT, _BEST, _FAILED, _INK, _RULE = "#3b73b9", "#c2571a", "#b3261e", "#52606d", "#e4e7eb"


def chart(values: Sequence[float | None], maximize: bool, title: str) -> str:
    """A dot per trial in the order of finishing, a cross for a failure, and the best so far as a line.

    Values far worse than most are drawn at the edge, so that one of them does not flatten the rest.
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = _range(known, maximize)
    axes = _Axes(low, high, len(values))
    dots = [_mark(axes, at, value) for at, value in enumerate(values)]
    return "\n".join(
        [
            f"<svg class='chart' viewBox='0 0 {_WIDTH:.0f} {_HEIGHT:.0f}' role='img' "
            "font-family='Helvetica, Arial, sans-serif' font-size='12'>",
            f"<title>{escape(title)}</title>",
            *axes.grid(),
            *dots,
            _best_line(axes, values, maximize),
            "</svg>",
        ]
    )


def _range(known: Sequence[float], maximize: bool) -> tuple[float, float]:
    """The values to show: all, but for those three times as far from the best as the worst quarter begins."""
    best = max(known) if maximize else min(known)
    quarters = statistics.quantiles(known, n=4) if len(known) > 1 else known
    reach = 3 * abs(best - quarters[0 if maximize else -1])
    shown = [value for value in known if abs(value - best) <= reach] or [best]
    low, high = min(shown), max(shown)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


class _Axes:
    """Where a value of a trial stands in the picture."""

    def __init__(self, low: float, high: float, n: int) -> None:
        self.low, self.high, self.n = low, high, n

    def x(self, at: int) -> float:
        return _LEFT + (at + 0.5) / self.n * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low)
        return _TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM)

    def grid(self) -> list[str]:
        """Rules with their values, and what runs along the foot."""
        lines = []
        for value in ticks(self.low, self.high):
            y = self.y(value)
            lines.append(f"<path d='M {_LEFT} {y:.1f} H {_WIDTH - _RIGHT}' stroke='{_RULE}'/>")
            lines.append(
                f"<text x='{_LEFT - 8}' y='{y + 4:.1f}' fill='{_INK}' text-anchor='end'>{value:.6g}</text>"
            )
        foot = _HEIGHT - 12
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        label = "trials in the order of finishing"
        lines.append(f"<text x='{_LEFT}' y='{foot}' fill='{_INK}'>1</text>")
        lines.append(f"<text x='{middle}' y='{foot}' fill='{_INK}' text-anchor='middle'>{label}</text>")
        lines.append(
            f"<text x='{_WIDTH - _RIGHT}' y='{foot}' fill='{_INK}' text-anchor='end'>{self.n}</text>"
        )
        return lines


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two values, about five."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [index * step for index in range(first, last + 1)]


def _mark(axes: _Axes, at: int, value: float | None) -> str:
    x = axes.x(at)
    if value is None:
        y = _HEIGHT - _BOTTOM - 4
        return f"<path d='M {x - 3:.1f} {y - 3} l 6 6 m 0 -6 l -6 6' stroke='{_FAILED}' stroke-width='1.4'/>"
    return f"<circle cx='{x:.1f}' cy='{axes.y(value):.1f}' r='3' fill='{_DOT}' fill-opacity='0.75'/>"


def _best_line(axes: _Axes, values: Sequence[float | None], maximize: bool) -> str:
    """A staircase: up (or down) where a trial is better than all before it."""
    best: float | None = None
    path = ""
    for at, value in enumerate(values):
        if value is None or (best is not None and (value <= best if maximize else value >= best)):
            continue
        best = value
        x, y = axes.x(at), axes.y(value)
        path += f" H {x:.1f} V {y:.1f}" if path else f"M {x:.1f} {y:.1f}"
    return f"<path d='{path} H {_WIDTH - _RIGHT}' fill='none' stroke='{_BEST}' stroke-width='1.8'/>"

"""Answers, numbers and times as people read them, alike in every command and in the report."""

from __future__ import annotations

from collections.abc import Mapping

from nasdsl.language.decisions import Answer


def answer_text(answer: Answer) -> str:
    """An answer as a space would write it."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return f"{answer:.6g}" if isinstance(answer, float) else str(answer)


def point_text(point: Mapping[str, Answer]) -> str:
    """One answer per line, as a `start { }` would write them."""
    return "\n".join(f"{path} = {answer_text(answer)}" for path, answer in point.items())


def number(value: float | None) -> str:
    """Four digits behind the point where that says something, five significant ones elsewhere."""
    if value is None:
        return "–"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e3 or value == 0 else f"{value:.5g}"


def clock(seconds: float) -> str:
    """`45s`, `3m20s`, `2h05m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"

"""Where a problem is, what it is, and how a person reads it.

NasdslError
  SpaceError        a `.space` file is wrong; carries every Diagnostic found
  Infeasible        no point holds every proved `require`
  AnswerError       an answer was given that the decision does not offer
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple


class Span(NamedTuple):
    """A half-open stretch of a source: offsets in characters, lines and columns from 1."""

    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int

    def to(self, other: Span) -> Span:
        """The stretch from here to the end of `other`."""
        return Span(self.start, other.end, self.line, self.column, other.end_line, other.end_column)


NOWHERE = Span(0, 0, 1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Source:
    """The name and text of one `.space` file."""

    name: str
    text: str

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        lines = _lines(self.text)
        return lines[number - 1].rstrip("\r") if number <= len(lines) else ""


@lru_cache(maxsize=2)
def _lines(text: str) -> list[str]:
    return text.split("\n")


@dataclass(frozen=True)
class Diagnostic:
    """One problem: `code` is stable and kebab-case, `help` says what to do."""

    code: str
    message: str
    span: Span
    source: Source = field(repr=False)
    help: tuple[str, ...] = ()
    severity: str = "error"  # or "warning", or "note": what a check has found out
    facts: Mapping[str, object] = field(default_factory=dict, compare=False)  # of a note, for programs

    def render(self) -> str:
        """The lines a person reads: place, code, source line, caret span, help."""
        place = f"{self.source.name}:{self.span.line}:{self.span.column}"
        lines = [f"{place}: {self.severity}[{self.code}]: {self.message}"]
        lines += _excerpt(self.source, self.span)
        lines += [f"help: {line}" for line in self.help]
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """The same for editors; lines and columns count from 1."""
        return {
            "file": self.source.name,
            "line": self.span.line,
            "column": self.span.column,
            "end_line": self.span.end_line,
            "end_column": self.span.end_column,
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "help": list(self.help),
            **self.facts,
        }


_WIDEST_EXCERPT = 160


def _excerpt(source: Source, span: Span) -> list[str]:
    text = source.line(span.line)
    if not text.strip():
        return []
    first = span.column - 1
    last = span.end_column - 1 if span.end_line == span.line else len(text)
    cut = max(0, first - _WIDEST_EXCERPT // 2)
    shown = text[cut : cut + _WIDEST_EXCERPT].replace("\t", " ")
    gutter = f"{span.line} | "
    before = _columns(shown[: first - cut])
    carets = max(1, _columns(shown[first - cut : max(first + 1, last) - cut]))
    return [gutter + shown.rstrip(), " " * (len(gutter) + before) + "^" * carets]


def _columns(text: str) -> int:
    """Terminal columns, so that carets stand under wide and combining characters."""
    return sum(
        0 if unicodedata.combining(ch) else 2 if unicodedata.east_asian_width(ch) in "WF" else 1
        for ch in text
    )


class NasdslError(Exception):
    """The base of every error that a user can cause."""


class SpaceError(NasdslError):
    """A `.space` file is wrong. `diagnostics` holds every problem, ordered by place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n\n".join(d.render() for d in self.diagnostics))


class Infeasible(NasdslError):
    """No point was found that holds every proved `require`."""


class AnswerError(NasdslError):
    """An answer is not among those that the decision offers."""

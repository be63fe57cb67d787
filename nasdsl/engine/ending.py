"""When a search ends, and how that is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from nasdsl.engine.events import EndedBy
from nasdsl.engine.records import Record, best_of

FAILING_ALIKE = 10  # first trials that all fail in the same way end the run
_INTERRUPTED = "interrupted: {n} finished trials are kept; the same command with --resume goes on"


@dataclass
class Standing:
    """What is to be known of a run while it goes on: not its records, which may be many."""

    finished: int = 0
    best: Record | None = None
    first: list[Record] = field(default_factory=list)  # of this session: what failed before may be mended

    @classmethod
    def of(cls, before: Sequence[Record]) -> Standing:
        """At the begin of a session."""
        return cls(len(before), best_of(before))

    def note(self, record: Record) -> None:
        self.finished += 1
        self.best = best_of([record] if self.best is None else [self.best, record])
        if len(self.first) < FAILING_ALIKE:
            self.first.append(record)

    @property
    def fails(self) -> bool:
        """Whether nothing ever succeeded and this session began with failures alike."""
        return self.best is None and fails_alike(self.first)


def fails_alike(records: Sequence[Record]) -> bool:
    """Whether the first ten trials all failed, with one message up to numbers and quoted parts."""
    first = records[:FAILING_ALIKE]
    kinds = {_kind_of(record.error) for record in first}
    return len(first) == FAILING_ALIKE and len(kinds) == 1 and None not in kinds


def _kind_of(error: str | None) -> str | None:
    return None if error is None else re.sub(r"[-+.\d]+|'[^']*'|`[^`]*`", "*", error)


def interrupted(n_finished: int) -> str:
    """What a user reads after Ctrl-C."""
    return _INTERRUPTED.format(n=n_finished)


def why(by: EndedBy, standing: Standing, budget: int | None) -> str:
    """The end in a sentence."""
    n = standing.finished
    match by:
        case "budget":
            return f"all {budget} trials have an outcome"
        case "time":
            return f"the time is over, after {n} trials"
        case "exhausted":
            return f"the search space is exhausted: nothing left to try after {n} trials"
        case "interrupted":
            return interrupted(n)
        case "failing":
            return f"the first {FAILING_ALIKE} trials all failed alike: {standing.first[-1].error}"


def no_success(records: Sequence[Record]) -> str:
    """What a caller reads who watched nothing and got a run without one success."""
    errors = [record.error or "" for record in records]
    alike = [error for error in errors if _kind_of(error) == _kind_of(errors[0])]
    return f"no trial succeeded; {len(alike)} of {len(errors)} failed alike: {errors[0]}"

"""When a search ends, and how that is said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nasdsl.engine.events import EndedBy
from nasdsl.engine.records import Record

FAILING_ALIKE = 10  # first trials that all fail in the same way end the run
_INTERRUPTED = "interrupted: {n} finished trials are kept; the same command with --resume goes on"


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


def why(by: EndedBy, records: Sequence[Record], budget: int | None) -> str:
    """The end in a sentence."""
    match by:
        case "budget":
            return f"all {budget} trials have an outcome"
        case "time":
            return f"the time is over, after {len(records)} trials"
        case "exhausted":
            return f"the search space is exhausted: nothing left to try after {len(records)} trials"
        case "interrupted":
            return interrupted(len(records))
        case "failing":
            return f"the first {FAILING_ALIKE} trials all failed alike: {records[-1].error}"


def no_success(records: Sequence[Record]) -> str:
    """What a caller reads who watched nothing and got a run without one success."""
    errors = [record.error or "" for record in records]
    alike = [error for error in errors if _kind_of(error) == _kind_of(errors[0])]
    return f"no trial succeeded; {len(alike)} of {len(errors)} failed alike: {errors[0]}"

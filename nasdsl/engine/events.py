"""What a run tells whoever watches it. The engine prints nothing itself.

`search(…, on_event=handle)` calls `handle(event)` in the thread of the caller, in order:

    Started, then TrialStarted / TrialReported / TrialFinished / Notice in any order,
    then PhaseStarted (confirm, test, baselines) with PhaseStep, then Ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from nasdsl.engine.records import Record
from nasdsl.language.point import Point

# budget       all trials asked for have an outcome
# time         the time asked for is over
# exhausted    the searcher has nothing left to try
# interrupted  Ctrl-C or a termination signal
# failing      the first trials all failed alike
EndedBy: TypeAlias = Literal["budget", "time", "exhausted", "interrupted", "failing"]
Phase: TypeAlias = Literal["confirm", "test", "baselines"]


@dataclass(frozen=True, slots=True)
class Started:
    """`finished` trials were there before (after --resume), `slots` trials run at a time."""

    folder: Path
    space: str
    searcher: str
    budget: int | None
    time_s: float | None
    slots: int
    finished: int


@dataclass(frozen=True, slots=True)
class TrialStarted:
    trial: int
    point: Point


@dataclass(frozen=True, slots=True)
class TrialReported:
    """One epoch or `trial.report`; `score` is on the scale of Record.score."""

    trial: int
    step: float
    score: float


@dataclass(frozen=True, slots=True)
class TrialFinished:
    """`best` includes this trial; `finished` counts all outcomes of the run, `elapsed_s` this session."""

    record: Record
    best: Record | None
    finished: int
    running: int
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """Work after the search proper, of `total` steps."""

    phase: Phase
    total: int


@dataclass(frozen=True, slots=True)
class PhaseStep:
    phase: Phase
    done: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user: a worker replaced, a trial retried, an interrupt taken."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """`why` is a whole sentence; after an interrupt it says how to resume."""

    by: EndedBy
    why: str


Event: TypeAlias = (
    Started | TrialStarted | TrialReported | TrialFinished | PhaseStarted | PhaseStep | Notice | Ended
)

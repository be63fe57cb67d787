"""Ask, submit, wait, store, tell: the heart of a run, in one thread.

The parent alone owns searcher and store, so there are no locks, and the order in which outcomes are told
is the order in which they are stored: a resume replays it. Told in arrival order: waiting for trial 3
would idle the other workers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from nasdsl.engine.events import Ended, EndedBy, Event, Notice, TrialFinished, TrialReported, TrialStarted
from nasdsl.engine.interrupts import Interrupts
from nasdsl.engine.messages import Done, Job, News, Report, Result
from nasdsl.engine.records import Ask, Record, best_of, seed_of
from nasdsl.engine.store import Store
from nasdsl.engine.weights import Keeper
from nasdsl.language.point import Point
from searchers.protocol import Searcher

FAILING_ALIKE = 10  # first trials that all fail in the same way end the run
INTERRUPTED = "interrupted: {n} finished trials are kept; the same command with --resume goes on"
GRACE_S = 10.0  # how long running trials may go on after an interrupt or the end of the time


class Workers(Protocol):
    """What the loop needs of a pool; see pool.py."""

    @property
    def free(self) -> int: ...
    @property
    def running(self) -> tuple[int, ...]: ...
    def submit(self, job: Job) -> None: ...
    def wait(self) -> list[News]: ...
    def retried(self) -> list[int]: ...
    def stop(self, trial: int) -> None: ...


@dataclass(frozen=True)
class Loop:
    """One session of a run: everything the loop works with, and `run` to do it.

    `start` is trial 0 of a fresh run. `should_stop` says after each report whether the trial goes on.
    """

    store: Store
    searcher: Searcher
    workers: Workers
    keeper: Keeper
    interrupts: Interrupts
    on_event: Callable[[Event], None]
    seed: int
    budget: int | None
    time_s: float | None
    start: Point | None
    should_stop: Callable[[Report], bool]

    def run(self) -> Ended:
        """Go on from what is stored until the budget, the time, the searcher or the user ends it."""
        began = time.monotonic()
        records = list(self.store.records())
        for record in records:
            self.searcher.tell(record.trial, record.point, record.outcome)
        asks = self._asks()
        running: dict[int, Point] = {}
        exhausted = False
        while True:
            ended = self._ended(records, bool(running), exhausted, time.monotonic() - began)
            if ended is not None:
                self._drain(records, running, ended, began)
                return Ended(ended, _why(ended, records, self.budget))
            while self.workers.free and self._has_room(len(records) + len(running)):
                ask = next(asks)
                exhausted = ask is None
                if ask is None:
                    break
                running[ask.trial] = ask.point
                self._submit(ask)
            self._take(self.workers.wait(), records, running, began)

    def _asks(self) -> Iterator[Ask | None]:
        """Trials to run: those given out before without an outcome, then new ones. None: nothing left
        to try now; asked again later, the searcher may know better."""
        yield from self.store.pending()
        trial = self.store.next_trial()
        while True:
            is_start = trial == 0 and self.start is not None
            point = self.start if is_start else self.searcher.ask(trial)
            if point is None:
                yield None
                continue
            ask = Ask(trial, point)
            self.store.ask([ask])
            yield ask
            trial += 1

    def _submit(self, ask: Ask) -> None:
        self.workers.submit(
            Job(
                trial=ask.trial,
                point=ask.point.to_json(),
                seed=seed_of(self.seed, ask.trial),
                weights=self.keeper.partial(ask.trial),
                keep_above=self.keeper.threshold(),
            )
        )
        self.on_event(TrialStarted(ask.trial, ask.point))

    def _take(self, news: list[News], records: list[Record], running: dict[int, Point], began: float) -> None:
        """Store and tell what ended; pass on what was reported."""
        for item in news:
            match item:
                case Report(trial, step, score):
                    self.on_event(TrialReported(trial, step, score))
                    if self.should_stop(item):
                        self.workers.stop(trial)
                case Done(trial, result):
                    record = _record(trial, running.pop(trial), seed_of(self.seed, trial), result)
                    self.keeper.keep(trial, result)
                    self.store.finish(record)
                    records.append(record)
                    self.keeper.note(record)
                    self.searcher.tell(trial, record.point, record.outcome)
                    elapsed = time.monotonic() - began
                    best = best_of(records)
                    self.on_event(TrialFinished(record, best, len(records), len(running), elapsed))
        for trial in self.workers.retried():
            self.on_event(
                Notice(f"the worker of trial {trial} was killed from outside; the trial starts again")
            )

    def _has_room(self, given_out: int) -> bool:
        return self.budget is None or given_out < self.budget

    def _ended(
        self, records: list[Record], running: bool, exhausted: bool, elapsed_s: float
    ) -> EndedBy | None:
        if self.budget is not None and len(records) >= self.budget:
            return "budget"
        if self.interrupts.count:
            return "interrupted"
        if fails_alike(records):
            return "failing"
        if self.time_s is not None and elapsed_s >= self.time_s:
            return "time"
        return "exhausted" if exhausted and not running else None

    def _drain(self, records: list[Record], running: dict[int, Point], by: EndedBy, began: float) -> None:
        """Let running trials end within the grace; what does not stays pending, for a resume."""
        if by not in ("interrupted", "time") or not running:
            return
        if by == "interrupted":
            self.on_event(
                Notice(
                    f"interrupted: {len(running)} running trials may end within {GRACE_S:g} s; again: stop now"
                )
            )
        deadline = time.monotonic() + GRACE_S
        while running and self.interrupts.count < 2 and time.monotonic() < deadline:
            self._take(self.workers.wait(), records, running, began)


def fails_alike(records: list[Record]) -> bool:
    """Whether the first ten trials all failed, with one message up to numbers and quoted parts."""
    first = records[:FAILING_ALIKE]
    kinds = {_kind_of(record.error) for record in first}
    return len(first) == FAILING_ALIKE and len(kinds) == 1 and None not in kinds


def _kind_of(error: str | None) -> str | None:
    return None if error is None else re.sub(r"[-+.\d]+|'[^']*'|`[^`]*`", "*", error)


def _record(trial: int, point: Point, seed: int, result: Result) -> Record:
    return Record(
        trial=trial,
        point=point,
        score=result.score,
        error=result.error,
        reason=result.reason,
        seconds=result.seconds,
        seed=seed,
        params=result.params,
        macs=result.macs,
        measures=result.measures,
        curve=result.curve,
        traceback=result.traceback,
    )


def _why(by: EndedBy, records: list[Record], budget: int | None) -> str:
    match by:
        case "budget":
            return f"all {budget} trials have an outcome"
        case "time":
            return f"the time is over, after {len(records)} trials"
        case "exhausted":
            return f"the search space is exhausted: nothing left to try after {len(records)} trials"
        case "interrupted":
            return INTERRUPTED.format(n=len(records))
        case "failing":
            return f"the first {FAILING_ALIKE} trials all failed alike: {records[0].error}"

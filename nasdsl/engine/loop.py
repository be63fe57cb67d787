"""Ask, submit, wait, store, tell: the heart of a run, in one thread.

The parent alone owns searcher and store, so there are no locks, and the order in which outcomes are told
is the order in which they are stored: a resume replays it. Told in arrival order: waiting for trial 3
would idle the other workers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from nasdsl.engine.chosen import remember
from nasdsl.engine.ending import fails_alike, why
from nasdsl.engine.events import Ended, EndedBy, Event, Notice, TrialFinished, TrialReported, TrialStarted
from nasdsl.engine.fidelity import Rule
from nasdsl.engine.interrupts import Interrupts
from nasdsl.engine.lineage import begin
from nasdsl.engine.messages import Chose, Done, Job, News, Report, Result
from nasdsl.engine.proposing import announce, replay
from nasdsl.engine.records import Ask, Record, best_of, seed_of
from nasdsl.engine.store import Store
from nasdsl.engine.weights import Keeper
from nasdsl.language.point import Point
from searchers.protocol import Lineage, Searcher

GRACE_S = 10.0  # how long running trials may go on after an interrupt or the end of the time


class Workers(Protocol):
    """What the loop needs of a pool; see pool.py."""

    @property
    def free(self) -> int: ...
    @property
    def running(self) -> tuple[int, ...]: ...
    def submit(self, *group: Job) -> None: ...
    def wait(self) -> list[News]: ...
    def retried(self) -> list[int]: ...
    def stop(self, trial: int) -> None: ...


@dataclass(frozen=True)
class Loop:
    """One session of a run: everything it works with, and `run` to do it.

    `start` is trial 0 of a fresh run. `rule` says after each report whether the trial goes on.
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
    rule: Rule

    def run(self) -> Ended:
        """Go on from what is stored until the budget, the time, the searcher or the user ends it."""
        return _Session(self).run()


class _Session:
    """The state of a running loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._records = list(loop.store.records())
        self._n_before = len(self._records)
        self._running: dict[int, Point] = {}
        self._lineages: dict[int, Lineage] = {}
        self._asks = self._asked()
        self._exhausted = False
        self._began = time.monotonic()

    def run(self) -> Ended:
        replay(self._loop.searcher, self._records, self._loop.store, self._loop.rule)
        while (by := self._ended()) is None:
            self._fill()
            if self._running or not self._exhausted:
                self._take(self._loop.workers.wait())
        if by in ("interrupted", "time") and self._running:
            self._drain(by)
        return Ended(by, why(by, self._records, self._loop.budget))

    def _asked(self) -> Iterator[Ask | None]:
        """Trials to run: those given out before without an outcome, then new ones. None: nothing left
        to try now; asked again later, the searcher may know better."""
        yield from self._loop.store.pending()
        trial = self._loop.store.next_trial()
        while True:
            point = self._new_point(trial)
            if point is None:
                yield None
                continue
            ask = Ask(trial, point)
            self._loop.store.ask([ask])
            yield ask
            trial += 1

    def _new_point(self, trial: int) -> Point | None:
        if trial or self._loop.start is None:
            return self._loop.searcher.ask(trial)
        announce(self._loop.searcher, trial, self._loop.start)
        return self._loop.start

    def _fill(self) -> None:
        """Give every free worker a trial, as far as budget and searcher go."""
        self._exhausted = False
        while self._loop.workers.free and self._has_room() and not self._exhausted:
            ask = next(self._asks)
            self._exhausted = ask is None
            if ask is not None:
                self._submit(ask)

    def _has_room(self) -> bool:
        budget = self._loop.budget
        return budget is None or len(self._records) + len(self._running) < budget

    def _submit(self, ask: Ask) -> None:
        self._running[ask.trial] = ask.point
        lineage = begin(self._loop.store, self._loop.searcher, ask.trial)
        self._lineages[ask.trial] = lineage
        self._loop.workers.submit(
            Job(
                trial=ask.trial,
                point=ask.point.to_json(),
                seed=seed_of(self._loop.seed, ask.trial),
                weights=self._loop.keeper.partial(ask.trial),
                keep_above=self._loop.keeper.threshold(),
                epochs=None if lineage.budget is None else round(lineage.budget),
            )
        )
        self._loop.on_event(TrialStarted(ask.trial, ask.point))

    def _take(self, news: list[News]) -> None:
        """Store and tell what ended; pass on what was reported."""
        for item in news:
            match item:
                case Report(trial, step, score):
                    self._loop.on_event(TrialReported(trial, step, score))
                    if self._loop.rule.should_stop(item):
                        self._loop.workers.stop(trial)
                case Chose():
                    self._loop.on_event(remember(self._loop.store, item))
                case Done(trial, result):
                    self._finish(trial, result)
        for trial in self._loop.workers.retried():
            text = f"the worker of trial {trial} died; the trial starts again"
            self._loop.on_event(Notice(text))

    def _finish(self, trial: int, result: Result) -> None:
        result = replace(result, measures={**result.measures, **self._lineages.pop(trial).measures()})
        record = _record(trial, self._running.pop(trial), seed_of(self._loop.seed, trial), result)
        self._loop.keeper.keep(trial, result)  # before the record: a stored best trial has its weights
        self._loop.store.finish(record)
        self._records.append(record)
        self._loop.keeper.note(record)
        self._exhausted = False  # with this outcome the searcher may know what to try
        self._loop.rule.learn(record)
        for outcome in self._loop.rule.outcomes(record):
            self._loop.searcher.tell(trial, record.point, outcome)
        best = best_of(self._records)
        finished, running = len(self._records), len(self._running)
        self._loop.on_event(TrialFinished(record, best, finished, running, self._elapsed()))

    def _ended(self) -> EndedBy | None:
        if self._loop.budget is not None and len(self._records) >= self._loop.budget:
            return "budget"
        if self._loop.interrupts.count:
            return "interrupted"
        if self._fails():
            return "failing"
        if self._loop.time_s is not None and self._elapsed() >= self._loop.time_s:
            return "time"
        return "exhausted" if self._exhausted and not self._running else None

    def _fails(self) -> bool:
        """Judged by this session alone: what failed before may have been mended before the resume."""
        return best_of(self._records) is None and fails_alike(self._records[self._n_before :])

    def _drain(self, by: EndedBy) -> None:
        """Let running trials end within the grace; what does not stays pending, for a resume."""
        n_running, interrupts = len(self._running), self._loop.interrupts
        if by == "interrupted":
            text = f"interrupted: {n_running} running trials may end within {GRACE_S:g} s; again: stop now"
            self._loop.on_event(Notice(text))
        deadline = time.monotonic() + GRACE_S
        while self._running and interrupts.count < 2 and time.monotonic() < deadline:
            self._take(self._loop.workers.wait())

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


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

"""Ask, submit, wait, store, tell: the heart of a run, in one thread.

The parent alone owns searcher and store, so there are no locks, and the order in which outcomes are told
is the order in which they are stored: a resume replays it. Told in arrival order: waiting for trial 3
would idle the other workers.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from nasdsl.engine.chosen import remember
from nasdsl.engine.ending import Standing, why
from nasdsl.engine.events import Ended, EndedBy, Event, Notice, TrialFinished, TrialReported, TrialStarted
from nasdsl.engine.fidelity import Rule
from nasdsl.engine.interrupts import Interrupts
from nasdsl.engine.lineage import inherit_checkpoints, lineage_of
from nasdsl.engine.messages import Chose, Done, Job, News, Report, Result
from nasdsl.engine.proposing import announce, replay
from nasdsl.engine.records import Ask, Record, seed_of
from nasdsl.engine.store import Store
from nasdsl.engine.weights import Keeper
from nasdsl.language.point import Point
from searchers.protocol import Searcher

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

    `starts` are the first trials of a fresh run. `rule` says after each report whether the trial goes on.
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
    starts: Sequence[Point]
    rule: Rule

    def run(self) -> Ended:
        """Go on from what is stored until the budget, the time, the searcher or the user ends it."""
        return _Session(self).run()


class _Session:
    """The state of a running loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._running: dict[int, Ask] = {}
        self._left = deque(loop.store.pending())  # given out before, without an outcome
        self._next_trial = loop.store.next_trial()
        self._exhausted = False
        self._began = time.monotonic()

    def run(self) -> Ended:
        """Whole turns: what came in is stored, then told; what is given out is stored, then started."""
        before = self._loop.store.records()
        self._standing = Standing.of(before)
        replay(self._loop.searcher, before, self._loop.store, self._loop.rule)
        del before
        while (by := self._ended()) is None:
            self._fill()
            if self._running or not self._exhausted:
                self._take(self._loop.workers.wait())
        if by in ("interrupted", "time") and self._running:
            self._drain(by)
        return Ended(by, why(by, self._standing, self._loop.budget))

    def _fill(self) -> None:
        """Give every free worker a trial, as far as budget and searcher go."""
        n = self._loop.workers.free
        if self._loop.budget is not None:
            n = min(n, self._loop.budget - self._standing.finished - len(self._running))
        asks = list(islice(self._asks(), max(0, n)))
        self._exhausted = len(asks) < n
        for ask in asks:
            self._submit(ask)

    def _asks(self) -> Iterator[Ask]:
        """Trials to run: those given out before, then new ones, each stored. They end where there is nothing
        left to try now; asked again later, the searcher may know better."""
        while self._left:
            yield self._left.popleft()
        while (point := self._new_point(self._next_trial)) is not None:
            ask = Ask(self._next_trial, point, lineage_of(self._loop.searcher, self._next_trial))
            self._loop.store.ask([ask])
            self._next_trial += 1
            yield ask

    def _new_point(self, trial: int) -> Point | None:
        if trial >= len(self._loop.starts):
            return self._loop.searcher.ask(trial)
        announce(self._loop.searcher, trial, self._loop.starts[trial])
        return self._loop.starts[trial]

    def _submit(self, ask: Ask) -> None:
        self._running[ask.trial] = ask
        inherit_checkpoints(self._loop.store.folder, ask)
        epochs = ask.lineage.budget
        self._loop.workers.submit(
            Job(
                trial=ask.trial,
                point=ask.point.to_json(),
                seed=seed_of(self._loop.seed, ask.trial),
                weights=self._loop.keeper.partial(ask.trial),
                keep_above=self._loop.keeper.threshold(),
                epochs=None if epochs is None else round(epochs),
                stretch=ask.lineage.member is not None,
            )
        )
        self._loop.on_event(TrialStarted(ask.trial, ask.point))

    def _take(self, news: Sequence[News]) -> None:
        """Store what ended, then tell it; pass on what was reported."""
        records = self._stored([item for item in news if isinstance(item, Done)])
        for item in news:
            match item:
                case Report(trial, step, score):
                    self._loop.on_event(TrialReported(trial, step, score))
                    if self._loop.rule.should_stop(item):
                        self._loop.workers.stop(trial)
                case Chose():
                    notice = remember(self._loop.store, item)
                    if notice is not None:
                        self._loop.on_event(notice)
                case Done(trial):
                    self._tell(records[trial])
        for trial in self._loop.workers.retried():
            text = f"the worker of trial {trial} died; the trial starts again"
            self._loop.on_event(Notice(text))
        self._loop.store.settle()

    def _stored(self, ended: Sequence[Done]) -> dict[int, Record]:
        """The records of trials that ended together, in one commit, before anyone hears of them."""
        records = {}
        for done in ended:
            self._loop.keeper.keep(done.trial, done.result)  # before: a stored best trial has its weights
            seed = seed_of(self._loop.seed, done.trial)
            records[done.trial] = _record(self._running[done.trial], seed, done.result)
        self._loop.store.finish(list(records.values()))
        return records

    def _tell(self, record: Record) -> None:
        del self._running[record.trial]
        self._standing.note(record)
        self._loop.keeper.note(record)
        self._exhausted = False  # with this outcome the searcher may know what to try
        self._loop.rule.learn(record)
        for outcome in self._loop.rule.outcomes(record):
            self._loop.searcher.tell(record.trial, record.point, outcome)
        finished, running = self._standing.finished, len(self._running)
        self._loop.on_event(TrialFinished(record, self._standing.best, finished, running, self._elapsed()))

    def _ended(self) -> EndedBy | None:
        if self._loop.budget is not None and self._standing.finished >= self._loop.budget:
            return "budget"
        if self._loop.interrupts.count:
            return "interrupted"
        if self._standing.fails:
            return "failing"
        if self._loop.time_s is not None and self._elapsed() >= self._loop.time_s:
            return "time"
        return "exhausted" if self._exhausted and not self._running else None

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


def _record(ask: Ask, seed: int, result: Result) -> Record:
    return Record(
        trial=ask.trial,
        point=ask.point,
        score=result.score,
        error=result.error,
        reason=result.reason,
        seconds=result.seconds,
        seed=seed,
        params=result.params,
        macs=result.macs,
        measures={**result.measures, **ask.lineage.measures()},
        curve=result.curve,
        traceback=result.traceback,
    )

"""One slot: a worker process, what it is doing, and what becomes of that when it dies."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nasdsl.engine.errors import PoolError
from nasdsl.engine.messages import (
    Apart,
    Begun,
    Broken,
    Chose,
    Done,
    Group,
    News,
    Ready,
    Report,
    Result,
    Setup,
    StopTrial,
)
from nasdsl.engine.places import Place, Worker

_FRUITLESS_STARTS = 3  # workers of a slot that die before they are ready, in a row
_MESSAGES_A_TURN = 256  # so that a flood of reports starves nobody
_LOST_TWICE = 2


@dataclass
class _Work:
    """A group of jobs in a worker. `left` are the trials without an outcome."""

    group: Group
    left: set[int]
    began: float | None = None
    killed: str | None = None  # why we killed the worker
    victim: int | None = None  # the one trial that was meant; None: all


class Slot:
    """Takes one group of jobs at a time. A group that dies is tried again, each member for itself."""

    def __init__(self, place: Place, setup: Setup, log: Path, trial_time: float | None) -> None:
        """Raises PoolError where no worker can be started."""
        self._place, self._setup, self._log, self._trial_time = place, setup, log, trial_time
        self._work: _Work | None = None
        self.waiting: deque[Group] = deque()  # any slot may take these
        self._losses: dict[int, int] = {}
        self._fruitless = 0
        self.retried: list[int] = []
        self.ready = False
        self.worker: Worker = place.start(setup, log)

    @property
    def free(self) -> bool:
        return self._work is None and not self.waiting and self.worker.reachable

    @property
    def trials(self) -> tuple[int, ...]:
        """What it has without an outcome."""
        now = () if self._work is None else tuple(self._work.left)
        return (*now, *(job.trial for group in self.waiting for job in group))

    def give(self, group: Group) -> None:
        """Start a group; the caller sees to it that the slot is free."""
        self._work = _Work(group, {job.trial for job in group})
        self.worker.send(group)

    def stop(self, trial: int) -> None:
        if self._has(trial):
            self.worker.send(StopTrial(trial))

    def kill(self, trial: int, why: str) -> None:
        if self._has(trial):
            self._kill(why, trial)

    def news(self) -> Iterator[News]:
        """What the worker said, and what its death means."""
        # Asked before reading: what a worker sent before it died is still in the pipe.
        dead = not self.worker.alive()
        for message in self.worker.messages(None if dead else _MESSAGES_A_TURN):
            match message:
                case Ready():
                    self.ready, self._fruitless = True, 0
                case Broken(error, trace):
                    raise PoolError(f"no trial can run: {error}\n\n{trace}".rstrip())
                case Begun():
                    if self._work is not None:
                        self._work.began = time.monotonic()
                case Apart():
                    self._part()
                case Chose():
                    yield message
                case Report(trial) if self._has(trial):
                    yield message
                case Done(trial) if self._has(trial):
                    yield self._done(message)
        if dead:
            yield from self._bury()
            return
        self._check_limits()
        if self._work is None:
            self._next()  # what had to wait until its new worker could be reached

    def _part(self) -> None:
        """Put the rest of the group in the queue, each for itself."""
        if self._work is not None:
            self.waiting.extend((job,) for job in self._work.group if job.trial in self._work.left)
            self._next()

    def _has(self, trial: int) -> bool:
        return self._work is not None and trial in self._work.left

    def _done(self, done: Done) -> Done:
        assert self._work is not None
        self._work.left.discard(done.trial)
        self._losses.pop(done.trial, None)
        if not self._work.left:
            self._next()
        return done

    def _next(self) -> None:
        self._work = None
        if self.waiting and self.worker.reachable:
            self.give(self.waiting.popleft())

    def _check_limits(self) -> None:
        trouble = self.worker.trouble()
        work = self._work
        if work is None or work.began is None:
            return
        limit = self._trial_time
        if trouble is not None:
            self._kill(trouble)
        elif limit is not None and time.monotonic() - work.began > limit * len(work.group):
            self._kill(f"over the time limit of {limit:g} s")

    def _kill(self, why: str, victim: int | None = None) -> None:
        assert self._work is not None
        if self._work.killed is None:
            self._work.killed, self._work.victim = why, victim
            self.worker.kill()

    def _bury(self) -> Iterator[News]:
        """Put another worker in the place of a dead one, and decide on what it was doing."""
        dead, work, was_ready = self.worker, self._work, self.ready
        self._fruitless += not was_ready and (work is None or work.killed is None)
        end, log = dead.ending(), dead.log_tail()
        dead.close()
        if self._fruitless >= _FRUITLESS_STARTS:
            raise PoolError(f"worker processes die before they are ready: {end}\n\n{log}")
        self.worker, self.ready = self._place.start(self._setup, self._log), False
        if work is None:
            return
        by_signal = work.killed is None and dead.signal == signal.SIGKILL
        yield from self._mourn(work, was_ready, by_signal, end, log)
        self._next()

    def _mourn(self, work: _Work, was_ready: bool, by_signal: bool, end: str, log: str) -> Iterator[News]:
        """Outcomes of what died, or its second try."""
        seconds = 0.0 if work.began is None else time.monotonic() - work.began
        for job in reversed([job for job in work.group if job.trial in work.left]):
            if self._deserves_another(work, job.trial, was_ready, by_signal):
                self.waiting.appendleft((job,))
                self.retried.append(job.trial)
                continue
            error = work.killed or (f"{end}, twice (out of memory?)" if by_signal else end)
            result = Result(error=error, reason="lost" if by_signal else "failed", seconds=seconds)
            yield Done(job.trial, replace(result, traceback=log or None))

    def _deserves_another(self, work: _Work, trial: int, was_ready: bool, by_signal: bool) -> bool:
        if work.victim == trial:
            return False
        if not was_ready and work.killed is None:
            return True  # a worker that died before it was ready never saw the trial
        if len(work.group) > 1:
            return True  # which member it was is not known
        self._losses[trial] = self._losses.get(trial, 0) + by_signal
        return by_signal and self._losses[trial] < _LOST_TWICE

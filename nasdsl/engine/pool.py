"""Warm worker processes behind one interface: `slots, submit, wait, stop, kill, close`.

One trial at a time in each worker, one pipe to each, and one thread here that waits for all of them.
A worker that dies or is killed ends its own trial only, and is replaced. Not used: executors, which
fail every queued task when one worker dies and cannot cancel a running one.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import wait as wait_for
from pathlib import Path

from nasdsl.engine.errors import PoolError
from nasdsl.engine.isolation import memory_status
from nasdsl.engine.messages import Begun, Broken, Done, Job, News, Ready, Report, Result, Setup, StopTrial
from nasdsl.engine.process import WorkerProcess

TICK_S = 0.25  # how often limits are looked at
_FRUITLESS_STARTS = 3  # worker processes that die before they are ready, in a row
_MESSAGES_A_TURN = 256  # of one worker, so that a flood of reports starves nobody
_LOST_TWICE = 2


class _Slot:
    """A place for one worker process and what it is doing."""

    def __init__(self, process: WorkerProcess) -> None:
        self.process = process
        self.ready = False
        self.job: Job | None = None
        self.began: float | None = None
        self.killed: str | None = None  # why we killed it
        self.idle_bytes = 0  # memory held before the first trial


class Pool:
    """`slots` workers. Use as a context manager: leaving it ends every process.

    `trial_time` is in seconds of wall time, from the moment a worker takes up the trial.
    """

    def __init__(self, setup: Setup, slots: int, logs: Path, trial_time: float | None = None) -> None:
        """Start the workers. Raises PoolError where no process can be started."""
        self.slots = slots
        self._setup = setup
        self._logs = logs
        self._trial_time = trial_time
        self._fruitless = 0
        self._losses: dict[int, int] = {}
        self._retried: deque[int] = deque()
        logs.mkdir(parents=True, exist_ok=True)
        self._workers: list[_Slot] = []
        try:
            for index in range(slots):
                self._workers.append(_Slot(self._start(index)))
        except BaseException:
            self.close()
            raise

    @property
    def free(self) -> int:
        """How many more trials can be submitted now."""
        return sum(worker.job is None for worker in self._workers)

    @property
    def running(self) -> tuple[int, ...]:
        """Trials submitted and not yet ended."""
        return tuple(worker.job.trial for worker in self._workers if worker.job is not None)

    def submit(self, job: Job) -> None:
        """Give the job to a free worker, a ready one first. The caller sees to it that there is one."""
        free = [worker for worker in self._workers if worker.job is None]
        worker = min(free, key=lambda worker: not worker.ready)
        worker.job, worker.began = job, None
        worker.process.send(job)

    def wait(self, timeout: float = TICK_S) -> list[News]:
        """Reports and ended trials, in order of arrival; at the latest after `timeout` seconds.

        Raises PoolError where workers cannot be set up.
        """
        deadline = time.monotonic() + timeout
        while True:
            rest = deadline - time.monotonic()
            wait_for(
                [handle for worker in self._workers for handle in worker.process.handles],
                max(0.0, min(rest, TICK_S)),
            )
            news = [item for index in range(self.slots) for item in self._news(index)]
            if news or rest <= 0:
                return news

    def retried(self) -> list[int]:
        """Trials started again since the last call, because their worker was killed from outside."""
        trials = list(self._retried)
        self._retried.clear()
        return trials

    def stop(self, trial: int) -> None:
        """Ask a running trial to end; its `should_stop()` turns true."""
        for worker in self._of(trial):
            worker.process.send(StopTrial(trial))

    def kill(self, trial: int, why: str) -> None:
        """End a running trial now; `wait` gives it as failed with `why`."""
        for worker in self._of(trial):
            _kill(worker, why)

    def close(self) -> None:
        """End every worker and what it started, at once; running trials have no outcome."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.close()
        self._workers = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _of(self, trial: int) -> list[_Slot]:
        return [worker for worker in self._workers if worker.job is not None and worker.job.trial == trial]

    def _start(self, index: int) -> WorkerProcess:
        return WorkerProcess(self._setup, self._logs / f"worker-{index}.log")

    def _news(self, index: int) -> Iterator[News]:
        worker = self._workers[index]
        # Asked before reading: what a worker sent before it died is still in the pipe.
        dead = not worker.process.alive()
        for message in worker.process.messages(None if dead else _MESSAGES_A_TURN):
            match message:
                case Ready():
                    worker.ready, self._fruitless = True, 0
                    worker.idle_bytes = memory_status(worker.process.pid, "RssAnon")
                case Broken(error, trace):
                    raise PoolError(f"no trial can run: {error}\n\n{trace}")
                case Begun():
                    worker.began = time.monotonic()
                case Report(trial) if worker.job is not None and worker.job.trial == trial:
                    yield message
                case Done(trial) if worker.job is not None and worker.job.trial == trial:
                    worker.job = worker.began = None
                    self._losses.pop(trial, None)
                    worker.process.trim_log()
                    yield message
        if dead:
            yield from self._bury(index)
        else:
            self._check_limits(worker)

    def _check_limits(self, worker: _Slot) -> None:
        worker.process.trim_log()
        if worker.began is None or worker.killed is not None:
            return
        limit = self._trial_time
        if limit is not None and time.monotonic() - worker.began > limit:
            _kill(worker, f"over the time limit of {limit:g} s")
        memory = self._setup.memory_bytes
        if memory is None:
            return
        # A tenth above the worker's own limit, which fails more gently; this one is for what that misses.
        if memory_status(worker.process.pid, "RssAnon") - worker.idle_bytes > 1.1 * memory:
            _kill(worker, f"out of memory: over the limit of {memory / 2**20:.0f} MiB")

    def _bury(self, index: int) -> Iterator[News]:
        """Replace a dead worker; its trial starts again if it was killed from outside for the first time."""
        worker = self._workers[index]
        self._fruitless += worker.killed is None and not worker.ready
        end, log = worker.process.ending(), worker.process.log_tail()
        worker.process.close()
        if self._fruitless >= _FRUITLESS_STARTS:
            raise PoolError(f"worker processes die before they are ready: {end}\n\n{log}")
        self._workers[index] = heir = _Slot(self._start(index))
        job = worker.job
        if job is None:
            return
        unasked = worker.killed is None
        from_outside = unasked and worker.process.signal == signal.SIGKILL
        self._losses[job.trial] = self._losses.get(job.trial, 0) + (from_outside and worker.ready)
        # A worker that died before it was ready never saw the trial.
        if unasked and (not worker.ready or (from_outside and self._losses[job.trial] < _LOST_TWICE)):
            heir.job = job
            heir.process.send(job)
            self._retried.append(job.trial)
            return
        seconds = 0.0 if worker.began is None else time.monotonic() - worker.began
        error = worker.killed or (f"{end}, twice (out of memory?)" if from_outside else end)
        result = Result(error=error, reason="lost" if from_outside else "failed", seconds=seconds)
        yield Done(job.trial, replace(result, traceback=log or None))


def _kill(worker: _Slot, why: str) -> None:
    if worker.killed is None:
        worker.killed = why
        worker.process.kill()

"""All slots behind one interface: `slots, submit, wait, stop, kill, close`.

One group of jobs at a time in each, and one thread here that waits for all of them. A worker that dies
or is killed ends its own trial only, and is replaced. Not used: executors, which fail every queued task
when one worker dies and cannot cancel a running one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing.connection import wait as wait_for
from pathlib import Path

from nasdsl.engine.messages import Job, News, Setup
from nasdsl.engine.places import Place
from nasdsl.engine.slot import Slot

TICK_S = 0.25  # how often limits are looked at


class Pool:
    """A slot at each of `places`. Use as a context manager: leaving it ends every process.

    `trial_time` is in seconds of wall time, from the moment a worker takes up the trial; a group of n has
    n times as much.
    """

    def __init__(
        self, setup: Setup, places: Sequence[Place], logs: Path, trial_time: float | None = None
    ) -> None:
        """Start the workers. Raises PoolError where no process can be started."""
        self.slots = len(places)
        logs.mkdir(parents=True, exist_ok=True)
        self._slots: list[Slot] = []
        try:
            for index, place in enumerate(places):
                self._slots.append(Slot(place, setup, logs / f"worker-{index}.log", trial_time))
        except BaseException:
            self.close()
            raise

    @property
    def free(self) -> int:
        """How many more jobs or groups can be submitted now."""
        return sum(slot.free for slot in self._slots)

    @property
    def running(self) -> tuple[int, ...]:
        """Trials submitted and not yet ended."""
        return tuple(trial for slot in self._slots for trial in slot.trials)

    def submit(self, *group: Job) -> None:
        """Give a job, or several that train as one program, to a free slot, a ready one first.

        The caller sees to it that there is one.
        """
        free = [slot for slot in self._slots if slot.free]
        min(free, key=lambda slot: not slot.ready).give(group)

    def wait(self, timeout: float = TICK_S) -> list[News]:
        """Reports and ended trials, in order of arrival; at the latest after `timeout` seconds.

        Raises PoolError where workers cannot be set up.
        """
        deadline = time.monotonic() + timeout
        while True:
            rest = deadline - time.monotonic()
            handles = [handle for slot in self._slots for handle in slot.worker.handles]
            wait_for(handles, max(0.0, min(rest, TICK_S)))
            news = [item for slot in self._slots for item in slot.news()]
            self._share()
            if news or rest <= 0:
                return news

    def _share(self) -> None:
        """What waits for one slot goes to those that are free."""
        for slot in self._slots:
            for idle in (idle for idle in self._slots if idle.free):
                if slot.waiting:
                    idle.give(slot.waiting.popleft())

    def retried(self) -> list[int]:
        """Trials that start again since the last call, because their worker died for no fault of theirs."""
        trials = [trial for slot in self._slots for trial in slot.retried]
        for slot in self._slots:
            slot.retried.clear()
        return trials

    def stop(self, trial: int) -> None:
        """Ask a running trial to end; its `should_stop()` turns true."""
        for slot in self._slots:
            slot.stop(trial)

    def kill(self, trial: int, why: str) -> None:
        """End a running trial now; `wait` gives it as failed with `why`."""
        for slot in self._slots:
            slot.kill(trial, why)

    def close(self) -> None:
        """End every worker and what it started, at once; running trials have no outcome."""
        for slot in self._slots:
            slot.worker.kill()
        for slot in self._slots:
            slot.worker.close()
        self._slots = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

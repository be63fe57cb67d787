"""The main program of a worker process: take groups of jobs from the pipe, run them one after another.

The worker stays warm between trials. A second thread reads the pipe, so that a stop is seen while a
trial runs, and so that the end of the parent ends the worker and everything it started.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from nasdsl.engine import isolation
from nasdsl.engine.messages import Begun, Broken, FromWorker, Group, Ready, Report, Setup, StopTrial
from nasdsl.language.errors import NasdslError


class Channel:
    """The worker's end of the pipe: jobs in, news out, whether to stop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._owner = os.getpid()
        self._sending = threading.Lock()
        self._groups: queue.SimpleQueue[Group] = queue.SimpleQueue()
        self._stop: set[int] = set()
        threading.Thread(target=self._listen, daemon=True).start()
        # A forked child keeps no end of the pipe: the parent must see the worker's death.
        os.register_at_fork(after_in_child=connection.close)

    def _listen(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                # The parent is gone: nobody wants the result. Take all children along.
                os.killpg(0, signal.SIGKILL)
            match message:
                case StopTrial(trial):
                    self._stop.add(trial)
                case group:
                    self._groups.put(group)

    def groups(self) -> Iterator[Group]:
        while True:
            yield self._groups.get()

    def send(self, message: FromWorker) -> None:
        if os.getpid() != self._owner:
            os._exit(0)  # a trial forked, and the copy came back into our loop
        with self._sending:
            self._connection.send(message)

    def report(self, trial: int, step: float, score: float) -> None:
        self.send(Report(trial, step, score))

    def should_stop(self, trial: int) -> bool:
        return trial in self._stop


def work(connection: Connection, setup: Setup, log: Path) -> None:
    """Run jobs until the pipe closes. The target of each worker process."""
    isolation.leave_the_terminal()
    isolation.die_with_parent()
    isolation.redirect_output(log)
    channel = Channel(connection)
    try:
        # Imported here, not at the top: a failure must reach the parent as a message.
        from nasdsl.engine.evaluate import evaluator, outcomes

        run = evaluator(setup)
        isolation.one_thread()
        if setup.memory_bytes is not None:
            isolation.limit_memory(setup.memory_bytes)
    except NasdslError as error:
        channel.send(Broken(str(error)))  # it speaks to the user; where it was raised is no news
        return
    except Exception as error:
        channel.send(Broken(f"{type(error).__name__}: {error}", traceback.format_exc()))
        return
    channel.send(Ready())
    for group in channel.groups():
        channel.send(Begun())
        for message in outcomes(run, group, channel):
            channel.send(message)

"""One worker process as its parent sees it: start, talk, watch, kill.

Workers come from a fork server that has imported torch once (about 0.1 s for a fresh worker instead of
2 s), or are spawned where there is none. Both start clean: no locks or threads are inherited.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path

from nasdsl.engine.errors import PoolError
from nasdsl.engine.isolation import ONE_THREAD, memory_status
from nasdsl.engine.messages import FromWorker, Group, Ready, Setup, StopTrial
from nasdsl.engine.worker import work

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_FORK_SERVER_GONE = 255  # what multiprocessing says of a process whose fork server cannot tell any more
_STARTS, _PAUSE_S = 10, 0.1
_LOOK_S = 0.05
_OWN_SHARE = 1.1  # of the memory limit: the worker's own limit fails more gently; ours is for what it misses
_LONGEST_LOG = 1 << 20  # bytes of printed text kept for each worker
_TAIL = 16_000  # bytes of it that are looked at when a trial dies
_LONGEST_TAIL = 2000  # characters of them that go into its record


class WorkerProcess:
    """A running worker. `pid` names its process and its process group."""

    reachable = True

    def __init__(self, setup: Setup, log: Path, environment: Mapping[str, str] | None = None) -> None:
        """`environment`: variables that must be set before the worker loads torch.

        Raises PoolError where the system gives no further process.
        """
        # A fork server has loaded torch already: too late for what torch reads when it is loaded.
        method = "spawn" if environment else _METHOD
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload(_preload(setup.space_text is not None))
        ours, theirs = context.Pipe(duplex=True)
        self._log = log
        self._log_start = _size(log)
        process = context.Process(target=work, args=(theirs, setup, log), name=log.stem)  # type: ignore[attr-defined]
        with _clean_start(environment or {}):
            _start(process)
        theirs.close()
        self._process: multiprocessing.process.BaseProcess = process
        self._connection: Connection = ours
        assert process.pid is not None
        self.pid: int = process.pid
        self._memory = setup.memory_bytes
        self._idle_bytes = 0  # held before the first trial
        self._looked = 0.0

    @property
    def handles(self) -> tuple[Connection, int]:
        """What becomes ready when the worker says something or dies."""
        return self._connection, self._process.sentinel

    def send(self, message: Group | StopTrial) -> None:
        """To a dead worker it is lost: `alive` will tell."""
        with suppress(OSError):
            self._connection.send(message)

    def messages(self, most: int | None) -> Iterator[FromWorker]:
        """What has arrived, at most so many; all that a dead worker left behind for None."""
        with suppress(EOFError, OSError):
            while (most is None or most > 0) and self._connection.poll():
                most = None if most is None else most - 1
                message: FromWorker = self._connection.recv()
                if isinstance(message, Ready):
                    self._idle_bytes = memory_status(self.pid, "RssAnon")
                yield message

    def alive(self) -> bool:
        return self._process.is_alive()

    def trouble(self) -> str | None:
        """Why the worker must be killed now: over its memory. Keeps its log short on the way.

        Looks a few times a second at most: the kernel is asked, and short trials end faster than that.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return None
        self._looked = now
        self.trim_log()
        if self._memory is None:
            return None
        if memory_status(self.pid, "RssAnon") - self._idle_bytes <= _OWN_SHARE * self._memory:
            return None
        return f"out of memory: over the limit of {self._memory / 2**20:.0f} MiB"

    @property
    def signal(self) -> int | None:
        """The number of the signal that ended a dead worker."""
        code = self._process.exitcode
        if code == _FORK_SERVER_GONE and _METHOD == "forkserver":
            return signal.SIGKILL  # its parent took it along: the trial may be blameless
        return -code if code is not None and code < 0 else None

    def ending(self) -> str:
        """How a dead worker ended, for its trial's record."""
        if self.signal is not None:
            return f"the worker process was killed by {signal.Signals(self.signal).name}"
        return f"the worker process ended with exit code {self._process.exitcode}"

    def kill(self) -> None:
        """The worker and everything in its process group, at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()  # also before it has a group of its own

    def close(self) -> None:
        """Forget a killed or dead worker; waits until it is gone and takes along what it left running."""
        self._process.join()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._connection.close()
        self.trim_log()

    def trim_log(self) -> None:
        """Empty the log of a trial that prints without end; it is opened for appending."""
        if _size(self._log) > _LONGEST_LOG:
            with suppress(OSError):
                os.truncate(self._log, 0)
            self._log_start = 0

    def log_tail(self) -> str:
        """The last lines that this process printed."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(self._log_start, _size(self._log) - _TAIL))
                text = file.read(_TAIL).decode(errors="replace")
        except OSError:
            return ""
        # faulthandler ends with the names of every extension loaded: long, and no news.
        lines = [line for line in text.splitlines() if not line.startswith("Extension modules:")]
        return "\n".join(lines).strip()[-_LONGEST_TAIL:]


def _start(process: multiprocessing.process.BaseProcess) -> None:
    """Start it, by another fork server where the one that was asked dies. Raises PoolError."""
    for tries_left in reversed(range(_STARTS)):
        try:
            return process.start()
        except (EOFError, ConnectionError) as error:
            if not tries_left:
                raise PoolError(f"the fork server dies before it starts a worker process: {error}") from error
            time.sleep(_PAUSE_S)  # one that was killed a moment ago does not yet count as dead
        except OSError as error:
            raise PoolError(f"cannot start a worker process: {error}") from error


def expect_workers(with_networks: bool) -> None:
    """Let the fork server import what workers will need, while this process has other things to do."""
    if _METHOD == "forkserver":
        multiprocessing.get_context(_METHOD).set_forkserver_preload(_preload(with_networks))
        with _clean_start({}), suppress(OSError, EOFError):  # what is wrong shows when a worker starts
            forkserver.ensure_running()


def _preload(with_networks: bool) -> list[str]:
    """What the fork server imports once for all workers. Functions that need no torch do not wait for it;
    one whose own process has loaded it will want it."""
    wants_torch = with_networks or "torch" in sys.modules
    return ["nasdsl.engine.server", "nasdsl.engine.evaluate", *(["torch"] if wants_torch else [])]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@contextmanager
def _clean_start(more: Mapping[str, str]) -> Iterator[None]:
    """What a new process must not inherit, put aside while it starts; `more` are variables it shall have.

    * The main module: it would be run again in the child, and a script that calls `search` without a
      `__main__` guard would search for ever. Functions of it travel by value instead.
    * Ctrl-C and termination, which reach the whole process group: the fork server imports for seconds
      before it can ignore them. They are held back here, not lost.
    * Many threads: the numeric libraries read these variables when the fork server loads them.
    """
    wanted = {**ONE_THREAD, **more}
    main, environment = sys.modules["__main__"], {name: os.environ.get(name) for name in wanted}
    in_main_thread = threading.current_thread() is threading.main_thread()
    resource_tracker.ensure_running()  # its start would let the signal through again
    held = {signal.SIGINT, signal.SIGTERM} if in_main_thread else ()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    sys.modules["__main__"] = types.ModuleType("__main__")
    os.environ.update(wanted)
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in environment.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

"""One writer for each run: an advisory lock that dies with its process."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path

from nasdsl.engine.errors import RunError, RunLocked

LOCK_NAME = "run.lock"


class RunLock:
    """Holds `RUN/run.lock` until `release` or the end of the process, however it ends.

    The lock is the kernel's (flock), not the existence of the file, so a killed driver leaves
    nothing to clean up; the text in it only names the holder. Worker processes never inherit the
    descriptor: Python opens files non-inheritable.
    """

    def __init__(self, folder: Path, patience_s: float = 0.0) -> None:
        """Raises RunLocked where another process still holds it after `patience_s` seconds, RunError
        where the folder is not writable."""
        path = folder / LOCK_NAME
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise RunError(f"cannot write in the run folder {folder}: {error.strerror}") from error
        try:
            _lock(self._descriptor, patience_s)
        except BlockingIOError:
            holder = _holder(path)
            os.close(self._descriptor)
            raise RunLocked(
                f"the run {folder} is being written by {holder}; wait for it, stop it, or give another --run"
            ) from None
        except OSError as error:
            os.close(self._descriptor)
            raise RunError(
                f"the file system of {folder} gives no locks ({error.strerror}); put the run on a local disk"
            ) from error
        self._sign()

    def _sign(self) -> None:
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname()})
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)
        except OSError as error:
            os.close(self._descriptor)
            raise RunError(f"cannot write in {LOCK_NAME}: {error.strerror}") from error

    def release(self) -> None:
        os.close(self._descriptor)


def _lock(descriptor: int, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.01)


def _holder(path: Path) -> str:
    try:
        signed = json.loads(path.read_text())
        return f"process {signed['pid']} on {signed['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"

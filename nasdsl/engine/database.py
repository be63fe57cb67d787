"""The SQLite file of a run as its one writer holds it: opening, migrating, committing, syncing.

Durability: write-ahead log. What is committed survives the death of the process, always. Against a loss of power a
commit is synced to the disk before it returns (`synchronous = FULL`), unless the last sync is less than `LAZY_S`
ago: a run of thousands of short trials does not wait for the disk at each. What such commits wrote is synced with the
next commit, or by `settle`, which the loop calls on every turn. So a trial that takes longer than that is
on the disk before anyone hears of it, and of shorter ones the last few tenths of a second may be lost, always from
the end: they run again. A torn tail of the log is SQLite's to find and drop.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nasdsl.engine.errors import RunError
from nasdsl.engine.formats import migrate

STORE_NAME = "run.sqlite"
LAZY_S = 0.1


class Database:
    """The writing connection to `path`, made with all tables where it is new."""

    def __init__(self, path: Path) -> None:
        """Raises RunError where the file cannot be used, or is of a newer format."""
        self._folder = path.parent
        self._log = path.with_name(f"{path.name}-wal")
        self._synced = float("-inf")  # by the monotonic clock: jumps of the other one mean nothing here
        self._unsynced = False  # whether a commit waits for its sync
        with plain_errors(self._folder):
            self.connection = sqlite3.connect(path, isolation_level=None)
            try:
                (mode,) = self.connection.execute("PRAGMA journal_mode = WAL").fetchone()
                self._may_wait = mode == "wal"  # some file systems cannot; there every commit is synced
                with self.transaction():
                    migrate(self.connection, path)
            except BaseException:
                self.connection.close()
                raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        with plain_errors(self._folder):
            self._begin()
            try:
                yield
                self._commit()
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def settle(self) -> None:
        """Sync what commits have left, if that is due."""
        if self._unsynced and self._due():
            self._sync()

    def close(self) -> None:
        """Nothing is left unsynced, of a file that is still there: a search that never began removes its own."""
        try:
            if self._unsynced and self._log.exists():
                self._sync()
        finally:
            self.connection.close()

    def _begin(self) -> None:
        self._waits = self._may_wait and not self._due()
        self.connection.execute(f"PRAGMA synchronous = {'NORMAL' if self._waits else 'FULL'}")
        self.connection.execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        self.connection.execute("COMMIT")
        self._unsynced = self._waits
        if not self._waits:
            self._synced = time.monotonic()

    def _due(self) -> bool:
        return time.monotonic() - self._synced >= LAZY_S

    def _sync(self) -> None:
        # In this mode all that is not in the file itself is in the log, in the order of commits.
        with plain_errors(self._folder):
            descriptor = os.open(self._log, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._unsynced, self._synced = False, time.monotonic()


@contextmanager
def plain_errors(folder: Path) -> Iterator[None]:
    """SQLite's and the system's errors as sentences with a remedy; nothing stored is lost by them."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a second outcome for a trial: our own bug, not the user's disk
    except sqlite3.Error as error:
        raise RunError(_remedy(folder, str(error))) from error
    except OSError as error:
        raise RunError(_remedy(folder, error.strerror or str(error))) from error


def _remedy(folder: Path, message: str) -> str:
    text = message.lower()
    if "full" in text or "no space" in text:
        return f"the disk of {folder} is full; everything stored so far is kept; free space and resume"
    if "readonly" in text or "read-only" in text or "unable to open" in text or "denied" in text:
        return f"cannot write in the run folder {folder} ({message}); make it writable or give another --run"
    if "malformed" in text or "not a database" in text:
        return f"{folder / STORE_NAME} is not a readable run file ({message})"
    if "i/o error" in text or "too large" in text:  # also what SQLite says of a limit on the size of files
        return (
            f"the disk of {folder} takes no more ({message}); everything stored so far is kept; "
            "look at `df` and `ulimit -f`, and resume"
        )
    return f"cannot use the run file in {folder}: {message}"

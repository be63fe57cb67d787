"""The run file: `RUN/run.sqlite`, written by one process, readable by anyone at any time.

    meta    key -> JSON value: the space's text, name and hash, searcher, seed, versions, …
    asks    every trial number given out, with its point, in the order of asking
    trials  every outcome, in the order it was told to the searcher

An ask without a trial is pending: a resume starts it again under the same number and point.

Durability: WAL with `synchronous = FULL`, so a trial that was reported as finished survives a loss of
power, not only the death of the process. Each commit is one fsync, around a millisecond, against
trials that take seconds. A torn tail of the WAL is SQLite's to find and drop.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from nasdsl.engine.errors import RunError
from nasdsl.engine.lock import RunLock
from nasdsl.engine.records import Ask, Record
from nasdsl.language.point import Point

Json: TypeAlias = Any  # what json.loads gives

STORE_NAME = "run.sqlite"
NOT_BEGUN = "the run in {folder} has not begun: nothing is stored yet"
FORMAT = 1  # raise it with every change of the tables, and teach `_check_format` the old ones

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE asks (ordinal INTEGER PRIMARY KEY, trial INTEGER NOT NULL UNIQUE, point TEXT NOT NULL);
CREATE TABLE trials (
    ordinal INTEGER PRIMARY KEY,
    trial INTEGER NOT NULL UNIQUE,
    point TEXT NOT NULL,
    score REAL,
    error TEXT,
    reason TEXT NOT NULL,
    seconds REAL NOT NULL,
    seed INTEGER NOT NULL,
    params INTEGER,
    macs INTEGER,
    measures TEXT NOT NULL,
    curve TEXT NOT NULL,
    traceback TEXT
);
"""
_COLUMNS = "trial, point, score, error, reason, seconds, seed, params, macs, measures, curve, traceback"


class Store:
    """The one writer of a run. Use as a context manager; holds the run's lock."""

    def __init__(self, folder: Path, patience_s: float = 0.0) -> None:
        """Create or open, waiting so long for another writer. Raises RunLocked, or RunError where the folder or file cannot be used."""
        with _plain_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = RunLock(folder, patience_s)
        try:
            self._connection = self._open(folder / STORE_NAME)
        except BaseException:
            self._lock.release()
            raise

    def _open(self, path: Path) -> sqlite3.Connection:
        with _plain_errors(self.folder):
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                if not _format_of(connection):
                    for statement in _TABLES.split(";"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {FORMAT}")
                _check_format(connection, path)
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            return connection

    def set_meta(self, values: Mapping[str, Json]) -> None:
        """Add or replace, all in one commit."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        with self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def meta(self) -> dict[str, Json]:
        with _plain_errors(self.folder):
            return read_meta(self._connection)

    def ask(self, asks: Iterable[Ask]) -> None:
        """Remember the trials given out, before they start."""
        rows = [(ask.trial, ask.point.to_json()) for ask in asks]
        with self._transaction():
            self._connection.executemany("INSERT INTO asks (trial, point) VALUES (?, ?)", rows)

    def finish(self, record: Record) -> None:
        """Keep an outcome for good. A second one for the same trial is a bug and raises."""
        marks = ", ".join("?" * 12)
        with self._transaction():
            self._connection.execute(f"INSERT INTO trials ({_COLUMNS}) VALUES ({marks})", _row_of(record))

    def records(self) -> tuple[Record, ...]:
        """In the order they were told."""
        with _plain_errors(self.folder):
            return read_records(self._connection)

    def pending(self) -> tuple[Ask, ...]:
        """Given out without an outcome, in the order of asking."""
        with _plain_errors(self.folder):
            return read_pending(self._connection)

    def next_trial(self) -> int:
        """One past the highest number ever given out."""
        with _plain_errors(self.folder):
            (highest,) = self._connection.execute(
                "SELECT max(trial) FROM (SELECT trial FROM asks UNION ALL SELECT trial FROM trials)"
            ).fetchone()
        return 0 if highest is None else int(highest) + 1

    def close(self) -> None:
        self._connection.close()
        self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _plain_errors(self.folder):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def has_run(folder: Path) -> bool:
    """Whether the folder holds a run file."""
    return (folder / STORE_NAME).is_file()


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection, also while the run is being written. Raises RunError."""
    path = folder / STORE_NAME
    if not path.is_file():
        raise RunError(f"{folder} is not a run folder: it has no {STORE_NAME}")
    with _plain_errors(folder), closing(_connect_to_read(path)) as connection:
        if _format_of(connection) == 0:
            raise RunError(NOT_BEGUN.format(folder=folder))
        _check_format(connection, path)
        yield connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    uri = path.resolve().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        # A finished run on a read-only medium: WAL cannot make its index, and needs none.
        connection.close()
        return sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None)
    return connection


def read_meta(connection: sqlite3.Connection) -> dict[str, Json]:
    return {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM meta")}


def read_records(connection: sqlite3.Connection) -> tuple[Record, ...]:
    return tuple(map(_record_of, connection.execute(f"SELECT {_COLUMNS} FROM trials ORDER BY ordinal")))


def read_pending(connection: sqlite3.Connection) -> tuple[Ask, ...]:
    rows = connection.execute(
        "SELECT trial, point FROM asks WHERE trial NOT IN (SELECT trial FROM trials) ORDER BY ordinal"
    )
    return tuple(Ask(trial, Point.from_json(point)) for trial, point in rows)


def _row_of(record: Record) -> tuple[object, ...]:
    measures = json.dumps(dict(record.measures))
    curve = json.dumps([dict(step) for step in record.curve])
    return (
        record.trial,
        record.point.to_json(),
        record.score,
        _storable(record.error),
        record.reason,
        record.seconds,
        record.seed,
        record.params,
        record.macs,
        measures,
        curve,
        _storable(record.traceback),
    )


def _storable(text: str | None) -> str | None:
    """Text that UTF-8 can hold: an exception may quote file names with bytes that are no characters."""
    return text if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _record_of(row: tuple[Any, ...]) -> Record:
    trial, point, score, error, reason, seconds, seed, params, macs, measures, curve, traceback = row
    return Record(
        trial=trial,
        point=Point.from_json(point),
        score=score,
        error=error,
        reason=reason,
        seconds=seconds,
        seed=seed,
        params=params,
        macs=macs,
        measures=json.loads(measures),
        curve=tuple(json.loads(curve)),
        traceback=traceback,
    )


def _format_of(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    version = _format_of(connection)
    if version != FORMAT:
        raise RunError(f"{path} has format {version}; this nasdsl reads format {FORMAT}")


@contextmanager
def _plain_errors(folder: Path) -> Iterator[None]:
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
    return f"cannot use the run file in {folder}: {message}"

"""The run file: `RUN/run.sqlite`, written by one process, readable by anyone at any time.

    meta    key -> JSON value: the space's text, name and hash, searcher, seed, versions, …
    asks    every trial number given out, with its point and what it continues, in the order of asking
    trials  every outcome, in the order it was told to the searcher

An ask without a trial is pending: a resume starts it again under the same number and point. What a commit
promises stands in database.py, the tables in formats.py.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from nasdsl.engine.database import STORE_NAME, Database, plain_errors
from nasdsl.engine.errors import RunError
from nasdsl.engine.formats import check_format
from nasdsl.engine.lock import RunLock
from nasdsl.engine.records import Ask, Record
from nasdsl.language.point import Point
from searchers.protocol import Lineage

Json: TypeAlias = Any  # what json.loads gives

NOT_BEGUN = "the run in {folder} has not begun: nothing is stored yet"
_PENDING = "SELECT {} FROM asks WHERE trial NOT IN (SELECT trial FROM trials) ORDER BY ordinal"
_COLUMNS = "trial, point, score, error, reason, seconds, seed, params, macs, measures, curve, traceback"


class Store:
    """The one writer of a run. Use as a context manager; holds the run's lock."""

    def __init__(self, folder: Path, patience_s: float = 0.0) -> None:
        """Create or open, waiting so long for another writer. Raises RunLocked, or RunError where the folder or file cannot be used."""
        with plain_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = RunLock(folder, patience_s)
        try:
            self._database = Database(folder / STORE_NAME)
        except BaseException:
            self._lock.release()
            raise
        self._connection = self._database.connection

    def set_meta(self, values: Mapping[str, Json]) -> None:
        """Add or replace, all in one commit."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        with self._database.transaction():
            self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def meta(self) -> dict[str, Json]:
        with plain_errors(self.folder):
            return read_meta(self._connection)

    def ask(self, asks: Sequence[Ask]) -> None:
        """Remember the trials given out, before they start; in one commit."""
        rows = [(ask.trial, ask.point.to_json(), _lineage_text(ask.lineage)) for ask in asks]
        if rows:
            with self._database.transaction():
                insert = "INSERT INTO asks (trial, point, lineage) VALUES (?, ?, ?)"
                self._connection.executemany(insert, rows)

    def finish(self, records: Sequence[Record]) -> None:
        """Keep outcomes for good, in one commit. A second one for the same trial is a bug and raises."""
        rows = [_row_of(record) for record in records]
        if rows:
            with self._database.transaction():
                insert = f"INSERT INTO trials ({_COLUMNS}) VALUES ({', '.join('?' * 12)})"
                self._connection.executemany(insert, rows)

    def settle(self) -> None:
        """Have on the disk what commits left for later, if it is time."""
        self._database.settle()

    def records(self) -> tuple[Record, ...]:
        """In the order they were told."""
        with plain_errors(self.folder):
            return read_records(self._connection)

    def pending(self) -> tuple[Ask, ...]:
        """Given out without an outcome, in the order of asking."""
        with plain_errors(self.folder):
            rows = self._connection.execute(_PENDING.format("trial, point, lineage"))
            return tuple(Ask(trial, Point.from_json(point), _lineage_of(text)) for trial, point, text in rows)

    def next_trial(self) -> int:
        """One past the highest number ever given out."""
        with plain_errors(self.folder):
            (highest,) = self._connection.execute(
                "SELECT max(trial) FROM (SELECT trial FROM asks UNION ALL SELECT trial FROM trials)"
            ).fetchone()
        return 0 if highest is None else int(highest) + 1

    def close(self) -> None:
        try:
            self._database.close()
        finally:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def has_run(folder: Path) -> bool:
    """Whether the folder holds a run file."""
    return (folder / STORE_NAME).is_file()


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection, also while the run is being written. Raises RunError."""
    path = folder / STORE_NAME
    if not path.is_file():
        raise RunError(f"{folder} is not a run folder: it has no {STORE_NAME}")
    with plain_errors(folder), closing(_connect_to_read(path)) as connection:
        if not check_format(connection, path):
            raise RunError(NOT_BEGUN.format(folder=folder))
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
    """Without lineages, which old files keep elsewhere; see formats.py."""
    rows = connection.execute(_PENDING.format("trial, point"))
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


def _lineage_text(lineage: Lineage) -> str | None:
    return json.dumps(lineage.measures()) if lineage.measures() else None


def _lineage_of(text: str | None) -> Lineage:
    return Lineage() if text is None else Lineage.of(json.loads(text))

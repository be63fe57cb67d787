"""The tables of a run file, and how files of earlier versions become today's.

1   the first
2   `asks.lineage`, which was one growing value in the meta
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from nasdsl.engine.errors import RunError

FORMAT = 2  # raise it with every change of the tables, and add the step from the one before

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE asks (
    ordinal INTEGER PRIMARY KEY,
    trial INTEGER NOT NULL UNIQUE,
    point TEXT NOT NULL,
    lineage TEXT
);
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


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to today's format, in the transaction of the caller. Raises RunError for a newer one."""
    version = check_format(connection, path)
    if version == FORMAT:
        return
    if not version:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
    for step in range(version or FORMAT, FORMAT):
        _STEPS[step](connection)
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    if version:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'format'", (json.dumps(FORMAT),))


def check_format(connection: sqlite3.Connection, path: Path) -> int:
    """The format of the file, 0 where it has no tables yet. Raises RunError for one that cannot be read."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not 0 <= version <= FORMAT:
        raise RunError(
            f"{path} has format {version}; this nasdsl reads formats 1 to {FORMAT}: a newer one is needed"
        )
    return int(version)


def _lineages_to_their_asks(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE asks ADD COLUMN lineage TEXT")
    stored = connection.execute("SELECT value FROM meta WHERE key = 'lineages'").fetchone()
    lineages = {} if stored is None else json.loads(stored[0])
    rows = [(json.dumps(numbers), int(trial)) for trial, numbers in lineages.items()]
    connection.executemany("UPDATE asks SET lineage = ? WHERE trial = ?", rows)
    connection.execute("DELETE FROM meta WHERE key = 'lineages'")


_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _lineages_to_their_asks}

"""Text tables: reading them with the place of every fault, and turning columns into numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.suggest import did_you_mean
from nasdsl.training.errors import DataError
from nasdsl.training.files import missing
from nasdsl.training.room import check_room

_MOST_LEVELS = 50  # texts of one column that become columns of zeros and ones
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b")
_CORRECT = "correct the cell, or take the column out"
_NO_TEXT = frozenset({"", "na", "n/a", "nan"})
_NO_NUMBER = _NO_TEXT | {"null", "none", "?", "-"}


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of texts in the order of the file; `lines` says where each row begins."""

    name: str
    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]

    def column(self, name: str, use: str) -> tuple[str, ...]:
        """Raises DataError, with a suggestion, where there is no such column."""
        if name not in self.columns:
            known = ", ".join(list(self.columns)[:12]) + (", …" if len(self.columns) > 12 else "")
            help = did_you_mean(name, self.columns) or f"the columns are {known}"
            raise DataError(f"no column `{name}` for {use}", f"{self.name}:1", help)
        return self.columns[name]

    def at(self, row: int) -> str:
        """The place of a row, as an editor counts lines."""
        return f"{self.name}:{self.lines[row]}"


def read_table(path: Path) -> Table:
    """Read a text table whose first line names the columns; the delimiter is found from that line.

    Raises DataError for a missing or empty file, a wrong encoding, names given twice, and ragged rows.
    """
    text = _text(path)
    header_line = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t|", key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    begin = 1
    try:
        for row in reader:
            if row:
                rows.append([cell.strip() for cell in row])
                lines.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"not a table: {error}", f"{path}:{begin}", "is a quote left open?") from error
    header = rows[0]
    _check_header(path, header)
    _check_widths(path, rows, lines)
    columns = {name: tuple(row[i] for row in rows[1:]) for i, name in enumerate(header)}
    return Table(str(path), columns, tuple(lines[1:]))


def _text(path: Path) -> str:
    try:
        check_room(path)
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise missing(path) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError("the file is not UTF-8 text", f"{path}:{line}", "save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", str(path)) from error
    if not text.strip():
        raise DataError(
            "the file is empty", str(path), "write the names of the columns, then one row per line"
        )
    if "\0" in text:
        raise DataError("the file is not text", str(path), "is it really a csv file?")
    return text


def _check_header(path: Path, header: list[str]) -> None:
    for number, name in enumerate(header, 1):
        if not name:
            raise DataError(f"column {number} has no name", f"{path}:1", "name it, or take it out")
        if header.index(name) != number - 1:
            raise DataError(f"two columns are called `{name}`", f"{path}:1", "rename one of them")
    if all(_is_number(name) for name in header):
        raise DataError("the first line holds numbers, not names", f"{path}:1", "add a line of column names")


def _check_widths(path: Path, rows: list[list[str]], lines: list[int]) -> None:
    if len(rows) < 2:
        raise DataError("there are names but no rows", str(path), "add one line per sample")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            message = f"{len(row)} cells, but the first line names {len(rows[0])} columns"
            raise DataError(message, f"{path}:{line}", "quote cells that hold the delimiter")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Encoding:
    """Which column becomes what: its levels, or None for a number."""

    levels: Mapping[str, tuple[str, ...] | None]

    @property
    def features(self) -> tuple[str, ...]:
        """A name for each number of an encoded row."""
        names: list[str] = []
        for column, levels in self.levels.items():
            names += [column] if levels is None else [f"{column}={level}" for level in levels]
        return tuple(names)


def encoding_of(table: Table, leave_out: Sequence[str]) -> Encoding:
    """Numbers where most cells are numbers, else one column of zeros and ones per text.

    Raises DataError where no column is left, or one has too many texts to be of use.
    """
    names = [name for name in table.columns if name not in leave_out]
    if not names:
        raise DataError("no column is left to learn from", table.name, "add columns beside the target")
    return Encoding({name: _levels(table, name) for name in names})


def _levels(table: Table, name: str) -> tuple[str, ...] | None:
    cells = table.columns[name]
    known = [cell for cell in cells if cell.lower() not in _NO_NUMBER]
    if sum(_is_number(cell) for cell in known) * 2 >= len(known):
        return None
    if known and all(_DATE.match(cell) for cell in known):
        message = f"column `{name}` holds dates"
        help = f'order the rows by it: csv(…, time = "{name}"); or turn it into numbers, or take it out'
        raise DataError(message, table.at(0), help)
    levels = tuple(sorted(set(cells)))
    if len(levels) > _MOST_LEVELS:
        message = f"column `{name}` has {len(levels)} different texts, more than {_MOST_LEVELS}"
        raise DataError(message, table.name, "take it out, or turn it into numbers")
    return levels


def encode(table: Table, encoding: Encoding) -> NDArray[np.float32]:
    """(rows, features). Texts that the encoding does not know become zeros only.

    Raises DataError for missing cells, and for texts and infinities among numbers.
    """
    parts = []
    for name, levels in encoding.levels.items():
        cells = table.column(name, "an input")
        if levels is None:
            parts.append(numbers(table, name)[:, np.newaxis])
        else:
            for row, cell in enumerate(cells):
                _refuse_missing(table, name, row, cell)
            parts.append(np.equal.outer(np.asarray(cells), np.asarray(levels)))
    return np.concatenate(parts, axis=1).astype(np.float32)


def numbers(table: Table, name: str, help: str = _CORRECT) -> NDArray[np.float64]:
    """A column of finite numbers, (rows,). Raises DataError with the line of the first other cell."""
    out = np.empty(len(table.lines))
    for row, cell in enumerate(table.columns[name]):
        _refuse_missing(table, name, row, cell, _NO_NUMBER)
        try:
            out[row] = float(cell)
        except ValueError as error:
            message = f"`{cell}` in column `{name}` is not a number"
            raise DataError(message, table.at(row), help) from error
        if not np.isfinite(out[row]) or abs(out[row]) > np.finfo(np.float32).max:
            raise DataError(
                f"`{cell}` in column `{name}` is too large or infinite",
                table.at(row),
                "correct the cell, or take the row out",
            )
    return out


def _refuse_missing(table: Table, name: str, row: int, cell: str, missing: frozenset[str] = _NO_TEXT) -> None:
    if cell.lower() in missing:
        message = f"column `{name}` has no value" + (f" (`{cell}`)" if cell else "")
        raise DataError(message, table.at(row), "fill the cell, or take the row or the column out")


def refuse_fractions(table: Table, name: str) -> None:
    """Raises DataError where a column of classes holds measurements: numbers of which one is a fraction."""
    cells = table.columns[name]
    if not all(_is_number(cell) for cell in cells):
        return
    for row, cell in enumerate(cells):
        if not float(cell).is_integer():
            message = f"`{cell}` in column `{name}` is a fraction, not a class"
            raise DataError(message, table.at(row), "numbers are predicted by `task regression`")


def texts(table: Table, name: str, use: str) -> NDArray[np.str_]:
    """A column of texts, (rows,). Raises DataError for missing cells."""
    cells = table.column(name, use)
    for row, cell in enumerate(cells):
        _refuse_missing(table, name, row, cell)
    return np.asarray(cells)


def times(table: Table, name: str) -> NDArray[np.float64]:
    """A column of numbers or ISO 8601 dates as numbers, (rows,). Raises DataError for other texts."""
    cells = texts(table, name, "the time")
    if all(_is_number(cell) for cell in cells):
        return numbers(table, name)
    out = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            out[row] = (
                datetime.fromisoformat(cell).replace(tzinfo=None) - datetime(1970, 1, 1)
            ).total_seconds()
        except ValueError as error:
            message = f"`{cell}` in column `{name}` is neither a number nor a date"
            raise DataError(
                message, table.at(row), "write dates as 2024-12-31 or 2024-12-31T23:59"
            ) from error
    return out

"""Which rows train, which validate, which test. Always the same rows for the same data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasdsl.training.errors import DataError

Rows = NDArray[np.int64]

_SEED = 0  # of every shuffle here: a split is a property of the data, not of a run
DEFAULT_VALID = 0.2
DEFAULT_TEST = 0.2


@dataclass(frozen=True)
class Splitting:
    """How the data ask to be split. Shares are of all rows.

    `valid` None: 20%, or no share at all where rows to validate on come from elsewhere.
    `folds`: validate on each of so many parts in turn. `group`, `time` are names, for the statement.
    """

    valid: float | None = None
    test: float = DEFAULT_TEST
    folds: int | None = None
    group: str = ""
    time: str = ""


@dataclass(frozen=True, eq=False)
class Keys:
    """What a split looks at, one value per row, or None: classes, groups, times."""

    classes: NDArray[Any] | None = None
    groups: NDArray[Any] | None = None
    times: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Parts:
    """`folds` are pairs (train, valid) of row numbers; `said` is the end of a sentence."""

    folds: tuple[tuple[Rows, Rows], ...]
    test: Rows
    said: str


def split(n_rows: int, keys: Keys, splitting: Splitting, given_valid: Rows | None = None) -> Parts:
    """Cut `n_rows` rows into parts; `given_valid` are further rows that validate.

    With times, the newest rows test and the next newest validate. With groups, no group straddles two
    parts. Otherwise rows are shuffled, and classes are spread evenly over all parts.
    Raises DataError where a part would stay empty or the shares leave nothing to train on.
    """
    valid = _valid_share(splitting, given_valid)
    units, order = _units(n_rows, keys)
    cuts = _cuts(units, order, [splitting.test, valid])
    test, valid_rows, train = cuts[0], cuts[1], cuts[2]
    folds: tuple[tuple[Rows, Rows], ...]
    if splitting.folds:
        rest = order[np.isin(units[order], np.unique(units[train]))]
        folds = _folds(units, rest, splitting.folds, ordered=keys.times is not None)
    else:
        folds = ((train, valid_rows if given_valid is None else given_valid),)
    _refuse_empty(folds, test, splitting)
    return Parts(folds, test, _said(folds, test, keys, splitting, given_valid is not None))


def _valid_share(splitting: Splitting, given_valid: Rows | None) -> float:
    if given_valid is not None and (splitting.valid is not None or splitting.folds):
        raise DataError(
            "rows to validate on come from a file of their own", help="leave out `valid` and `folds`"
        )
    if splitting.folds:
        if splitting.valid is not None:
            raise DataError("`valid` and `folds` exclude each other", help="leave one of them out")
        return 0.0
    share = DEFAULT_VALID if splitting.valid is None else splitting.valid
    share = 0.0 if given_valid is not None else share
    if share + splitting.test >= 1:
        message = f"valid = {share:g} and test = {splitting.test:g} leave nothing to train on"
        raise DataError(message, help="their sum must stay below 1")
    return share


def _units(n_rows: int, keys: Keys) -> tuple[Rows, Rows]:
    """The unit of each row, which no cut divides, and all rows in the order in which parts take them."""
    # NumPy promises the stream of RandomState for ever; those of its newer generators may change.
    rng = np.random.RandomState(_SEED)
    if keys.groups is not None:
        units = np.unique(keys.groups, return_inverse=True)[1].astype(np.int64)
    else:
        units = np.arange(n_rows)
    n_units = int(units.max()) + 1
    if keys.times is not None:
        newest = np.full(n_units, -np.inf)
        np.maximum.at(newest, units, keys.times)
        rank = -newest
    elif keys.groups is None and keys.classes is not None:
        rank = _spread(keys.classes, rng)
    else:
        rank = rng.permutation(n_units).astype(np.float64)
    order = np.lexsort((units, rank[units]))
    return units, order


def _spread(classes: NDArray[Any], rng: np.random.RandomState) -> NDArray[np.float64]:
    """A rank in 0..1 for each row, such that every stretch of ranks holds its share of each class."""
    rank = np.empty(len(classes))
    for value in np.unique(classes):
        rows = np.flatnonzero(classes == value)
        rank[rng.permutation(rows)] = (np.arange(len(rows)) + rng.random_sample()) / len(rows)
    return rank


def _cuts(units: Rows, order: Rows, shares: list[float]) -> list[Rows]:
    """Consecutive stretches of `order` with these shares, and what is left, each sorted.

    A unit belongs to the stretch in which its first row falls.
    """
    first = np.ones(len(order), dtype=bool)
    first[1:] = units[order][1:] != units[order][:-1]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    ends = np.round(np.cumsum(shares) * len(order))
    part = np.searchsorted(ends, starts, side="right")
    return [np.sort(order[part == number]) for number in range(len(shares) + 1)]


def _folds(units: Rows, order: Rows, folds: int, ordered: bool) -> tuple[tuple[Rows, Rows], ...]:
    """Each stretch validates once. In time, only older rows train, so the oldest stretch never validates."""
    stretches = _cuts(units, order, [1 / (folds + ordered)] * (folds + ordered))[: folds + ordered]
    if ordered:
        return tuple(
            (np.sort(np.concatenate(stretches[number + 1 :])), stretches[number]) for number in range(folds)
        )
    return tuple(
        (np.sort(np.concatenate(stretches[:number] + stretches[number + 1 :])), stretches[number])
        for number in range(folds)
    )


def _refuse_empty(folds: tuple[tuple[Rows, Rows], ...], test: Rows, splitting: Splitting) -> None:
    """Two rows each, since a deviation is of two; no test part is fine where none is wanted."""
    n_units = "groups" if splitting.group else "rows"
    for train, valid in folds:
        if len(train) < 2 or len(valid) < 2:
            message = f"too few {n_units}: {len(train)} rows would train and {len(valid)} validate"
            raise DataError(message, help="give more data, or other shares")
    if splitting.test > 0 and len(test) < 2:
        message = f"too few {n_units}: {len(test)} rows would test"
        raise DataError(message, help="give more data, a larger `test`, or `test = 0`")


def _said(
    folds: tuple[tuple[Rows, Rows], ...], test: Rows, keys: Keys, splitting: Splitting, given: bool
) -> str:
    how = []
    if keys.times is not None:
        how.append(f"in the order of `{splitting.time}`, the newest for the test")
    if keys.groups is not None:
        how.append(f"no `{splitting.group}` in two parts")
    if not how:
        how.append("shuffled, every class in the same proportion" if keys.classes is not None else "shuffled")
    if given:
        how.append("validation from its own file")
    if len(folds) > 1:
        parts = f"{len(folds)} folds of {sum(len(f) for f in folds[0]):,} rows"
    else:
        parts = f"{len(folds[0][0]):,} train / {len(folds[0][1]):,} validation"
    return f"{parts} / {len(test):,} test, {'; '.join(how)}"

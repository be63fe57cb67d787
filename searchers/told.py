"""What the tree of `mcts.py` grows from: every result as a row of cells, in arrays.

A cell is what counts as one move: an option itself, or a number by its part of the scale. The finer the
parts, the more results a node must hold to tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.decisions import Answer, Decision, Options, contains, to_unit

Cell = Answer | tuple[int, int]  # an option itself; of numbers (part, of how many equal parts of the scale)
Table = tuple[list[int], list[float]]  # by move: count, sum of rewards
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Row = tuple[list[int], list[float], list[int]]  # columns, places of numbers or NaN, codes of options

COARSE = 4  # parts in the statistics that are shared


def cell_of(decision: Decision, answer: Answer, parts: int) -> Cell:
    """The cell of an answer."""
    if isinstance(decision.domain, Options) or not contains(decision.domain, answer):
        return answer
    return min(parts - 1, int(to_unit(decision.domain, answer) * parts)), parts


class Vocabulary:
    """Numbers for paths and for their options, in the order they were told first."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.options: list[list[Answer]] = []  # by column
        self._columns: dict[str, int] = {}
        self._codes: dict[tuple[int, type, Answer], int] = {}
        self.most_options = 0

    def row(self, decisions: Sequence[Decision], point: Mapping[str, Answer]) -> Row:
        """A told point; admits what is new in it."""
        columns, places, codes = [], [], []
        for decision in decisions:
            answer = point[decision.path]
            columns.append(self._column(decision.path))
            named = isinstance(decision.domain, Options) or not contains(decision.domain, answer)
            places.append(np.nan if named else to_unit(decision.domain, answer))
            codes.append(self._code(columns[-1], answer) if named else 0)
        return columns, places, codes

    def _column(self, path: str) -> int:
        if path not in self._columns:
            self._columns[path] = len(self.paths)
            self.paths.append(path)
            self.options.append([])
        return self._columns[path]

    def _code(self, column: int, answer: Answer) -> int:
        key = column, type(answer), answer
        if key not in self._codes:
            self._codes[key] = len(self.options[column])
            self.options[column].append(answer)
            self.most_options = max(self.most_options, len(self.options[column]))
        return self._codes[key]

    def move(self, path: str, cell: Cell) -> int | None:
        """The number of a move in the shared statistics, where a part counts by its middle; None for one
        that was never made."""
        column = self._columns.get(path)
        if column is None:
            return None
        start = column * self.stride
        if isinstance(cell, tuple):
            part, parts = cell
            return start + (2 * part + 1) * COARSE // (2 * parts)
        code = self._codes.get((column, type(cell), cell))
        return None if code is None else start + COARSE + code

    @property
    def stride(self) -> int:
        """Moves per column."""
        return COARSE + self.most_options


@dataclass(frozen=True)
class Told:
    """One row per result. Rewards in [0, 1]; `means` is what the surrogate believes, in standard
    deviations. An entry is active where the result answers the column's path."""

    vocabulary: Vocabulary
    rewards: Floats  # (n,)
    means: Sequence[float]
    active: NDArray[np.bool_]  # (n, columns)
    places: Floats  # (n, columns) of numbers; NaN elsewhere
    codes: Integers  # (n, columns) of options
    moves: Integers  # (n, columns) numbers as in `Vocabulary.move`; beyond all where inactive

    @staticmethod
    def of(
        vocabulary: Vocabulary, rows: Sequence[Row], rewards: Sequence[float], means: Sequence[float]
    ) -> Told:
        """From the rows of the results."""
        shape = len(rows), len(vocabulary.paths)
        at = np.repeat(np.arange(len(rows)), [len(row[0]) for row in rows])
        columns, places, codes = (np.concatenate([row[part] for row in rows]) for part in range(3))
        columns = columns.astype(np.int64)
        active = np.zeros(shape, dtype=bool)
        active[at, columns] = True
        placed, coded = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
        placed[at, columns], coded[at, columns] = places, codes
        stride = vocabulary.stride
        moves = np.full(shape, shape[1] * stride)
        local = _cells(places, codes.astype(np.int64), COARSE)
        moves[at, columns] = columns * stride + local
        return Told(vocabulary, np.array(rewards), means, active, placed, coded, moves)

    def statistics(self, members: Sequence[int]) -> Table:
        """(count, sum of rewards) of every move among some results, wherever it was made."""
        moves = self.moves[members]
        size = moves.shape[1] * self.vocabulary.stride + 1
        counts = np.bincount(moves.ravel(), minlength=size)
        rewards = np.repeat(self.rewards[members], moves.shape[1])
        return counts.tolist(), np.bincount(moves.ravel(), rewards, size).tolist()

    def parted(self, members: Sequence[int], parts: int) -> tuple[str, dict[Cell, list[int]]] | None:
        """The path, answered by all of these results, whose answers explain the rewards best, and who gave
        which. None where there is nothing to part.

        Explained is the variance of the mean reward between answers; small groups are shrunk to the mean.
        """
        rows = np.array(members)
        shared = np.flatnonzero(self.active[rows].all(0))
        if not len(shared):
            return None
        here = np.ix_(rows, shared)
        cells = _cells(self.places[here], self.codes[here], parts)
        width = int(cells.max()) + 1
        flat = (cells + width * np.arange(len(shared))).ravel()
        off = np.repeat(self.rewards[rows] - self.rewards[rows].mean(), len(shared))
        counts = np.bincount(flat, minlength=width * len(shared)).reshape(-1, width)
        sums = np.bincount(flat, off, width * len(shared)).reshape(-1, width)
        explained = ((sums / (counts + 2)) ** 2 * counts).sum(1)
        explained[(counts > 0).sum(1) < 2] = -1.0
        best = int(explained.argmax())
        if explained[best] < 0:
            return None
        groups: dict[int, list[int]] = {}
        for member, cell in zip(members, cells[:, best].tolist(), strict=True):
            groups.setdefault(cell, []).append(member)
        column = int(shared[best])
        options = self.vocabulary.options[column]
        named = {
            (cell, parts) if cell < parts else options[cell - parts]: group for cell, group in groups.items()
        }
        return self.vocabulary.paths[column], named


def _cells(places: Floats, codes: Integers, parts: int) -> Integers:
    """The part of a number, or `parts` plus the code of an option."""
    numbers = ~np.isnan(places)
    part = np.minimum(parts - 1, np.where(numbers, places, 0.0) * parts).astype(np.int64)
    return np.where(numbers, part, parts + codes)

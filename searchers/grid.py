"""Exhaustive search: every point of a small space, in the order of enumeration."""

from __future__ import annotations

from collections.abc import Iterator

from nasdsl.language.point import Point
from searchers.enumeration import points_of
from searchers.history import History
from searchers.protocol import Outcome
from searchers.view import Same, SearchSpace


class Grid:
    """Proposes all points once. The seed does not matter; it is taken for uniformity.

    Real intervals cannot be enumerated: a space that has some is refused by its `enumerate`.
    """

    def __init__(self, space: SearchSpace, seed: int = 0, *, same: Same = Point.key) -> None:
        del seed
        self._left: Iterator[Point] = points_of(space)
        self._history = History(same)

    def ask(self, trial: int) -> Point | None:
        """The next point that was not seen; None at the end."""
        unseen = (point for point in self._left if not self._history.has_seen(point))
        return self._history.proposed(trial, lambda: next(unseen, None))

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self._history.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Remember the point, so that it is not proposed again."""
        self._history.tell(trial, point, outcome)

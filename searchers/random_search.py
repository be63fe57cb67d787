"""Random search: the floor that every other searcher has to clear."""

from __future__ import annotations

import random

from nasdsl.language.point import Point
from searchers.duplicates import Duplicates, fresh, random_point
from searchers.history import History
from searchers.protocol import Outcome
from searchers.view import Same, SearchSpace


class RandomSearch:
    """Each trial draws every decision from the author's prior, independently of all outcomes."""

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        duplicates: Duplicates = "resample",
        same: Same = Point.key,
    ) -> None:
        self._space = space
        self._seed = seed
        self._duplicates = duplicates
        self._history = History(same)

    def ask(self, trial: int) -> Point | None:
        """A random point that was not seen before; None when the space is used up."""
        return self._history.proposed(trial, lambda: self._proposal(random.Random(f"{self._seed}/{trial}")))

    def _proposal(self, rng: random.Random) -> Point | None:
        def draw_one() -> Point:
            return random_point(self._space, rng)

        return fresh(self._space, self._history, self._duplicates, draw_one, rng)

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self._history.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Remember the point, so that it is not proposed again."""
        self._history.tell(trial, point, outcome)

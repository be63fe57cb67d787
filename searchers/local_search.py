"""Local search (White et al. 2021, arXiv 2005.02960): all neighbours of the best, in random order.

A few random points, then the unseen neighbours of the best one; a better neighbour becomes the new
centre at once. A centre without unseen neighbours is a local optimum: the search starts again from
a random point. The state changes by tells alone, so that a replay restores it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from nasdsl.language.decisions import draw
from nasdsl.language.moves import neighbours
from nasdsl.language.point import Point
from searchers.duplicates import Duplicates, fresh, random_point
from searchers.history import History, Result, succeeded
from searchers.protocol import Outcome
from searchers.view import Same, SearchSpace


@dataclass(slots=True)
class _Climb:
    """One climb: `wanted` more random starts, then a centre and the neighbours still to try."""

    wanted: int
    starts: list[Result] = field(default_factory=list)
    centre: Result | None = None
    left: list[Point] = field(default_factory=list)
    failed_steps: int = 0


class LocalSearch:
    """First improvement with restarts.

    Args:
        initial: random points at the start; the climb begins at the best of them.
        patience: neighbours measured around one centre without improvement before a restart; wide
            spaces have more neighbours than any budget could pay for.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        initial: int = 10,
        patience: int = 60,
        duplicates: Duplicates = "resample",
        same: Same = Point.key,
    ) -> None:
        self._space = space
        self._seed = seed
        self._initial = initial
        self._patience = patience
        self._duplicates = duplicates
        self._history = History(same)
        self._climb = _Climb(initial)

    def ask(self, trial: int) -> Point | None:
        """An unseen neighbour of the centre, or a random point at a start."""
        return self._history.proposed(trial, lambda: self._proposal(random.Random(f"{self._seed}/{trial}")))

    def _proposal(self, rng: random.Random) -> Point | None:
        point = next((near for near in self._climb.left if not self._history.has_seen(near)), None)
        if point is not None:
            return point
        return fresh(
            self._space, self._history, self._duplicates, lambda: random_point(self._space, rng), rng
        )

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self._history.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Move to a better point; after a correction of the past, climb through all of it again."""
        revisions = self._history.revisions
        self._history.tell(trial, point, outcome)
        news = self._history.earliest(len(self._history))
        if revisions == self._history.revisions:
            news = news[-1:]
        else:
            self._climb = _Climb(self._initial)
        for result in news:
            self._step(result)

    def _step(self, result: Result) -> None:
        climb = self._climb
        if climb.centre is None:
            climb.starts.append(result)
            good = [start for start in climb.starts if succeeded(start.outcome)]
            if len(climb.starts) >= climb.wanted and good:
                self._settle(max(good, key=lambda start: start.score))
        elif succeeded(result.outcome) and result.score > climb.centre.score:
            self._settle(result)
        else:
            climb.failed_steps += 1
            climb.left = [point for point in climb.left if point != result.point]
        if climb.centre and (not climb.left or climb.failed_steps >= self._patience):
            self._climb = _Climb(wanted=1)

    def _settle(self, centre: Result) -> None:
        rng = random.Random(f"{self._seed}/{centre.point.key()}")
        near = list(neighbours(self._space, centre.point, lambda decision: draw(decision.domain, rng)))
        rng.shuffle(near)
        self._climb.centre = centre
        self._climb.left = [point for point in near if not self._history.has_seen(point)]
        self._climb.failed_steps = 0

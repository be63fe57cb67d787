"""Model-based search: a Gaussian process on the tree, evolved candidates, expected improvement."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np

from nasdsl.language.point import Point
from searchers.duplicates import Duplicates, anything_new, fresh, random_point
from searchers.history import History
from searchers.proposals import Draft, Proposer
from searchers.protocol import Outcome
from searchers.surrogate import Belief, Surrogate
from searchers.view import Same, SearchSpace

PARENTS = 10
POOL = 200
CLIMBERS = 6
ROUNDS = 4
LOOKED_AT = 30


class SMBO:
    """Sequential model-based optimisation.

    Args:
        initial: random points before the first model.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        initial: int = 10,
        duplicates: Duplicates = "resample",
        same: Same = Point.key,
    ) -> None:
        self._space = space
        self._seed = seed
        self._initial = initial
        self._duplicates = duplicates
        self._history = History(same)
        self._surrogate = Surrogate(space)
        self._proposer = Proposer(space, seed)

    def ask(self, trial: int) -> Point | None:
        """The most promising candidate; a random point before there are enough scores."""
        if trial in self._history.pending:
            return self._history.pending[trial]
        rng = random.Random(f"{self._seed}/{trial}")
        point = self._proposal(rng)
        if point is not None:
            self._history.ask(trial, point)
        return point

    def _proposal(self, rng: random.Random) -> Point | None:
        if len(self._history.finished()) < self._initial:
            return fresh(
                self._space, self._history, self._duplicates, lambda: random_point(self._space, rng), rng
            )
        belief = self._surrogate.belief(self._history)
        drafts, values = self._candidates(belief, rng)
        for i in np.argsort(-values, kind="stable")[:LOOKED_AT]:
            point = Point(self._proposer.walked(drafts[i].answers, rng).answers)
            if self._duplicates == "allow" or not self._history.has_seen(point):
                return point
        return anything_new(self._space, self._history, rng) if self._duplicates == "resample" else None

    def _candidates(self, belief: Belief, rng: random.Random) -> tuple[list[Draft], np.ndarray]:
        parents = [Draft(dict(r.point), self._surrogate.decisions(r.point)) for r in belief.ranked[:PARENTS]]
        unseen = self._only_new()
        pool = unseen(self._proposer.pool(parents, rng, POOL, len(self._history)))

        def value(drafts: Sequence[Draft]) -> np.ndarray:
            return belief.log_improvement([draft.answers for draft in drafts])

        worth = value(pool)
        best = np.argsort(-worth, kind="stable")
        starts = [pool[i] for i in best[:CLIMBERS]]
        met, values = self._proposer.climb(starts, value, unseen, rng, ROUNDS)
        rest = best[CLIMBERS:]
        return met + [pool[i] for i in rest], np.concatenate([values, worth[rest]])

    def _only_new(self) -> Callable[[Sequence[Draft]], list[Draft]]:
        """Drops drafts that were measured, are pending, or were met before in this proposal."""
        met = set() if self._duplicates == "allow" else self._history.points()

        def unseen(drafts: Sequence[Draft]) -> list[Draft]:
            new = []
            for draft in drafts:
                point = Point(draft.answers)
                if point not in met:
                    met.add(point)
                    new.append(draft)
            return new

        return unseen

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs without having been asked for: a start point, or one of a resumed run."""
        self._history.ask(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Learn from an outcome; failures count as bad."""
        self._history.tell(trial, point, outcome)
        self._surrogate.learn(point)
        self._proposer.learn(point)

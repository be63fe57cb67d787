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
CLIMBERS = 5
ROUNDS = 4
LOOKED_AT = 30

Companions = Callable[[random.Random], list[Draft]]


class SMBO:
    """Sequential model-based optimisation.

    Args:
        initial: random points before the first model.
        companions: further candidates for each proposal, in place of half of its own.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        initial: int = 10,
        duplicates: Duplicates = "resample",
        same: Same = Point.key,
        companions: Companions | None = None,
    ) -> None:
        self._companions = companions
        self._space = space
        self._seed = seed
        self._initial = initial
        self._duplicates = duplicates
        self.history = History(same)
        self.surrogate = Surrogate(space)
        self.proposer = Proposer(space, seed)

    def ask(self, trial: int) -> Point | None:
        """The most promising candidate; a random point before there are enough scores."""
        return self.history.proposed(trial, lambda: self._proposal(random.Random(f"{self._seed}/{trial}")))

    def _proposal(self, rng: random.Random) -> Point | None:
        if len(self.history.finished()) < self._initial:
            return fresh(
                self._space, self.history, self._duplicates, lambda: random_point(self._space, rng), rng
            )
        belief = self.surrogate.belief(self.history)
        drafts, values = self._candidates(belief, rng)
        for i in np.argsort(-values, kind="stable")[:LOOKED_AT]:
            point = Point(self.proposer.walked(drafts[i].answers, rng).answers)
            if self._duplicates == "allow" or not self.history.has_seen(point):
                return point
        return anything_new(self._space, self.history, rng) if self._duplicates == "resample" else None

    def _candidates(self, belief: Belief, rng: random.Random) -> tuple[list[Draft], np.ndarray]:
        parents = [Draft(dict(r.point), self.surrogate.decisions(r.point)) for r in belief.ranked[:PARENTS]]
        unseen = self._only_new()
        own = POOL if self._companions is None else POOL // 2
        pool = self.proposer.pool(parents, rng, own, len(self.history))
        pool = unseen(pool + (self._companions(rng) if self._companions else []))

        def value(drafts: Sequence[Draft]) -> np.ndarray:
            return belief.log_improvement([draft.answers for draft in drafts])

        worth = value(pool)
        best = np.argsort(-worth, kind="stable")
        starts = [pool[i] for i in best[:CLIMBERS]]
        met, values = self.proposer.climb(starts, value, unseen, rng, ROUNDS)
        rest = best[CLIMBERS:]
        return met + [pool[i] for i in rest], np.concatenate([values, worth[rest]])

    def _only_new(self) -> Callable[[Sequence[Draft]], list[Draft]]:
        """Drops drafts that were measured, are pending, or were met before in this proposal."""
        met = set() if self._duplicates == "allow" else self.history.points()

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
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self.history.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Learn from an outcome; failures count as bad."""
        self.history.tell(trial, point, outcome)
        self.surrogate.learn(point)
        self.proposer.learn(point)

"""Model-based search: a surrogate on the tree, evolved candidates, expected improvement or Thompson draws.

One evaluation at a time takes the candidate of highest expected improvement. While others run, every second
proposal follows a function drawn from the posterior instead (Thompson 1933): draws differ by themselves, so
parallel workers do not crowd where the model is surest. Every fourth proposal looks elsewhere, see `rivals.py`.
With several goals, see `weighing.py`; limits that only a measurement shows are learned, see `feasibility.py`. The author's priors (`@`) weigh in the acquisition, and fade as the history grows (Hvarfner et al. 2022,
arXiv 2204.11051).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.point import Point
from searchers import rivals
from searchers.drafts import Draft, mark_of
from searchers.duplicates import Duplicates, anything_new, fresh, random_point
from searchers.feasibility import Feasibility
from searchers.forest import Forest
from searchers.history import History, is_hearsay
from searchers.objectives import Goal, Objectives
from searchers.prior import log_prior
from searchers.proposals import Proposer
from searchers.protocol import Outcome
from searchers.surrogate import Surrogate
from searchers.view import Measure, Same, SearchSpace
from searchers.weighing import Judge, alone, weighed

Scores = NDArray[np.float64]
PARENTS = 10
POOL = 200
CLIMBERS = 5
ROUNDS = 4
LOOKED_AT = 30
PRIOR_WORTH = 10.0  # evaluations that an author's prior counts for: beta = B / 10 at B = 100

Candidates = tuple[list[Draft], Scores]

Companions = Callable[[random.Random, Mapping[int, float]], list[Draft]]
"""Makes candidates, given the posterior mean of each told trial."""


class SMBO:
    """Sequential model-based optimisation.

    Args:
        initial: random points before the first model.
        forest: a random forest as the surrogate, in place of the Gaussian process.
        goals: the objectives, the score first, where there are several.
        measure: costs that are known of a point beforehand; goals that it gives are taken as exact.
        companions: further candidates for each proposal, in place of half of its own.
    """

    weighs_hearsay = True  # outcomes at budget 0 are taken with their doubt

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        initial: int = 10,
        forest: bool = False,
        duplicates: Duplicates = "resample",
        same: Same = Point.key,
        goals: Sequence[Goal] = (),
        measure: Measure | None = None,
        companions: Companions | None = None,
    ) -> None:
        self._companions = companions
        self._space = space
        self._seed = seed
        self._initial = initial
        self._duplicates = duplicates
        self._objectives = Objectives(goals, measure)
        self.history = History(same)
        self._told: set[int] = set()  # `mark_of` every point that was ever told
        model = Forest if forest else Surrogate
        self.surrogate = model(space)
        further = range(1, len(goals)) if self._objectives.several else ()
        self._surrogates = [
            self.surrogate,
            *(model(space, self._objectives.value_of(number)) for number in further),
        ]
        self._limits = Feasibility(space)
        self.proposer = Proposer(space, seed)

    def ask(self, trial: int) -> Point | None:
        """The most promising candidate; a random point before there are enough scores."""
        return self.history.proposed(
            trial, lambda: self._proposal(trial, random.Random(f"{self._seed}/{trial}"))
        )

    def _proposal(self, trial: int, rng: random.Random) -> Point | None:
        if self.history.n_finished < self._initial:
            return fresh(
                self._space, self.history, self._duplicates, lambda: random_point(self._space, rng), rng
            )
        judge = self._judge(trial, rng)
        elsewhere = self._elsewhere(judge, rng) if trial % rivals.EVERY == rivals.EVERY - 1 else None
        drafts, values = elsewhere or self._candidates(judge, rng)
        best = []
        for i in np.argsort(-values, kind="stable")[:LOOKED_AT]:
            draft = self.proposer.walked(drafts[i].answers, rng)
            point = Point(draft.answers)
            if self._duplicates == "allow" or not self.history.has_seen(point):
                if judge.exact is None:
                    return point
                best.append((point, draft))
        if best and judge.exact is not None:
            return best[int(np.argmax(judge.exact(best)))][0]
        return anything_new(self._space, self.history, rng) if self._duplicates == "resample" else None

    def _judge(self, trial: int, rng: random.Random) -> Judge:
        beliefs = [surrogate.belief(self.history) for surrogate in self._surrogates]
        if self._objectives.several:
            return weighed(beliefs, self._objectives, rng)
        return alone(beliefs[0], draws=bool(self.history.pending) and trial % 2 == 1, rng=rng)

    def _candidates(self, judge: Judge, rng: random.Random) -> Candidates:
        parents = self._drafts([result.point for result in judge.ranked[:PARENTS]])
        own = POOL if self._companions is None else POOL // 2
        pool = self.proposer.pool(parents, rng, own, len(self.history))
        pool += self._companions(rng, judge.means) if self._companions else []
        return self._climbed(pool, judge.value, self._only_new(), rng)

    def _elsewhere(self, judge: Judge, rng: random.Random) -> Candidates | None:
        """Candidates with another answer to a decision that much hangs on; None where there is none."""
        best = judge.ranked[0].point
        decision = rivals.turned(self.proposer.parted(self._drafts([best])[0])[0], best, rng)
        if decision is None:
            return None
        heights = [(result.point, judge.means[result.trial]) for result in judge.ranked]
        answer = rivals.rival(decision, best[decision.path], heights, rng)
        if answer is None:
            return None
        there = [(point, height) for point, height in heights if point.get(decision.path) == answer]
        moved = [
            self.proposer.walked({**point, decision.path: answer}, rng) for point, _ in heights[: rivals.FROM]
        ]
        parents = (self._drafts([point for point, _ in there[: PARENTS // 2]]) + moved)[:PARENTS]
        pool = moved + self.proposer.pool(parents, rng, POOL, len(self.history))
        new, height = self._only_new(), max((height for _, height in there), default=0.0)

        def unseen(drafts: Sequence[Draft]) -> list[Draft]:
            return new([draft for draft in drafts if draft.answers.get(decision.path) == answer])

        found = self._climbed(pool, lambda drafts: judge.over(drafts, height), unseen, rng)
        return found if found[0] else None

    def _drafts(self, points: Sequence[Point]) -> list[Draft]:
        return [Draft(dict(point), self.surrogate.opened(point)) for point in points]

    def _climbed(
        self,
        pool: Sequence[Draft],
        worth_of: Callable[[Sequence[Draft]], Scores],
        unseen: Callable[[Sequence[Draft]], list[Draft]],
        rng: random.Random,
    ) -> Candidates:
        """What is new in the pool, and what is met in climbing from its best, with their values."""
        faith, log_chance = PRIOR_WORTH / len(self.history), self._limits.log_chance(self.history)

        def value(drafts: Sequence[Draft]) -> Scores:
            if not drafts:
                return np.zeros(0)
            worth = worth_of(drafts) + faith * log_prior(drafts)
            return worth if log_chance is None else worth + log_chance(drafts)

        pool = unseen(pool)
        worth = value(pool)
        order = np.argsort(-worth, kind="stable")
        starts = [pool[i] for i in order[:CLIMBERS]]
        met, values = self.proposer.climb(starts, value, unseen, rng, ROUNDS)
        rest = order[CLIMBERS:]
        return met + [pool[i] for i in rest], np.concatenate([values, worth[rest]])

    def _only_new(self) -> Callable[[Sequence[Draft]], list[Draft]]:
        """Drops drafts that were measured, are pending, or were met before in this proposal."""
        met: set[int] = set()
        if self._duplicates != "allow":
            met = self._told | {mark_of(point) for point in self.history.pending.values()}

        def unseen(drafts: Sequence[Draft]) -> list[Draft]:
            new = []
            for draft in drafts:
                key = draft.key()
                if key not in met:
                    met.add(key)
                    new.append(draft)
            return new

        return unseen

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self.history.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Learn from an outcome; failures count as bad, a partial evaluation for what it says, a broken
        limit for what it says of limits alone."""
        self.history.tell(trial, point, outcome)
        if not is_hearsay(outcome):
            self._told.add(mark_of(point))
        for surrogate in self._surrogates:
            surrogate.learn(point)
        self.proposer.learn(point)

"""Regularized evolution (Real et al. 2019, arXiv 1802.01548), with tree mutation and crossover.

The population is the latest `population` trials that have a score: membership ends by age, never
by rank, so that a lucky measurement cannot stay for ever.
"""

from __future__ import annotations

import random

from nasdsl.language.moves import crossover, mutate
from nasdsl.language.point import Point
from searchers.duplicates import Duplicates, fresh, random_point
from searchers.history import History, Result
from searchers.protocol import Outcome
from searchers.view import Same, SearchSpace


class Evolution:
    """Tournament selection over an ageing population.

    Args:
        population: members alive; also the number of random points at the start.
        tournament: members compared for each parent, drawn without replacement.
        crossover: share of children with two parents; they are mutated too.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        population: int = 30,
        tournament: int = 10,
        crossover: float = 0.2,
        duplicates: Duplicates = "resample",
        same: Same = Point.key,
    ) -> None:
        self._space = space
        self._seed = seed
        self._population = population
        self._tournament = tournament
        self._crossover = crossover
        self._duplicates = duplicates
        self._history = History(same)

    def ask(self, trial: int) -> Point | None:
        """A child of the present population, or a random point while that is being founded."""
        return self._history.proposed(trial, lambda: self._proposal(random.Random(f"{self._seed}/{trial}")))

    def _proposal(self, rng: random.Random) -> Point | None:
        members = self._history.latest_finished(self._population)
        founded = len(members) == self._population

        def propose() -> Point:
            return self._child(members, rng) if founded else random_point(self._space, rng)

        return fresh(self._space, self._history, self._duplicates, propose, rng)

    def _child(self, members: list[Result], rng: random.Random) -> Point:
        parent = self._winner(members, rng)
        if rng.random() < self._crossover:
            parent = crossover(self._space, parent, self._winner(members, rng), rng)
        return mutate(self._space, parent, rng)

    def _winner(self, members: list[Result], rng: random.Random) -> Point:
        entrants = rng.sample(members, min(self._tournament, len(members)))
        return max(entrants, key=lambda member: member.score).point

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self._history.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """A score admits the point to the population; a failure is only remembered."""
        self._history.tell(trial, point, outcome)

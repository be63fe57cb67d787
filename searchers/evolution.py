"""Regularized evolution (Real et al. 2019, arXiv 1802.01548), with tree mutation and crossover.

The population is the latest `population` trials that have a score: membership ends by age, never
by rank, so that a lucky measurement cannot stay for ever. With several goals it is the best of the
history, and tournaments are won, by front and then by crowding (NSGA-II, Deb et al. 2002).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from nasdsl.language.moves import crossover, mutate
from nasdsl.language.point import Point
from searchers.duplicates import Duplicates, fresh, random_point
from searchers.history import History
from searchers.objectives import Goal, Objectives
from searchers.pareto import crowding, fronts
from searchers.protocol import Outcome
from searchers.view import Measure, Same, SearchSpace

Member = tuple[float, Point]
_RANKED = 500  # results that are sorted into fronts; the cost is quadratic


class Evolution:
    """Tournament selection over an ageing population.

    Args:
        population: members alive; also the number of random points at the start.
        tournament: members compared for each parent, drawn without replacement.
        crossover: share of children with two parents; they are mutated too.
        goals: the objectives, the score first, where there are several.
        measure: costs that are known of a point beforehand.
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
        goals: Sequence[Goal] = (),
        measure: Measure | None = None,
    ) -> None:
        self._space = space
        self._seed = seed
        self._population = population
        self._tournament = tournament
        self._crossover = crossover
        self._duplicates = duplicates
        self._history = History(same)
        self._objectives = Objectives(goals, measure)

    def ask(self, trial: int) -> Point | None:
        """A child of the present population, or a random point while that is being founded."""
        return self._history.proposed(trial, lambda: self._proposal(random.Random(f"{self._seed}/{trial}")))

    def _proposal(self, rng: random.Random) -> Point | None:
        members = self._members()
        founded = len(members) == self._population

        def propose() -> Point:
            return self._child(members, rng) if founded else random_point(self._space, rng)

        return fresh(self._space, self._history, self._duplicates, propose, rng)

    def _members(self) -> list[Member]:
        """The population, each with what counts in a tournament."""
        if not self._objectives.several:
            latest = self._history.latest_finished(self._population)
            return [(result.score, result.point) for result in latest]
        told = self._history.latest_finished(_RANKED)
        vectors = [self._objectives.vector(result.point, result.outcome) for result in told]
        known = [(v, result.point) for v, result in zip(vectors, told, strict=True) if v is not None]
        if not known:
            return []
        ranks = fronts([vector for vector, _ in known])
        room = crowding([vector for vector, _ in known], ranks)
        order = sorted(range(len(known)), key=lambda i: (ranks[i], -room[i]))[: self._population]
        return [(-float(place), known[i][1]) for place, i in enumerate(order)]

    def _child(self, members: list[Member], rng: random.Random) -> Point:
        parent = self._winner(members, rng)
        if rng.random() < self._crossover:
            parent = crossover(self._space, parent, self._winner(members, rng), rng)
        return mutate(self._space, parent, rng)

    def _winner(self, members: list[Member], rng: random.Random) -> Point:
        entrants = rng.sample(members, min(self._tournament, len(members)))
        return max(entrants, key=lambda member: member[0])[1]

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: a start point, or one of a resumed run."""
        self._history.given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """A score admits the point to the population; a failure is only remembered."""
        self._history.tell(trial, point, outcome)

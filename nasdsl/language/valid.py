"""How many points hold every `require`, and draws over them: exact where that is affordable, else bounds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from nasdsl.language.configuration import LimitError
from nasdsl.language.errors import Infeasible
from nasdsl.language.exact import Exact
from nasdsl.language.fold import Fold, counting, least, most
from nasdsl.language.grid import Grid, in_steps
from nasdsl.language.point import Point
from nasdsl.language.profile import Budget, Profile, budget_of
from nasdsl.language.prospects import Prospects
from nasdsl.language.uniform import Real, Uniform
from nasdsl.language.walk import CostBound

_SITUATIONS = 100_000  # gone through for a count at most


class Bounds(NamedTuple):
    """Certified: not fewer and not more points are valid."""

    at_least: int
    at_most: int


class Valid:
    """The valid points of a space whose walks are pruned by `ahead`."""

    def __init__(self, ahead: Prospects, holds: Callable[[Point], bool], total: int) -> None:
        """`holds` says whether a finished point is valid; `total`: how many points there are in all."""
        self._ahead = ahead
        self._holds = holds
        self._total = total
        self._best: Uniform | None = None
        self._profiles: dict[int, Profile] = {}  # of each bound

    @cached_property
    def _all(self) -> Fold | None:
        """A count of the points that follow the rules; None where that is out of reach."""
        ahead = self._ahead
        found = ahead.exists if ahead.follows else None
        if found is None:
            rules = ahead.rules if ahead.follows or ahead.rules is None else None
            found = counting(ahead.machine, _SITUATIONS, rules)
        try:
            found.begin()
        except LimitError:
            return None
        return found

    def bounds(self) -> Bounds:
        """Bounds on the number of valid points; equal where it is known exactly."""
        follow, certain = self._total, not self._ahead.open_lines
        if self._ahead.rules is not None:
            if self._all is None:
                return Bounds(0, self._total)
            follow = self._all.begin()[1] or 0
            certain = certain and not self._all.is_blurred and self._ahead.follows
        most_valid, fewest = follow, follow
        for few, many in self._by_quantity(follow):
            # What breaks one limit or another is at most the sum of what breaks each.
            fewest, most_valid = fewest - (follow - few), min(most_valid, many)
        return Bounds(max(0, fewest) if certain else 0, most_valid)

    def _by_quantity(self, follow: int) -> Iterator[tuple[int, int]]:
        """Bounds on the number of points within all limits on one quantity. None breaks an upper and a lower
        limit at once, so that two such bounds add up."""
        found: dict[tuple[str, bool], tuple[int, int]] = {}
        for bound in self._ahead.bounds:
            try:
                few, many = self._within(bound)
            except LimitError:
                few, many = 0, follow
            key = (bound.limit.quantity, bound.limit.upper)
            known = found.get(key, (follow, follow))
            found[key] = (min(known[0], few), min(known[1], many))
        for quantity in dict.fromkeys(quantity for quantity, _ in found):
            upper = found.get((quantity, True), (follow, follow))
            lower = found.get((quantity, False), (follow, follow))
            yield upper[0] + lower[0] - follow, upper[1] + lower[1] - follow

    def _within(self, bound: CostBound) -> tuple[int, int]:
        """Bounds on the number of points within one limit."""
        try:
            profile = self._profile(bound)
        except Infeasible:
            return 0, 0
        if bound.fold.is_rough:
            return 0, self._total
        at_most = profile.total()
        if self._ahead.rules is not None and not bound.follows:
            return 0, at_most
        if profile.is_exact:
            return at_most, at_most
        assert profile.budget is not None
        return Grid(bound.fold, profile.budget, self._total, up=True).total(), at_most

    def _profile(self, bound: CostBound) -> Profile:
        """The completions within a limit, not fewer than there are; exact where that is affordable."""
        place = self._ahead.bounds.index(bound)
        if place not in self._profiles:
            opposite = most if bound.limit.upper else least
            cost = bound.fold.cost
            assert cost is not None
            fold = opposite(bound.fold.machine, cost, _SITUATIONS, bound.fold.rules, bound.fold)
            spent, further = fold.begin()
            budget = budget_of(bound, spent + (further or 0))
            self._profiles[place] = self._finest(bound, budget)
        return self._profiles[place]

    def _finest(self, bound: CostBound, budget: Budget) -> Profile:
        exact = Exact(bound.fold, budget)
        try:
            exact.begin()
        except LimitError:
            return Grid(bound.fold, in_steps(budget, self._total, bound.fold.n_places), self._total)
        return exact

    # --- drawing ------------------------------------------------------------------------------

    def draw(self, rng: random.Random, real: Real, fixed: bool) -> Point:
        """A valid point, all equally likely. `fixed`: some answers are fixed, which the counts do not know.
        Raises Infeasible where none is found, LimitError where counting is out of reach."""
        if self._best is None:
            self._best = self._uniform(fixed)
        return self._best.draw(rng, real)

    def _uniform(self, fixed: bool) -> Uniform:
        known = self._ahead.is_proved and not fixed
        if self._ahead.rules is not None:
            known = known and self._ahead.follows and self._all is not None and not self._all.is_blurred
        bounds = self._ahead.bounds
        try:
            profiles = [(self._profile(bound), bound) for bound in bounds]
            profiles.sort(key=lambda pair: pair[0].total())
        except LimitError:
            profiles = []
        if not profiles:
            plain = Profile(self._all or counting(self._ahead.machine))
            return Uniform(plain, None, None if known and not bounds else self._holds)
        profile, bound = profiles[0]
        known = known and not profile.has_shaping_reals
        known = known and len(bounds) == 1 and bound.follows == (self._ahead.rules is not None)
        return Uniform(profile, bound.limit, None if known else self._holds)

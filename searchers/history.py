"""What a searcher knows: what was told, what is pending, and which points it has seen.

Every searcher derives its proposals from this and from the trial number alone, so that replaying
the tells of a run brings a searcher to the very state it was in.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from nasdsl.language.point import Point
from searchers.protocol import Outcome
from searchers.view import Same


@dataclass(frozen=True, slots=True)
class Result:
    """The standing of one trial: its outcome at the largest budget told so far."""

    trial: int
    point: Point
    outcome: Outcome

    @property
    def score(self) -> float:
        """The score of a trial that has one."""
        assert self.outcome.score is not None
        return self.outcome.score


Value = Callable[[Result], float | None]
"""What is learned of a trial: its score, or another goal; None for a failure."""

AtBudget = Callable[[int, float], Result | None]
"""What was told of a trial at a budget."""


def spent(outcome: Outcome) -> float:
    """The budget as a number; a full evaluation (None) is beyond every partial one."""
    return math.inf if outcome.budget is None else outcome.budget


def is_hearsay(outcome: Outcome) -> bool:
    """Whether nothing was spent on it here: an earlier run tells of it."""
    return outcome.budget == 0.0


def succeeded(outcome: Outcome) -> bool:
    """Whether there is a score to learn from; NaN and infinities are failures."""
    return outcome.error is None and outcome.score is not None and math.isfinite(outcome.score)


class History:
    """Results by trial, pending points and a multiset of points seen.

    `arrivals` are the trials told, in order of their first tell; `revisions` counts the tells that
    replaced what stood, so that whoever caches a fit knows when it is stale.
    """

    def __init__(self, same: Same) -> None:
        self.pending: dict[int, Point] = {}
        self.arrivals: list[int] = []
        self.revisions = 0
        self.n_finished = 0  # trials that have a score
        self._same = same
        self._outcomes: dict[tuple[int, float], Result] = {}
        self._standing: dict[int, Result] = {}
        self._order: list[int] = []
        self._seen: Counter[Hashable] = Counter()
        self._heard: dict[Hashable, Result] = {}

    def proposed(self, trial: int, propose: Callable[[], Point | None]) -> Point | None:
        """What every `ask` comes down to: the point that is pending for `trial`, else a new proposal,
        which is pending from now on."""
        if trial in self.pending:
            return self.pending[trial]
        point = propose()
        if point is not None:
            self.given(trial, point)
        return point

    def given(self, trial: int, point: Point) -> None:
        """Note a point that is being evaluated: proposed, a start point, or one of a resumed run."""
        asked = self.pending.get(trial)
        if asked is not None:
            self._seen[self._same(asked)] -= 1
        self.pending[trial] = point
        self._seen[self._same(point)] += 1

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Note an outcome; a repeated (trial, budget) replaces the earlier one."""
        asked = self.pending.pop(trial, None)
        if asked is not None:
            self._seen[self._same(asked)] -= 1
        self._outcomes[trial, spent(outcome)] = Result(trial, point, outcome)
        if is_hearsay(outcome):
            self._heard[self._same(point)] = self._outcomes[trial, spent(outcome)]
        if trial not in self._standing:
            insort(self._order, trial)
            self.arrivals.append(trial)
        else:
            self.revisions += 1
            self._count(self._standing[trial], -1)
            self.n_finished -= succeeded(self._standing[trial].outcome)
        self._standing[trial] = self._best_informed(trial, spent(outcome))
        self.n_finished += succeeded(self._standing[trial].outcome)
        self._count(self._standing[trial], 1)

    def _count(self, result: Result, by: int) -> None:
        if not is_hearsay(result.outcome):  # what was only heard of may be tried
            self._seen[self._same(result.point)] += by

    def _best_informed(self, trial: int, budget: float) -> Result:
        before = self._standing.get(trial)
        if before is not None and spent(before.outcome) > budget:
            return before
        return self._outcomes[trial, budget]

    def at_budget(self, trial: int, budget: float) -> Result | None:
        """What was told of a trial at just this budget, or was heard of its point."""
        if budget == 0.0 and trial in self._standing:
            return self._heard.get(self._same(self._standing[trial].point))
        return self._outcomes.get((trial, budget))

    def of(self, trial: int) -> Result:
        """The standing of a trial that was told."""
        return self._standing[trial]

    def has_seen(self, point: Point) -> bool:
        """Whether the point, or one that counts as the same, was told or is pending."""
        return self._seen[self._same(point)] > 0

    def points(self) -> set[Point]:
        """All points told or pending."""
        return {result.point for result in self._standing.values()} | set(self.pending.values())

    def __len__(self) -> int:
        return len(self._order)

    def earliest(self, n: int) -> list[Result]:
        """The standing of the first `n` trials told."""
        return [self._standing[trial] for trial in self.arrivals[:n]]

    def results(self) -> list[Result]:
        """The standing of every trial told, failed ones too, by trial number."""
        return [self._standing[trial] for trial in self._order]

    def finished(self) -> list[Result]:
        """The trials that have a score, by trial number."""
        return [result for result in self.results() if succeeded(result.outcome)]

    def latest_finished(self, n: int) -> list[Result]:
        """Of the trials that have a score the `n` with the highest numbers, highest first."""
        latest: list[Result] = []
        for trial in reversed(self._order):
            if len(latest) == n:
                break
            if succeeded(self._standing[trial].outcome):
                latest.append(self._standing[trial])
        return latest

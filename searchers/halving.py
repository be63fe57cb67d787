"""Synchronous successive halving around any searcher (Jamieson & Talwalkar 2016, arXiv 1502.07943).

A bracket asks the inner searcher for `width` points at the smallest budget. When all have been told, the
best 1/eta go on at eta times the budget, and so on; then a new bracket begins. Promoted trials are trials of
their own that continue the earlier one (`lineage`). The inner searcher is told every outcome with its
budget, under the trial that first had the point, so that it compares at equal cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nasdsl.language.point import Point
from searchers.history import succeeded
from searchers.protocol import Lineage, Outcome, Searcher


@dataclass(slots=True)
class _Rung:
    """The trials of one rung: `origin` is the trial of the inner searcher that each goes back to."""

    level: int
    size: int
    origin: dict[int, int] = field(default_factory=dict)
    parents: list[int] = field(default_factory=list)  # still to be promoted into this rung
    scores: dict[int, float] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)


class SuccessiveHalving:
    """Brackets over an inner searcher.

    Args:
        first: the smallest budget, in epochs or in shares of the data.
        eta: one in `eta` goes on, to `eta` times the budget.
        rungs: budgets per bracket: first, first * eta, ...; in the last a trial runs in full.
    """

    def __init__(self, inner: Searcher, *, first: float = 1, eta: int = 3, rungs: int = 4) -> None:
        if eta < 2 or rungs < 1:
            raise ValueError(f"eta is {eta}, rungs {rungs}; they must be at least 2 and 1")
        self._inner = inner
        self._first = first
        self._eta = eta
        self._rungs = rungs
        self._width = eta ** (rungs - 1)
        self._points: dict[int, Point] = {}
        self._rung_of: dict[int, _Rung] = {}
        self._parent: dict[int, int] = {}
        self._current = _Rung(0, self._width)

    def ask(self, trial: int) -> Point | None:
        """A new point, or a promoted one; None while the rung waits for outcomes, or at the end."""
        if trial in self._points and trial not in self._rung_of[trial].told:
            return self._points[trial]
        rung = self._current
        if len(rung.origin) >= rung.size:
            return None
        if rung.level == 0:
            point = self._inner.ask(trial)
            if point is None:
                rung.size = len(rung.origin)  # the space is used up: halve what there is
                self._close()
                return None if self._current.level == 0 else self.ask(trial)
            self._enter(trial, point, trial)
            return point
        parent = rung.parents.pop(0)
        self._parent[trial] = parent
        self._enter(trial, self._points[parent], self._origin(parent))
        return self._points[trial]

    def _enter(self, trial: int, point: Point, origin: int) -> None:
        self._points[trial] = point
        self._rung_of[trial] = self._current
        self._current.origin[trial] = origin

    def _origin(self, trial: int) -> int:
        return self._rung_of[trial].origin[trial]

    def lineage(self, trial: int) -> Lineage:
        """The trial that this one continues, and the budget of its rung; None at the last: in full."""
        level = self._rung_of[trial].level
        budget = None if level == self._rungs - 1 else self._budget(level)
        return Lineage(self._parent.get(trial), budget)

    def _budget(self, level: int) -> float:
        return float(self._first * self._eta**level)

    def inherit(self, trial: int, lineage: Lineage) -> None:
        """Note what a trial of a resumed run continues, before it is `given`."""
        if lineage.parent is not None:
            self._restore(trial, self._points[lineage.parent], lineage.measures())

    def given(self, trial: int, point: Point) -> None:
        """Note a point that runs unasked: it takes a place in the first rung."""
        self._inner_given(trial, point)
        if trial not in self._rung_of:
            self._enter(trial, point, trial)

    def _inner_given(self, trial: int, point: Point) -> None:
        given = getattr(self._inner, "given", None)
        if given is not None:
            given(trial, point)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        """Note an outcome; the last of a rung opens the next. The measure `parent` restores a promotion."""
        if trial not in self._rung_of:
            self._restore(trial, point, outcome.measures)
        rung = self._rung_of[trial]
        full = rung.level == self._rungs - 1
        budget = None if full else self._budget(rung.level)
        self._inner.tell(self._origin(trial), point, replace(outcome, budget=budget))
        rung.told.add(trial)
        if succeeded(outcome) and outcome.score is not None:
            rung.scores[trial] = outcome.score
        self._close()

    def _restore(self, trial: int, point: Point, measures: Mapping[str, float]) -> None:
        parent = measures.get("parent")
        if parent is None or self._current.level == 0:
            self._enter(trial, point, trial)
            return
        self._parent[trial] = int(parent)
        if int(parent) in self._current.parents:
            self._current.parents.remove(int(parent))
        self._enter(trial, point, self._origin(int(parent)))

    def _close(self) -> None:
        """Once a rung is complete and told, promote its best; after the last rung begin anew."""
        rung = self._current
        if len(rung.origin) < rung.size or not rung.told.issuperset(rung.origin):
            return
        best = sorted(rung.scores, key=lambda trial: (-rung.scores[trial], trial))[: rung.size // self._eta]
        if rung.level + 1 < self._rungs and best:
            self._current = _Rung(rung.level + 1, len(best), parents=best)
        else:
            self._current = _Rung(0, self._width)

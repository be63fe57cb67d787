"""What a trial reached in every objective of a space, as numbers to be maximised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from nasdsl.language.point import Point
from searchers.history import Result, Value
from searchers.protocol import Outcome
from searchers.view import Measure


class Goal(Protocol):
    """One objective; `nasdsl.language.network.Goal` is one, and `space.goals` are all of a space."""

    @property
    def measure(self) -> str: ...
    @property
    def maximize(self) -> bool: ...


def objectives(outcome: Outcome, goals: Sequence[Goal]) -> tuple[float, ...] | None:
    """The objective vector, every entry to be maximised: the score first, then each further measure,
    negated where it is minimised. None for a failure, and where a measure was not told."""
    if outcome.error is not None or outcome.score is None:
        return None
    further = [(outcome.measures.get(goal.measure), goal.maximize) for goal in goals[1:]]
    if any(value is None for value, _ in further):
        return None
    return (
        outcome.score,
        *(value if maximize else -value for value, maximize in further if value is not None),
    )


class Objectives:
    """The goals of a search, with what is known of points beforehand: exact, and worked out once."""

    def __init__(self, goals: Sequence[Goal], measure: Measure | None) -> None:
        self.goals = tuple(goals)
        self._measure = measure
        self._known: dict[Point, Mapping[str, float]] = {}

    @property
    def several(self) -> bool:
        """Whether there is more than the score."""
        return len(self.goals) > 1

    def known(self, point: Point) -> Mapping[str, float]:
        """The costs of a point; empty where none is known."""
        if self._measure is None:
            return {}
        if point not in self._known:
            self._known[point] = self._measure(point)
        return self._known[point]

    def cost(self, point: Point, number: int) -> float | None:
        """The value of a goal, to be maximised, where it is known before the evaluation."""
        goal = self.goals[number]
        value = self.known(point).get(goal.measure)
        return value if value is None or goal.maximize else -value

    def vector(self, point: Point, outcome: Outcome) -> tuple[float, ...] | None:
        """As `objectives`, known costs included."""
        told = replace(outcome, measures={**outcome.measures, **self.known(point)})
        return objectives(told, self.goals)

    def value_of(self, number: int) -> Value:
        """What a trial reached in one goal; None for a failure."""

        def value(result: Result) -> float | None:
            vector = self.vector(result.point, result.outcome)
            return None if vector is None else vector[number]

        return value

"""Stopping trials that fall behind: asynchronous successive halving, in its stopping form.

Li et al. 2020, "A system for massively parallel hyperparameter tuning", section 3: a trial that reaches
a rung (steps 1, eta, eta^2, …) goes on only if its score is among the best 1/eta of those seen there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, assert_never

from nasdsl.engine.messages import Report

Fidelity: TypeAlias = Literal["none", "asha"]
_ETA = 3  # Li et al. 2020 use 4, Hyperband 3; 3 forgives a slow start more


def stopping_rule(fidelity: Fidelity) -> Callable[[Report], bool]:
    """Says after each report whether the trial should stop."""
    match fidelity:
        case "none":
            return lambda report: False
        case "asha":
            return Halving().should_stop
        case _:
            assert_never(fidelity)


class Halving:
    """The scores seen at each rung, and the rule. A trial counts once at each rung, by its first report there."""

    def __init__(self, eta: int = _ETA, first: float = 1.0) -> None:
        self._eta = eta
        self._first = first
        self._rungs: dict[int, dict[int, float]] = {}
        self._reached: dict[int, int] = {}

    def should_stop(self, report: Report) -> bool:
        rung = self._reached.get(report.trial, 0)
        stop = False
        while report.step >= self._first * self._eta**rung:
            stop = self._falls_behind(rung, report)
            rung += 1
        self._reached[report.trial] = rung
        return stop

    def _falls_behind(self, rung: int, report: Report) -> bool:
        scores = self._rungs.setdefault(rung, {})
        scores[report.trial] = report.score
        n_promoted = len(scores) // self._eta
        # Fewer than eta trials have been here: nothing to compare with, the first go on.
        return n_promoted > 0 and report.score < sorted(scores.values(), reverse=True)[n_promoted - 1]

"""What a trial reached in every objective of a space, as numbers to be maximised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from searchers.protocol import Outcome


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

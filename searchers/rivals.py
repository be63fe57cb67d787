"""Turns on which the search looks elsewhere: another answer to a decision that much hangs on.

A model is surest where it has measured most, and what it knows of a wrong depth or a wrong kind of network makes
all others look hopeless: improvement is then sought in one place for good. So on every fourth proposal one decision
of the best point is turned, the likelier the more decisions lie under it, and the best candidate with the
new answer is sought, by improvement over what was reached with that answer. Which answer is drawn by the
heights reached so far, blurred the more the fewer results stand behind them (Thompson 1933). A space
without decisions that open others has no such turns.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

from nasdsl.language.decisions import Answer, Decision, listed
from nasdsl.language.moves import under

EVERY = 4
FROM = 12  # of the best points, each with the new answer, what begins there; beside what was measured there
_UNTRIED = 0.0  # the height of an answer without results: the mean of all targets
_BLUR = 2.0  # standard deviations of all targets, for an answer without results


def turned(branching: Sequence[Decision], point: Mapping[str, Answer], rng: random.Random) -> Decision | None:
    """One of the decisions that open others, in proportion to how many are open under it; None without one."""
    weights = [sum(under(decision.path, path) for path in point) - 1 for decision in branching]
    return rng.choices(branching, weights)[0] if any(weights) else None


def rival(
    decision: Decision, own: Answer, heights: Sequence[tuple[Mapping[str, Answer], float]], rng: random.Random
) -> Answer | None:
    """An answer other than `own`; None without another. `heights`: told points with their posterior means."""
    reached: dict[Answer, list[float]] = {answer: [] for answer in listed(decision.domain) if answer != own}
    for point, height in heights:
        answer = point.get(decision.path)
        if answer is not None and answer in reached:
            reached[answer].append(height)

    def drawn(answer: Answer) -> float:
        there = reached[answer]
        return max(there, default=_UNTRIED) + rng.gauss(0.0, _BLUR) / math.sqrt(1 + len(there))

    return max(reached, key=drawn, default=None)

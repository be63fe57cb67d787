"""What makes a candidate worth an evaluation: one goal, or several under weights drawn anew each time.

With several goals each proposal draws weights from a flat Dirichlet and, for each goal, a function from its
posterior, and takes the best augmented Chebyshev value (Knowles 2006, ParEGO; Paria et al. 2019,
arXiv 1805.12168, for the Thompson draws). Goals known beforehand are modelled while candidates are
sought, since a cost may take milliseconds, and exact for those that reach the final choice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.point import Point
from searchers.drafts import Draft
from searchers.history import Result
from searchers.objectives import Objectives
from searchers.surrogate import Belief

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_AUGMENTED = 0.05  # share of the plain sum, so that weakly dominated points lose (Knowles 2006)


@dataclass(frozen=True)
class Judge:
    """`ranked`: told trials, best first, to breed from. `value` of drafts, larger is better; `exact`
    the same of walked points, with what is known of them; None where nothing is. `over`: the value where
    a lesser height than that of the best is to be improved on, of one goal."""

    ranked: Sequence[Result]
    means: Mapping[int, float]  # posterior mean of the score by trial
    value: Callable[[Sequence[Draft]], Vector]
    over: Callable[[Sequence[Draft], float], Vector]
    exact: Callable[[Sequence[tuple[Point, Draft]]], Vector] | None = None


def alone(belief: Belief, draws: bool, rng: random.Random) -> Judge:
    """One goal: expected improvement, or a function drawn from the posterior."""
    ranked = [belief.results[i] for i in belief.scored]
    value = belief.draw(rng) if draws else belief.log_improvement
    return Judge(ranked, belief.mean_of_trials, value, belief.log_improvement)


def weighed(beliefs: Sequence[Belief], objectives: Objectives, rng: random.Random) -> Judge:
    """Several goals under one draw of weights."""
    drawn = np.array([rng.expovariate(1.0) for _ in beliefs])
    weights = drawn / drawn.sum()
    ends = [(float(b.means[b.scored].min()), float(b.means[b.scored].max())) for b in beliefs]

    def chebyshev(values: Matrix) -> Vector:
        """(k, n) values of the goals -> (n,)."""
        low, high = np.array(ends).T
        loss = weights[:, None] * (high[:, None] - values) / np.maximum(high - low, 1e-9)[:, None]
        total: Vector = -(loss.max(0) + _AUGMENTED * loss.sum(0))
        return total

    told = chebyshev(np.array([belief.means for belief in beliefs]))
    order = [i for i in np.argsort(-told, kind="stable") if beliefs[0].scores[i] is not None]
    functions = [belief.draw(rng) for belief in beliefs]

    def value(drafts: Sequence[Draft]) -> Vector:
        return chebyshev(np.array([function(drafts) for function in functions]))

    def exact(walked: Sequence[tuple[Point, Draft]]) -> Vector:
        values = np.array([function([draft for _, draft in walked]) for function in functions])
        for number in range(1, len(beliefs)):
            for i, (point, _) in enumerate(walked):
                cost = objectives.cost(point, number)
                if cost is not None:
                    values[number, i] = _as_target(beliefs[number], cost)
        return chebyshev(values)

    ranked = [beliefs[0].results[i] for i in order]
    return Judge(ranked, beliefs[0].mean_of_trials, value, lambda drafts, _: value(drafts), exact)


def _as_target(belief: Belief, value: float) -> float:
    """A known value on the scale of the model's targets, linear between told ones."""
    known = [i for i in belief.scored if belief.scores[i] is not None]
    scores = np.array([belief.scores[i] for i in known], dtype=float)
    order = np.argsort(scores, kind="stable")
    return float(np.interp(value, scores[order], belief.targets[known][order]))

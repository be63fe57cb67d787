"""How likely a point keeps the limits that show only when it is measured (`require latency_ms(...) <= 5`).

A second Gaussian process learns which points kept them and which did not; the acquisition is weighed by the
probability that it gives (Gardner et al. 2014, "Bayesian optimization with inequality constraints", eq. 6,
with one process for all limits together, as only the verdict is told).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from searchers.budgets import Estimate
from searchers.drafts import Draft
from searchers.history import History, Result
from searchers.surrogate import Surrogate
from searchers.view import SearchSpace

Vector = NDArray[np.float64]
LogChance = Callable[[Sequence[Draft]], Vector]


class Feasibility(Surrogate):
    """A surrogate of the verdict: 1 where the limits were kept, also by a trial that failed later, 0 where not."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(space)
        self._learned = 0  # arrivals that the encoder knows

    def _estimates(self, results: Sequence[Result], history: History) -> list[Estimate]:
        return [Estimate(result, 0.0 if result.outcome.infeasible else 1.0) for result in results]

    def log_chance(self, history: History) -> LogChance | None:
        """Of drafts the logarithm of the probability that they keep all limits; None while none was broken."""
        if not any(result.outcome.infeasible for result in history.results()):
            return None
        for trial in history.arrivals[self._learned :]:
            self.learn(history.of(trial).point)
        self._learned = len(history.arrivals)
        belief = self.belief(history)
        border = 0.5 * float(belief.targets.min() + belief.targets.max())

        def log_chance(drafts: Sequence[Draft]) -> Vector:
            mean, deviation = belief.predict(drafts)
            chance: Vector = log_ndtr((mean - border) / deviation)
            return chance

        return log_chance

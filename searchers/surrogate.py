"""What model-based searchers believe after a history: encoder, targets and Gaussian process in one.

The belief is a function of the tells in their order of arrival (and of what is pending). Relevances
are fitted anew only when the history has grown by a sixth; in between only the data is updated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri
from scipy.stats import rankdata

from nasdsl.language.decisions import Answer, Decision
from nasdsl.language.moves import trace
from nasdsl.language.point import Point
from searchers import gaussian_process as gp
from searchers.encode import Encoder, Row
from searchers.history import History, Result, succeeded
from searchers.view import SearchSpace

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

FIT_GROWTH = 1.17
FIT_LARGEST = 200  # rows in a fit of the hyperparameters, cost n^3
CONDITION_BEST, CONDITION_LATEST = 200, 300  # rows in a posterior beyond their sum


def fit_size(n: int) -> int:
    """The largest size of the schedule 4, 5, 6, 7, 9, ... that is not above `n`."""
    size = 4
    while int(size * FIT_GROWTH) + 1 <= n:
        size = int(size * FIT_GROWTH) + 1
    return size


def targets_of(results: Sequence[Result]) -> Vector:
    """Scores as normal quantiles of their ranks: immune to outliers and to the scale of the score.

    A failure counts as the 5 % quantile of what succeeded: bad, without tearing a hole that
    dwarfs every other difference.
    """
    good = np.array([r.score for r in results if succeeded(r.outcome)])
    fallback = np.quantile(good, 0.05) if len(good) else 0.0
    scores = np.array([r.score if succeeded(r.outcome) else fallback for r in results])
    normal = ndtri((rankdata(scores) - 0.5) / len(scores))
    spread = normal.std()
    return np.asarray(normal / spread if spread > 0 else normal)


@dataclass(frozen=True)
class Belief:
    """The surrogate after one history; everything a proposal needs."""

    encoder: Encoder
    posterior: gp.Posterior
    ranked: tuple[Result, ...]  # the trials that have a score, best posterior mean first
    incumbent: float  # the best posterior mean at a told point

    def predict(self, drafts: Sequence[Mapping[str, Answer]]) -> tuple[Vector, Vector]:
        """Mean and standard deviation of the standardised score."""
        return self.posterior.predict(self.encoder.dense([self.encoder.encode(draft) for draft in drafts]))

    def log_improvement(self, drafts: Sequence[Mapping[str, Answer]]) -> Vector:
        """Logarithm of the expected improvement over the incumbent."""
        mean, deviation = self.predict(drafts)
        return log_expected_improvement(mean, deviation, self.incumbent)


def log_expected_improvement(mean: Vector, deviation: Vector, incumbent: float) -> Vector:
    """log E[max(0, f - incumbent)], f normal; by its asymptote where it would underflow."""
    z = (mean - incumbent) / deviation
    log_density = -0.5 * z * z - 0.5 * np.log(2.0 * np.pi)
    near = np.maximum(z, -6.0)
    inside = np.exp(-0.5 * near * near) / np.sqrt(2.0 * np.pi) + near * np.exp(log_ndtr(near))
    tail = log_density - 2.0 * np.log(np.maximum(np.abs(z), 1.0))
    value: Vector = np.where(z > -6.0, np.log(inside), tail) + np.log(deviation)
    return value


class Surrogate:
    """Turns a history into a Belief."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._encoder = Encoder()
        self._known: dict[Point, tuple[Decision, ...]] = {}
        self._fitted: tuple[tuple[int, int], gp.Hyperparameters] | None = None

    def decisions(self, point: Point) -> tuple[Decision, ...]:
        """The decisions of a told point; walked once."""
        if point not in self._known:
            opened = trace(self._space, point)
            self._known[point] = tuple(decision for decision in opened if decision.path in point)
        return self._known[point]

    def learn(self, point: Point) -> None:
        """Admit a told point to the vocabulary."""
        self._encoder.learn(self.decisions(point), point)

    def belief(self, history: History) -> Belief:
        """Fit and condition; the history must hold at least two scores."""
        results = history.results()
        targets = targets_of(results)
        kept = _kept(targets)
        results = [results[i] for i in kept]
        targets = targets[kept]
        rows = self._encoder.dense([self._row(result.point) for result in results])
        split = gp.Split(rows, self._encoder.site_of_columns())
        theta = self._theta(history)
        posterior = gp.condition(split, theta, rows, targets)
        mean, _ = posterior.predict(rows)
        posterior = self._with_pending(history, split, theta, rows, targets, posterior)
        scored = [i for i in np.argsort(-mean, kind="stable") if succeeded(results[i].outcome)]
        return Belief(self._encoder, posterior, tuple(results[i] for i in scored), float(mean[scored[0]]))

    def _row(self, point: Point) -> Row:
        return self._encoder.encode(point)

    def _theta(self, history: History) -> Vector:
        """Fitted to the trials that had arrived when the schedule last said so."""
        key = (fit_size(len(history)), history.revisions)
        if self._fitted is None or self._fitted[0] != key:
            self._fitted = key, self._fit(history.earliest(key[0]))
        return self._fitted[1].theta(self._encoder.sites)

    def _fit(self, results: Sequence[Result]) -> gp.Hyperparameters:
        """A function of these results alone, with an encoder that knows no others, so that a
        resumed search, which fits later, fits the same."""
        encoder = Encoder()
        for result in results:
            encoder.learn(self.decisions(result.point), result.point)
        targets = targets_of(results)
        some = _spread(targets, FIT_LARGEST)
        rows = encoder.dense([encoder.encode(results[i].point) for i in some])
        split = gp.Split(rows, encoder.site_of_columns())
        return gp.fit(split, encoder.sites, rows, targets[some])

    def _with_pending(
        self,
        history: History,
        split: gp.Split,
        theta: Vector,
        rows: Matrix,
        targets: Vector,
        posterior: gp.Posterior,
    ) -> gp.Posterior:
        """Pending points count as measured at their posterior mean (kriging believer)."""
        if not history.pending:
            return posterior
        pending = self._encoder.dense([self._row(history.pending[t]) for t in sorted(history.pending)])
        believed, _ = posterior.predict(pending)
        return gp.condition(split, theta, np.vstack([rows, pending]), np.concatenate([targets, believed]))


def _kept(targets: Vector) -> list[int]:
    """All rows, or the best and the latest where a posterior over all would be slow."""
    n = len(targets)
    if n <= CONDITION_BEST + CONDITION_LATEST:
        return list(range(n))
    best = np.argsort(-targets, kind="stable")[:CONDITION_BEST]
    return sorted({*best.tolist(), *range(n - CONDITION_LATEST, n)})


def _spread(targets: Vector, n: int) -> list[int]:
    """At most `n` rows: the better half of the quota from the top, the rest evenly over the ranks."""
    if len(targets) <= n:
        return list(range(len(targets)))
    order = np.argsort(-targets, kind="stable")
    rest = order[n // 2 :]
    even = rest[np.linspace(0, len(rest) - 1, n - n // 2).astype(int)]
    return sorted({*order[: n // 2].tolist(), *even.tolist()})

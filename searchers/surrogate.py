"""What model-based searchers believe after a history: encoder, targets and Gaussian process in one.

The belief is a function of the tells in their order of arrival (and of what is pending). Relevances
are fitted anew only when the history has grown by a sixth; in between only the data is updated.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri
from scipy.stats import rankdata

from nasdsl.language.moves import trace
from nasdsl.language.point import Point
from searchers import gaussian_process as gp
from searchers.budgets import Estimate, in_full, score_of
from searchers.drafts import Draft, Opened
from searchers.encode import Encoder, place_of
from searchers.history import History, Result, Value
from searchers.kernel import Split
from searchers.view import SearchSpace

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

FIT_GROWTH = 1.17
FIT_LARGEST = 200  # rows in a fit of the hyperparameters, cost n^3
KEPT_ROWS = 4_000  # features of drafts, about 2 KB each
CONDITION_BEST, CONDITION_LATEST = 100, 200  # rows in a posterior beyond their sum


def fit_size(n: int) -> int:
    """The largest size of the schedule 4, 5, 6, 7, 9, ... that is not above `n`."""
    size = 4
    while int(size * FIT_GROWTH) + 1 <= n:
        size = int(size * FIT_GROWTH) + 1
    return size


def targets_of(scores: Sequence[float | None]) -> Vector:
    """Scores as normal quantiles of their ranks: immune to outliers and to the scale of the score.

    None, a failure, counts as the 5 % quantile of what succeeded: bad, without tearing a hole that
    dwarfs every other difference.
    """
    good = [score for score in scores if score is not None]
    fallback = float(np.quantile(good, 0.05)) if good else 0.0
    filled = np.array([fallback if score is None else score for score in scores])
    normal = ndtri((rankdata(filled) - 0.5) / len(filled))
    spread = normal.std()
    return np.asarray(normal / spread if spread > 0 else normal)


class Rows:
    """The features of points and drafts, kept while the encoder learns nothing new.

    A draft that is an edit of another costs only what the edit changes.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._version = self._scaled = -1
        self._of_points: dict[Point, Vector] = {}
        self._of_drafts: dict[int, tuple[Draft, Vector]] = {}

    def of_points(self, points: Sequence[Point]) -> Matrix:
        """(n, d) features of told points."""
        self._renew()
        matrix = np.zeros((len(points), len(self._encoder.site_of_columns())))
        for i, point in enumerate(points):
            row = self._of_points.get(point)
            if row is None:
                row = self._of_points[point] = self._encoder.encode(point)
            matrix[i, : len(row)] = row  # what was learned since is not in this point
        return matrix

    def of_drafts(self, drafts: Sequence[Draft]) -> Matrix:
        """(n, d) features of candidates."""
        self._renew()
        return self._matrix([self._of_draft(draft) for draft in drafts])

    def _matrix(self, rows: list[Vector]) -> Matrix:
        return np.array(rows).reshape(len(rows), len(self._encoder.site_of_columns()))

    def _renew(self) -> None:
        if self._version != self._encoder.version or len(self._of_drafts) > KEPT_ROWS:
            self._version = self._encoder.version
            self._of_drafts.clear()
        if self._scaled != self._encoder.scaled:
            self._scaled = self._encoder.scaled
            self._of_points.clear()

    def _of_draft(self, draft: Draft) -> Vector:
        known = self._of_drafts.get(id(draft))
        if known is not None:
            return known[1]
        if draft.base is None:
            row = self._encoder.encode(draft.answers)
        else:
            before, path = draft.base, draft.path
            _, repeat, copy = place_of(path)
            n = draft.opened.copies[repeat] if copy >= 0 else 0
            row = self._encoder.edited(self._of_draft(before), before.answers, path, draft.answers[path], n)
        self._of_drafts[id(draft)] = draft, row  # the draft too: its id is its own while it lives
        return row


class Posterior(Protocol):
    """What a model believes of the function; rows are (n, d) features, targets of unit variance."""

    @property
    def means(self) -> Vector: ...  # at the rows it was given
    def predict(self, rows: Matrix) -> tuple[Vector, Vector]: ...
    def draw(self, chance: np.random.Generator) -> Callable[[Matrix], Vector]: ...


@dataclass(frozen=True)
class Belief:
    """The surrogate after one history; everything a proposal needs."""

    rows: Rows
    posterior: Posterior
    results: tuple[Result, ...]
    means: Vector  # (n,) of the results
    scores: tuple[float | None, ...]  # of the results; what was not measured in full is estimated
    targets: Vector  # (n,) the scores as the model sees them

    @cached_property
    def scored(self) -> list[int]:
        """The results that have a score, best posterior mean first."""
        return [int(i) for i in np.argsort(-self.means, kind="stable") if self.scores[i] is not None]

    @property
    def mean_of_trials(self) -> dict[int, float]:
        """Trial -> posterior mean."""
        return {result.trial: float(m) for result, m in zip(self.results, self.means, strict=True)}

    def predict(self, drafts: Sequence[Draft]) -> tuple[Vector, Vector]:
        """Mean and standard deviation of the standardised score."""
        return self.posterior.predict(self.rows.of_drafts(drafts))

    def log_improvement(self, drafts: Sequence[Draft], over: float | None = None) -> Vector:
        """Logarithm of the expected improvement over the best posterior mean at a told point, or over `over`."""
        mean, deviation = self.predict(drafts)
        incumbent = float(self.means[self.scored[0]]) if over is None else over
        return log_expected_improvement(mean, deviation, incumbent)

    def draw(self, rng: random.Random) -> Callable[[Sequence[Draft]], Vector]:
        """One function that may be the true one, given what was told."""
        function = self.posterior.draw(np.random.default_rng(rng.getrandbits(64)))
        return lambda drafts: function(self.rows.of_drafts(drafts))


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
    """Turns a history into a Belief.

    `value` is what is learned of a trial: its score, or another goal.
    """

    def __init__(self, space: SearchSpace, value: Value = score_of) -> None:
        self._space = space
        self._value = value
        self._encoder = Encoder()
        self._rows = Rows(self._encoder)
        self._known: dict[Point, Opened] = {}
        self._fitted: tuple[tuple[int, int], gp.Hyperparameters] | None = None

    def opened(self, point: Point) -> Opened:
        """What a told point opens; walked once."""
        known = self._known.get(point)
        if known is None:
            decisions = trace(self._space, point)
            known = self._known[point] = Opened(tuple(d for d in decisions if d.path in point))
        return known

    def learn(self, point: Point) -> None:
        """Admit a told point to the vocabulary."""
        self._encoder.learn(self.opened(point).decisions, point)

    def belief(self, history: History) -> Belief:
        """Fit and condition; the history must hold at least two scores."""
        estimates = self._estimates(history.results(), history)
        targets = targets_of([estimate.score for estimate in estimates])
        kept = _kept(targets)
        estimates, targets = [estimates[i] for i in kept], targets[kept]
        rows = self._rows.of_points([estimate.result.point for estimate in estimates])
        extra = np.array([estimate.doubt for estimate in estimates])
        posterior = self._posterior(history, rows, targets, extra)
        mean = posterior.means
        if history.pending:
            # Pending points count as measured at their posterior mean (kriging believer).
            running = [history.pending[trial] for trial in sorted(history.pending)]
            pending = np.array([self._encoder.encode(point) for point in running])
            believed, _ = posterior.predict(pending)
            rows, targets_now = np.vstack([rows, pending]), np.concatenate([targets, believed])
            extra = np.concatenate([extra, np.zeros(len(pending))])
            posterior = self._posterior(history, rows, targets_now, extra)
        results = tuple(estimate.result for estimate in estimates)
        scores = tuple(estimate.score for estimate in estimates)
        return Belief(self._rows, posterior, results, mean, scores, targets)

    def _estimates(self, results: Sequence[Result], history: History) -> list[Estimate]:
        """What is to be learned of each result."""
        return in_full(results, history.at_budget, self._value)

    def _posterior(self, history: History, rows: Matrix, targets: Vector, extra: Vector) -> Posterior:
        split = Split(rows, self._encoder.site_of_columns())
        return gp.condition(split, self._theta(history), rows, targets, extra)

    def _theta(self, history: History) -> Vector:
        """Fitted to the trials that had arrived when the schedule last said so."""
        key = (fit_size(len(history)), history.revisions)
        if self._fitted is None or self._fitted[0] != key:
            self._fitted = key, self._fit(history.earliest(key[0]), history)
        return self._fitted[1].theta(self._encoder.sites)

    def _fit(self, results: Sequence[Result], history: History) -> gp.Hyperparameters:
        """A function of these results alone, with an encoder that knows no others, so that a
        resumed search, which fits later, fits the same."""
        encoder = Encoder()
        for result in results:
            encoder.learn(self.opened(result.point).decisions, result.point)
        estimates = self._estimates(results, history)
        targets = targets_of([estimate.score for estimate in estimates])
        some = _spread(targets, FIT_LARGEST)
        rows = np.array([encoder.encode(estimates[i].result.point) for i in some])
        split = Split(rows, encoder.site_of_columns())
        return gp.fit(split, encoder.sites, rows, targets[some])


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

"""A Gaussian process over encoded points, with one relevance per site of the space.

The kernel is that of `kernel.py`; noise is added on the diagonal. The hyperparameters maximise their
posterior density (gradient: Rasmussen & Williams 2006, eq. 5.9) under broad log-normal priors, which keep
small histories sane.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from searchers.kernel import (
    Matrix,
    Parts,
    Side,
    Split,
    Vector,
    kernel_between,
    kernel_within,
    matern,
    matern_slope,
    self_kernel,
    side,
    squared_distances,
)

_MAX_STEPS = 30
_JITTER = 1e-8  # keeps the matrix positive definite where there is no noise


@dataclass(frozen=True)
class Hyperparameters:
    """Logarithms: relevance by site, and (6,) weights a, b, c, e, bag scale, noise."""

    relevance: Mapping[str, float]
    shape: Vector

    def theta(self, sites: Sequence[str]) -> Vector:
        """As one vector; a site that joined after the fit has the median relevance."""
        median = float(np.median(list(self.relevance.values())))
        return np.concatenate([[self.relevance.get(site, median) for site in sites], self.shape])


# Prior means and standard deviations of the last six logarithms: a, b, c, e, l, noise. The targets
# have unit variance, so the four weights share it; noise of 1 % lies in the middle of what small
# networks (5 %) and deterministic tables (0) show.
_PRIOR_MEAN = np.log([0.25, 0.25, 0.25, 0.25, 1.0, 0.01])
_PRIOR_SPREAD = np.array([1.5, 1.5, 1.5, 1.5, 1.0, 1.5])
_RELEVANCE_SPREAD = 1.5
_BOUNDS = 6.0  # in logarithms around the prior mean


def _relevance_prior(local: Matrix) -> float:
    """The prior mean of log w: two random points are then at squared distance 2 on average."""
    spread = 2.0 * local.var(0).sum()
    return float(np.log(2.0 / max(spread, 1e-6)))


def fit(split: Split, sites: Sequence[str], rows: Matrix, targets: Vector) -> Hyperparameters:
    """The most probable hyperparameters for (n, d) rows and (n,) targets of unit variance."""
    local, linear, bags = split(rows)
    n_sites = len(sites)
    centre = _relevance_prior(local)
    mean = np.concatenate([np.full(n_sites, centre), _PRIOR_MEAN])
    spread = np.concatenate([np.full(n_sites, _RELEVANCE_SPREAD), _PRIOR_SPREAD])
    grams = (linear @ linear.T, squared_distances(bags, bags), bags @ bags.T)
    members = np.zeros((len(split.site), n_sites))
    members[np.arange(len(split.site)), split.site] = 1.0

    def loss(theta: Vector) -> tuple[float, Vector]:
        value, gradient = _evidence(theta, local, split.site, members, grams, targets)
        off = (theta - mean) / spread
        return value + 0.5 * float(off @ off), gradient + off / spread

    bounds = [(m - _BOUNDS, m + _BOUNDS) for m in mean]
    found = minimize(loss, mean, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _MAX_STEPS})
    relevance = dict(zip(sites, found.x[:n_sites].tolist(), strict=True))
    return Hyperparameters(relevance, np.asarray(found.x[n_sites:]))


def _evidence(
    theta: Vector,
    local: Matrix,
    site: NDArray[np.int64],
    members: Matrix,
    grams: Parts,
    targets: Vector,
) -> tuple[float, Vector]:
    """Negative log marginal likelihood (without its constant) and its gradient."""
    n = len(targets)
    linear_gram, bag_squared, bag_gram = grams
    a, b, c, e, scale, noise = np.exp(theta[-6:])
    weighted = local * np.exp(0.5 * theta[site])
    apart = squared_distances(weighted, weighted)
    near, near_slope = matern(apart.copy()), matern_slope(apart)
    alike, alike_slope = matern(bag_squared / scale), matern_slope(bag_squared / scale)
    kernel = a * near + b * linear_gram + c * alike + e * bag_gram
    kernel[np.diag_indices(n)] += noise + _JITTER
    factor = cholesky(kernel, lower=True, check_finite=False)
    alpha = cho_solve((factor, True), targets, check_finite=False)
    inverse = cho_solve((factor, True), np.eye(n), check_finite=False)
    pull = 0.5 * (inverse - np.outer(alpha, alpha))
    by_weight = pull * near_slope * a
    # sum_ij P_ij (x_ic - x_jc)^2 for every column c, P symmetric
    columns = 2.0 * (by_weight.sum(1) @ (weighted * weighted)) - 2.0 * np.einsum(
        "ic,ic->c", weighted, by_weight @ weighted
    )
    gradient = np.concatenate(
        [
            columns @ members,
            [
                a * np.sum(pull * near),
                b * np.sum(pull * linear_gram),
                c * np.sum(pull * alike),
                e * np.sum(pull * bag_gram),
                -c * np.sum(pull * alike_slope * bag_squared) / scale,
                noise * np.trace(pull),
            ],
        ]
    )
    value = 0.5 * float(targets @ alpha) + float(np.log(np.diag(factor)).sum())
    return value, gradient


@dataclass(frozen=True)
class Posterior:
    """The process given rows and targets; predicts mean and standard deviation."""

    split: Split
    theta: Vector
    parts: Parts
    told: Side
    factor: Matrix
    alpha: Vector
    targets: Vector
    noise: Vector  # (n,) variance of each target around the function

    @property
    def means(self) -> Vector:
        """(n,) of the function at the rows it was given: what the noise takes off the targets."""
        return np.asarray(self.targets - (self.noise + _JITTER) * self.alpha)

    def predict(self, rows: Matrix) -> tuple[Vector, Vector]:
        """(m, d) rows -> mean and standard deviation of the function there, without noise."""
        parts = self.split(rows)
        cross = kernel_between(self.theta, side(self.theta, self.split, parts), self.told)
        mean = cross @ self.alpha
        explained = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        variance = self_kernel(self.theta, parts) - (explained * explained).sum(0)
        return mean, np.sqrt(np.maximum(variance, 1e-12))

    def draw(self, chance: np.random.Generator) -> Callable[[Matrix], Vector]:
        """One function from the posterior, to be evaluated at any (m, d) rows.

        A draw from the prior by random features, corrected where it misses the data (Matheron's rule:
        Wilson et al. 2020, arXiv 2002.09309, eq. 9).
        """
        prior = _prior_draw(self.theta, self.split.site, self.parts, chance)
        missed = (
            self.targets - prior(self.parts) - np.sqrt(self.noise) * chance.standard_normal(len(self.noise))
        )
        weights = cho_solve((self.factor, True), missed, check_finite=False)

        def function(rows: Matrix) -> Vector:
            parts = self.split(rows)
            cross = kernel_between(self.theta, side(self.theta, self.split, parts), self.told)
            drawn: Vector = prior(parts) + cross @ weights
            return drawn

        return function


_FEATURES = 256  # random features per stationary term


def _prior_draw(
    theta: Vector, site: NDArray[np.int64], parts: Parts, chance: np.random.Generator
) -> Callable[[Parts], Vector]:
    """One function from the prior, as a function of split rows."""
    a, b, c, e, scale, _ = np.exp(theta[-6:])
    local, linear, bags = parts
    near = _matern_draw(np.exp(0.5 * theta[site]), local.shape[1], chance)
    alike = _matern_draw(np.full(bags.shape[1], 1.0 / np.sqrt(scale)), bags.shape[1], chance)
    slope, bag_slope = chance.standard_normal(linear.shape[1]), chance.standard_normal(bags.shape[1])

    def function(at: Parts) -> Vector:
        smooth = np.sqrt(a) * near(at[0]) + np.sqrt(c) * alike(at[2])
        value: Vector = smooth + np.sqrt(b) * (at[1] @ slope) + np.sqrt(e) * (at[2] @ bag_slope)
        return value

    return function


def _matern_draw(weight: Vector, n_columns: int, chance: np.random.Generator) -> Callable[[Matrix], Vector]:
    """One function of the Matern 5/2 process of unit variance, by random Fourier features: its spectral
    density is a Student t with 5 degrees of freedom (Rahimi & Recht 2007; Rasmussen & Williams, 4.2.1)."""
    stretch = np.sqrt(5.0 / chance.chisquare(5.0, _FEATURES))
    frequencies = weight[:, None] * chance.standard_normal((n_columns, _FEATURES)) * stretch
    phases = chance.uniform(0.0, 2.0 * np.pi, _FEATURES)
    loads = chance.standard_normal(_FEATURES) * np.sqrt(2.0 / _FEATURES)
    return lambda rows: np.cos(rows @ frequencies + phases) @ loads


def condition(
    split: Split, theta: Vector, rows: Matrix, targets: Vector, extra: Vector | float = 0.0
) -> Posterior:
    """The posterior given (n, d) rows and (n,) targets; `extra` is variance beyond the common noise."""
    parts = split(rows)
    told = side(theta, split, parts)
    kernel = kernel_within(theta, told)
    noise = np.full(len(rows), np.exp(theta[-1])) + extra
    kernel[np.diag_indices(len(rows))] += noise + _JITTER
    factor = cholesky(kernel, lower=True, check_finite=False)
    alpha = cho_solve((factor, True), targets, check_finite=False)
    return Posterior(split, theta, parts, told, factor, alpha, targets, noise)

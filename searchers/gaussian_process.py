"""A Gaussian process over encoded points, with one relevance per site of the space.

    k(x, y) = a matern(sum_s w_s |x_s - y_s|^2) + b <x, y> + c matern(|z_x - z_y|^2 / l) + e <z_x, z_y>

with matern(r^2) the Matern 5/2 function. x are the local columns of `encode.Encoder` grouped by site s, z
its standardised bag columns. The first term knows interactions between decisions, the second their plain
sum, the others structure wherever it stands. Noise is added on the diagonal. The hyperparameters
maximise their posterior density (gradient: Rasmussen & Williams 2006, eq. 5.9) under broad log-normal
priors, which keep small histories sane.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from searchers.encode import BAG

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

_ROOT5 = np.sqrt(5.0)
_FAR = 50.0  # beyond it the kernel is zero; denormal numbers would only cost time
_MAX_STEPS = 30


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


class Split:
    """The columns of one encoder matrix, as the terms of the kernel want them."""

    def __init__(self, rows: Matrix, sites: NDArray[np.int64]) -> None:
        self._local = sites >= 0
        self._linear = sites != BAG
        self._sites = sites
        self.site: NDArray[np.int64] = sites[self._local]
        self._centre = rows[:, self._linear].mean(0)
        self._linear_scale = 1.0 / np.sqrt(max(1e-12, rows[:, self._linear].var(0).sum()))
        bags = rows[:, sites == BAG]
        self._bags = np.flatnonzero(sites == BAG)[bags.std(0) > 0]
        kept = rows[:, self._bags]
        self._bag_centre, self._bag_scale = kept.mean(0), 1.0 / (kept.std(0) * np.sqrt(max(1, kept.shape[1])))

    def __call__(self, rows: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        """(n, d) -> local (n, p), centred linear (n, q), standardised bags (n, r)."""
        linear = (rows[:, self._linear] - self._centre) * self._linear_scale
        return rows[:, self._local], linear, (rows[:, self._bags] - self._bag_centre) * self._bag_scale


def _squared_distances(a: Matrix, b: Matrix) -> Matrix:
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2.0 * (a @ b.T)
    clipped: Matrix = np.maximum(squares, 0.0)
    return clipped


def _matern(squared: Matrix) -> Matrix:
    """Matern 5/2 of squared distances."""
    r = np.minimum(_ROOT5 * np.sqrt(squared), _FAR)
    value: Matrix = (1.0 + r + r * r / 3.0) * np.exp(-r)
    return value


def _matern_slope(squared: Matrix) -> Matrix:
    """Its derivative by the squared distance."""
    r = np.minimum(_ROOT5 * np.sqrt(squared), _FAR)
    slope: Matrix = (-5.0 / 6.0) * (1.0 + r) * np.exp(-r)
    return slope


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
    grams = (linear @ linear.T, _squared_distances(bags, bags), bags @ bags.T)
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
    grams: tuple[Matrix, Matrix, Matrix],
    targets: Vector,
) -> tuple[float, Vector]:
    """Negative log marginal likelihood (without its constant) and its gradient."""
    n = len(targets)
    linear_gram, bag_squared, bag_gram = grams
    a, b, c, e, scale, noise = np.exp(theta[-6:])
    weighted = local * np.exp(0.5 * theta[site])
    apart = _squared_distances(weighted, weighted)
    near, near_slope = _matern(apart), _matern_slope(apart)
    alike, alike_slope = _matern(bag_squared / scale), _matern_slope(bag_squared / scale)
    kernel = a * near + b * linear_gram + c * alike + e * bag_gram
    kernel[np.diag_indices(n)] += noise + 1e-8
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
    parts: tuple[Matrix, Matrix, Matrix]
    told: Side
    factor: Matrix
    alpha: Vector
    targets: Vector
    noise: Vector  # (n,) variance of each target around the function

    def predict(self, rows: Matrix) -> tuple[Vector, Vector]:
        """(m, d) rows -> mean and standard deviation of the function there, without noise."""
        parts = self.split(rows)
        cross = kernel_between(self.theta, side(self.theta, self.split.site, parts), self.told)
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
            cross = kernel_between(self.theta, side(self.theta, self.split.site, parts), self.told)
            drawn: Vector = prior(parts) + cross @ weights
            return drawn

        return function


_FEATURES = 256  # random features per stationary term


def _prior_draw(
    theta: Vector, site: NDArray[np.int64], parts: tuple[Matrix, Matrix, Matrix], chance: np.random.Generator
) -> Callable[[tuple[Matrix, Matrix, Matrix]], Vector]:
    """One function from the prior, as a function of split rows."""
    a, b, c, e, scale, _ = np.exp(theta[-6:])
    local, linear, bags = parts
    near = _matern_draw(np.exp(0.5 * theta[site]), local.shape[1], chance)
    alike = _matern_draw(np.full(bags.shape[1], 1.0 / np.sqrt(scale)), bags.shape[1], chance)
    slope, bag_slope = chance.standard_normal(linear.shape[1]), chance.standard_normal(bags.shape[1])

    def function(at: tuple[Matrix, Matrix, Matrix]) -> Vector:
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


@dataclass(frozen=True)
class Side:
    """Split rows made ready for the kernel: what depends on one side alone, worked out once."""

    weighted: Matrix  # local columns times the root of their relevance
    weighted_squares: Vector
    linear: Matrix
    bags: Matrix
    bag_squares: Vector


def side(theta: Vector, site: NDArray[np.int64], parts: tuple[Matrix, Matrix, Matrix]) -> Side:
    """One side of the kernel."""
    local, linear, bags = parts
    weighted = local * np.exp(0.5 * theta[site])
    return Side(weighted, (weighted * weighted).sum(1), linear, bags, (bags * bags).sum(1))


def kernel_between(theta: Vector, x: Side, y: Side) -> Matrix:
    """k(x, y) for all pairs, without noise."""
    a, b, c, e, scale, _ = np.exp(theta[-6:])
    apart = x.weighted_squares[:, None] + y.weighted_squares - 2.0 * (x.weighted @ y.weighted.T)
    near = _matern(np.maximum(apart, 0.0))
    common = x.bags @ y.bags.T
    unlike = x.bag_squares[:, None] + y.bag_squares - 2.0 * common
    alike = _matern(np.maximum(unlike, 0.0) / scale)
    kernel: Matrix = a * near + b * (x.linear @ y.linear.T) + c * alike + e * common
    return kernel


def self_kernel(theta: Vector, parts: tuple[Matrix, Matrix, Matrix]) -> Vector:
    """k(x, x), without noise."""
    a, b, c, e, _, _ = np.exp(theta[-6:])
    diagonal: Vector = a + b * (parts[1] ** 2).sum(1) + c + e * (parts[2] ** 2).sum(1)
    return diagonal


def condition(
    split: Split, theta: Vector, rows: Matrix, targets: Vector, extra: Vector | float = 0.0
) -> Posterior:
    """The posterior given (n, d) rows and (n,) targets; `extra` is variance beyond the common noise."""
    parts = split(rows)
    told = side(theta, split.site, parts)
    kernel = kernel_between(theta, told, told)
    noise = np.full(len(rows), np.exp(theta[-1])) + extra
    kernel[np.diag_indices(len(rows))] += noise + 1e-8
    factor = cholesky(kernel, lower=True, check_finite=False)
    alpha = cho_solve((factor, True), targets, check_finite=False)
    return Posterior(split, theta, parts, told, factor, alpha, targets, noise)

"""The kernel of the Gaussian process: how alike two encoded points are.

    k(x, y) = a matern(sum_s w_s |x_s - y_s|^2) + b <x, y> + c matern(|z_x - z_y|^2 / l) + e <z_x, z_y>

with matern(r^2) the Matern 5/2 function. x are the local columns of `encode.Encoder` grouped by site s, z
its standardised bag columns. The first term knows interactions between decisions, the second their plain
sum, the others structure wherever it stands. `theta` are the logarithms of w, by site, and of a, b, c, e, l
and the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from searchers.encode import BAG

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Parts = tuple[Matrix, Matrix, Matrix]

_ROOT5 = np.sqrt(5.0)
_FAR = 50.0  # beyond it the kernel is zero; denormal numbers would only cost time
_BLOCK = 20_000  # pairs worked on at a time: what they need stays in the cache, three times as fast


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


def squared_distances(a: Matrix, b: Matrix) -> Matrix:
    """(n, d), (m, d) -> (n, m)."""
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2.0 * (a @ b.T)
    clipped: Matrix = np.maximum(squares, 0.0, out=squares)
    return clipped


def _times_root5(squared: Matrix) -> Matrix:
    """The distance, times the root of 5; takes the place of its square."""
    r = np.sqrt(squared, out=squared)
    r *= _ROOT5
    capped: Matrix = np.minimum(r, _FAR, out=r)
    return capped


def _decay(r: Matrix) -> Matrix:
    return np.exp(np.negative(r, out=r), out=r)


def matern(squared: Matrix) -> Matrix:
    """Matern 5/2 of squared distances, which are overwritten."""
    r = _times_root5(squared)
    value = r * r
    value /= 3.0
    value += r
    value += 1.0
    value *= _decay(r)
    return value


def matern_slope(squared: Matrix) -> Matrix:
    """Its derivative by the squared distance; the distances are overwritten."""
    r = _times_root5(squared)
    slope = r + 1.0
    slope *= -5.0 / 6.0
    slope *= _decay(r)
    return slope


@dataclass(frozen=True)
class Side:
    """Split rows made ready for the kernel: what depends on one side alone, worked out once."""

    weighted: Matrix  # local columns times the root of their relevance
    weighted_squares: Vector
    linear: Matrix
    bags: Matrix
    bag_squares: Vector


def side(theta: Vector, site: NDArray[np.int64], parts: Parts) -> Side:
    """One side of the kernel."""
    local, linear, bags = parts
    weighted = local * np.exp(0.5 * theta[site])
    return Side(weighted, (weighted * weighted).sum(1), linear, bags, (bags * bags).sum(1))


def kernel_between(theta: Vector, x: Side, y: Side) -> Matrix:
    """k(x, y) for all pairs, without noise."""
    n, m = len(x.weighted), len(y.weighted)
    kernel = np.empty((n, m))
    block = max(1, _BLOCK // max(1, m))
    for start in range(0, n, block):
        _fill(theta, x, y, slice(start, start + block), kernel)
    return kernel


def _fill(theta: Vector, x: Side, y: Side, some: slice, kernel: Matrix) -> None:
    """Some rows of k(x, y)."""
    a, b, c, e, scale, _ = np.exp(theta[-6:])
    value = x.linear[some] @ y.linear.T
    value *= b
    near = matern(_apart(x.weighted_squares[some], y.weighted_squares, x.weighted[some] @ y.weighted.T))
    near *= a
    value += near
    common = x.bags[some] @ y.bags.T
    unlike = _apart(x.bag_squares[some], y.bag_squares, common)
    unlike /= scale
    alike = matern(unlike)
    alike *= c
    value += alike
    common *= e
    kernel[some] = np.add(value, common, out=value)


def _apart(x_squares: Vector, y_squares: Vector, products: Matrix) -> Matrix:
    """Squared distances from squared lengths and inner products."""
    squared = products * -2.0
    squared += x_squares[:, None]
    squared += y_squares
    return np.maximum(squared, 0.0, out=squared)


def self_kernel(theta: Vector, parts: Parts) -> Vector:
    """k(x, x), without noise."""
    a, b, c, e, _, _ = np.exp(theta[-6:])
    diagonal: Vector = a + b * (parts[1] ** 2).sum(1) + c + e * (parts[2] ** 2).sum(1)
    return diagonal

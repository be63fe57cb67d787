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
    """The columns of one encoder matrix, as the terms of the kernel want them.

    Columns that are the same in all of its rows are left out where they play no part: in the linear term,
    in the bags, and (`told`, of the local ones) in products with these rows.
    """

    def __init__(self, rows: Matrix, sites: NDArray[np.int64]) -> None:
        mean, variance = rows.mean(0), rows.var(0)
        varies = np.ptp(rows, 0) > 0 if len(rows) else np.zeros(len(sites), dtype=bool)
        self._local = np.flatnonzero(sites >= 0)
        self.site: NDArray[np.int64] = sites[self._local]
        self.told = np.flatnonzero(rows[:, self._local].any(0))
        self._linear = np.flatnonzero((sites != BAG) & varies)
        self._centre = mean[self._linear]
        self._linear_scale = 1.0 / np.sqrt(max(1e-12, variance[self._linear].sum()))
        self._bags = np.flatnonzero((sites == BAG) & varies)
        self._bag_centre = mean[self._bags]
        self._bag_scale = 1.0 / np.sqrt(variance[self._bags] * max(1, len(self._bags)))

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

    weighted: Matrix  # the told local columns times the root of their relevance
    weighted_squares: Vector
    linear: Matrix
    bags: Matrix
    bag_squares: Vector

    def rows(self, start: int, end: int) -> Side:
        """A part of it."""
        some = slice(start, end)
        return Side(
            self.weighted[some],
            self.weighted_squares[some],
            self.linear[some],
            self.bags[some],
            self.bag_squares[some],
        )


def side(theta: Vector, split: Split, parts: Parts) -> Side:
    """One side of the kernel."""
    local, linear, bags = parts
    relevance = np.exp(theta[split.site])
    weighted = local[:, split.told] * np.sqrt(relevance[split.told])
    return Side(weighted, (local * local) @ relevance, linear, bags, np.einsum("nr,nr->n", bags, bags))


def kernel_between(theta: Vector, x: Side, y: Side) -> Matrix:
    """k(x, y) for all pairs, without noise."""
    n, m = len(x.weighted), len(y.weighted)
    kernel = np.empty((n, m))
    block = max(1, _BLOCK // max(1, m))
    for start in range(0, n, block):
        kernel[start : start + block] = _block(theta, x.rows(start, start + block), y)
    return kernel


def kernel_within(theta: Vector, x: Side) -> Matrix:
    """k(x, x) for all pairs, without noise; what lies above the blocks of the diagonal is left zero, as a
    Cholesky factor does not read it."""
    n = len(x.weighted)
    kernel = np.zeros((n, n))
    block = max(16, _BLOCK // max(1, n))
    for start in range(0, n, block):
        end = min(n, start + block)
        kernel[start:end, :end] = _block(theta, x.rows(start, end), x.rows(0, end))
    return kernel


def _block(theta: Vector, x: Side, y: Side) -> Matrix:
    a, b, c, e, scale, _ = np.exp(theta[-6:])
    value = x.linear @ y.linear.T
    value *= b
    near = matern(_apart(x.weighted_squares, y.weighted_squares, x.weighted @ y.weighted.T))
    near *= a
    value += near
    common = x.bags @ y.bags.T
    unlike = _apart(x.bag_squares, y.bag_squares, common)
    unlike /= scale
    alike = matern(unlike)
    alike *= c
    value += alike
    common *= e
    value += common
    return value


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

"""Several objectives at once: dominance, crowding, hypervolume. Vectors are to be maximised throughout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def fronts(vectors: Sequence[Sequence[float]]) -> list[int]:
    """The front of each vector: 0 where nothing dominates it, 1 where only those do, and so on.

    Non-dominated sorting: Deb et al. 2002 (NSGA-II), section III A.
    """
    values = np.asarray(vectors, dtype=float)
    difference = values[:, None, :] - values[None, :, :]
    dominates = np.asarray((difference >= 0).all(axis=2) & (difference > 0).any(axis=2))
    dominators = dominates.sum(axis=0)
    rank = np.full(len(values), -1)
    front = 0
    while (rank < 0).any():
        members = np.flatnonzero((rank < 0) & (dominators == 0))
        rank[members] = front
        dominators = dominators - dominates[members].sum(axis=0)
        front += 1
    return [int(r) for r in rank]


def crowding(vectors: Sequence[Sequence[float]], ranks: Sequence[int]) -> list[float]:
    """How far apart the neighbours of each vector on its own front are, summed over the objectives
    as shares of the front's range; infinite at the ends (Deb et al. 2002, section III B)."""
    values = np.asarray(vectors, dtype=float)
    distance = np.zeros(len(values))
    for front in set(ranks):
        members = np.flatnonzero(np.asarray(ranks) == front)
        for objective in range(values.shape[1]):
            order = members[np.argsort(values[members, objective], kind="stable")]
            column = values[order, objective]
            distance[[order[0], order[-1]]] = np.inf
            span = column[-1] - column[0]
            if span > 0 and len(order) > 2:
                distance[order[1:-1]] += (column[2:] - column[:-2]) / span
    return [float(d) for d in distance]


def hypervolume(vectors: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """The volume that the vectors dominate above `reference`; exact, by slicing the last objective.

    Zitzler & Thiele 1999; cost n^(d-1) log n, meant for the front of a run. Vectors that are not above
    the reference in every objective add nothing.
    """
    above = [tuple(v) for v in vectors if all(x > r for x, r in zip(v, reference, strict=True))]
    return _volume(sorted(set(above)), tuple(reference))


def _volume(vectors: list[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    if not vectors:
        return 0.0
    if len(reference) == 1:
        return max(v[0] for v in vectors) - reference[0]
    by_last = sorted(vectors, key=lambda v: -v[-1])
    levels = [*(v[-1] for v in by_last), reference[-1]]
    total = 0.0
    for i in range(len(by_last)):
        depth = levels[i] - levels[i + 1]
        if depth > 0:
            total += depth * _volume([v[:-1] for v in by_last[: i + 1]], reference[:-1])
    return total

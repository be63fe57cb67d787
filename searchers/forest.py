"""A random forest in place of the Gaussian process (Hutter et al. 2011, SMAC): the spread over trees is
the uncertainty, one tree is a draw. Needs scikit-learn, which is loaded when the first model is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchers.history import History
from searchers.surrogate import Posterior, Surrogate

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

TREES = 30


@dataclass(frozen=True)
class Trees:
    """A fitted forest as a posterior."""

    trees: tuple[Any, ...]
    rows: Matrix

    @property
    def means(self) -> Vector:
        """(n,) at the rows it was given."""
        return self.predict(self.rows)[0]

    def predict(self, rows: Matrix) -> tuple[Vector, Vector]:
        """Mean and standard deviation over the trees."""
        votes = np.array([tree.predict(rows) for tree in self.trees])
        return votes.mean(axis=0), np.sqrt(votes.var(axis=0) + 1e-6)

    def draw(self, chance: np.random.Generator) -> Callable[[Matrix], Vector]:
        """One tree."""
        tree = self.trees[int(chance.integers(len(self.trees)))]
        return lambda rows: np.asarray(tree.predict(rows))


class Forest(Surrogate):
    """The surrogate with trees; encoding, targets and partial evaluations as in `Surrogate`."""

    def _posterior(self, history: History, rows: Matrix, targets: Vector, extra: Vector) -> Posterior:
        from sklearn.ensemble import RandomForestRegressor

        # A third of the columns per split, as for regression in Breiman 2001; what is doubtful weighs less.
        forest = RandomForestRegressor(TREES, max_features=1 / 3, random_state=0, n_jobs=1)
        forest.fit(rows, targets, sample_weight=1.0 / (1.0 + 4.0 * extra))
        return Trees(tuple(forest.estimators_), rows)

"""Tables scaled by ranks: `prepare = quantile` maps each column to what is normally distributed.

A column becomes the normal quantile of its rank among the training rows, between knots on a straight line
(the quantile transform, as in scikit-learn's QuantileTransformer). Outliers then end at the last knot, and a skewed
column spreads evenly. Zeros and ones that stand for texts stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray

from nasdsl.training.dataset import Dataset, texts_of
from nasdsl.training.errors import DataError

N_KNOTS = 101  # the ends are the quantiles 0.005 and 0.995 of a normal distribution, at 2.58 deviations


@dataclass(frozen=True, eq=False)
class Knots:
    """Of each column: places that rise, and their values, both (columns, knots) in float32."""

    places: NDArray[np.float32]
    values: NDArray[np.float32]


@dataclass(frozen=True)
class Bent:
    """Each column along its own line of knots, flat beyond the ends: (n, columns) to the same."""

    places: torch.Tensor
    values: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        columns = x.T.contiguous()
        right = torch.searchsorted(self.places, columns, right=True).clamp(1, self.places.shape[1] - 1)
        ends = [side.gather(1, place) for side in (self.places, self.values) for place in (right - 1, right)]
        low, high, below, above = ends
        width = high - low
        share = torch.where(width > 0, (columns - low) / width.clamp_min(1e-30), 0.0).clamp(0, 1)
        return torch.lerp(below, above, share).T.contiguous()


def knots(train: NDArray[np.float32], texts: NDArray[np.bool_]) -> Knots:
    """Fitted to the rows that train, (n, columns). `texts`: columns that stay as they are."""
    shares = np.linspace(0, 1, N_KNOTS)
    places = np.ascontiguousarray(np.quantile(train, shares, axis=0).T, np.float32)
    normal = NormalDist()
    heights = np.array([normal.inv_cdf((k + 0.5) / N_KNOTS) for k in range(N_KNOTS)])
    values = np.stack([_level(column, heights) for column in places]).astype(np.float32)
    places[texts] = values[texts] = shares
    return Knots(places, values)


def _level(places: NDArray[np.float32], heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """One height for equal places: their mean. A constant column so becomes zero."""
    _, group = np.unique(places, return_inverse=True)
    means: NDArray[np.float64] = (np.bincount(group, heights) / np.bincount(group))[group]
    return means.round(6)  # what is zero is zero


def knots_of(data: Dataset, fold: int) -> dict[str, Knots]:
    """Of every input. Raises DataError for inputs that are no rows of a table."""
    rows = data.folds[fold].train
    found = {}
    for name, x in data.inputs.items():
        if data.shapes[name].layout != "vector":
            message = f"`prepare = quantile` is for tables, and `{name}` is {data.shapes[name]}"
            raise DataError(message, help="leave it out: maps are standardized channel by channel")
        found[name] = knots(np.asarray(x[rows]), texts_of(data.columns, x.shape[1]))
    return found

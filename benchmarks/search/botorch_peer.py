"""BoTorch's mixed Gaussian process behind ask and tell (Balandat et al. 2020), for spaces that can be listed.

`MixedSingleTaskGP` with its defaults, refitted at every step, and the logarithm of expected improvement over every
point that was not tried: no acquisition optimiser can do better. Ten random points first.
"""

from __future__ import annotations

import random
import warnings

import numpy as np

from benchmarks.search.coded_space import CodedSpace
from nasdsl.language.decisions import to_unit
from nasdsl.language.moves import is_ordered, trace
from nasdsl.language.point import Point
from searchers.protocol import Outcome

INITIAL = 10
CHUNK = 4_096


class BoTorchMixed:
    """Sequential; every decision must be open in every point."""

    def __init__(self, space: CodedSpace, seed: int) -> None:
        import torch

        self._seed, self._space = seed, space
        self._points = list(space.enumerate())
        self._at = {point: i for i, point in enumerate(self._points)}
        opened = trace(space, self._points[0])
        self._categories = [i for i, d in enumerate(opened) if not is_ordered(d.domain)]

        def place(i: int, answer: object) -> float:
            domain = opened[i].domain
            return domain.values.index(answer) if i in self._categories else to_unit(domain, answer)

        rows = [[place(i, point[d.path]) for i, d in enumerate(opened)] for point in self._points]
        self._x = torch.tensor(rows, dtype=torch.double)
        self._told: dict[int, float] = {}

    def ask(self, trial: int) -> Point | None:
        rng = random.Random(f"{self._seed}/{trial}")
        if len(self._told) < INITIAL:
            return next(
                p for p in iter(lambda: rng.choice(self._points), None) if self._at[p] not in self._told
            )
        left = np.setdiff1d(np.arange(len(self._points)), list(self._told))
        return self._points[int(left[int(np.argmax(self._improvement(left)))])] if len(left) else None

    def _improvement(self, left: np.ndarray) -> np.ndarray:
        import torch
        from botorch.acquisition import LogExpectedImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import MixedSingleTaskGP, SingleTaskGP
        from botorch.models.transforms import Standardize
        from gpytorch.mlls import ExactMarginalLogLikelihood

        torch.manual_seed(self._seed)
        x = self._x[list(self._told)]
        y = torch.tensor(list(self._told.values()), dtype=torch.double)[:, None]
        options = {"outcome_transform": Standardize(1)}
        model = (
            MixedSingleTaskGP(x, y, cat_dims=self._categories, **options)
            if self._categories
            else SingleTaskGP(x, y, **options)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of fits that stop early
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
            improvement = LogExpectedImprovement(model, best_f=y.max())
            with torch.no_grad():
                chunks = [
                    improvement(self._x[part][:, None, :])
                    for part in np.array_split(left, len(left) // CHUNK + 1)
                ]
        return torch.cat(chunks).numpy()

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        if outcome.score is not None:
            self._told[self._at[point]] = outcome.score

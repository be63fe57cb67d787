"""Peers to beat, behind the same ask and tell. Each library is imported only by the peer that needs it.

`PlainGP`: a textbook Gaussian process. `OptunaTPE`: the sampler of Optuna, multivariate and grouped. SMAC3 and
BoTorch have files of their own. `regularized_evolution` is that of Real et al. 2019 to the letter.
What DeepArchitect used in 2017 are searchers of their own: `ridge_2017`, `uct`, `uct_bisection`.
"""

from __future__ import annotations

import itertools
import random

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from benchmarks.search.botorch_peer import BoTorchMixed
from benchmarks.search.coded_space import CodedSpace
from benchmarks.search.smac_peer import Smac
from nasdsl.language.decisions import Answer, Decision, Integers, Options, Reals, to_unit
from nasdsl.language.moves import is_ordered, neighbours, trace
from nasdsl.language.point import Point
from searchers.evolution import Evolution
from searchers.protocol import Outcome


class PlainGP:
    """Expected improvement on one RBF kernel over one-hot and scaled inputs, ranks as targets,
    neighbours of the best points as candidates. Ten random points first."""

    def __init__(self, space: CodedSpace, seed: int) -> None:
        self._space, self._seed = space, seed
        self._told: dict[Point, float] = {}
        self._columns: dict[tuple[str, Answer | None], int] = {}

    def _vector(self, point: Point) -> dict[int, float]:
        row = {}
        for decision in trace(self._space, point):
            answer = point[decision.path]
            ordered = is_ordered(decision.domain)
            key = (decision.path, None if ordered else answer)
            row[self._columns.setdefault(key, len(self._columns))] = (
                to_unit(decision.domain, answer) if ordered else 0.5**0.5
            )
        return row

    def _matrix(self, points: list[Point]) -> np.ndarray:
        rows = [self._vector(point) for point in points]
        matrix = np.zeros((len(rows), len(self._columns)))
        for i, row in enumerate(rows):
            matrix[i, list(row)] = list(row.values())
        return matrix

    def ask(self, trial: int) -> Point | None:
        rng = random.Random(f"{self._seed}/{trial}")
        fresh = [self._space.sample(rng.getrandbits(60)) for _ in range(100)]
        if len(self._told) < 10:
            return next((p for p in fresh if p not in self._told), None)
        best = sorted(self._told, key=lambda p: -self._told[p])[:10]
        near = itertools.chain.from_iterable(neighbours(self._space, p) for p in best)
        candidates = [p for p in dict.fromkeys([*near, *fresh]) if p not in self._told]
        return candidates[int(np.argmax(self._improvement(candidates)))] if candidates else None

    def _improvement(self, candidates: list[Point]) -> np.ndarray:
        y = ndtri((rankdata(list(self._told.values())) - 0.5) / len(self._told))
        x, z = np.split(self._matrix([*self._told, *candidates]), [len(y)])

        def squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T, 0)

        fits = []
        for scale in (0.5, 1.0, 2.0, 4.0, 8.0):
            kernel = np.exp(-squared(x, x) / scale) + 1e-3 * np.eye(len(y))
            factor = cho_factor(kernel, lower=True)
            alpha = cho_solve(factor, y)
            amplitude = y @ alpha / len(y)
            fits.append(
                (
                    np.log(np.diag(factor[0])).sum() + 0.5 * len(y) * np.log(amplitude),
                    scale,
                    factor,
                    alpha,
                    amplitude,
                )
            )
        _, scale, factor, alpha, amplitude = min(fits, key=lambda fit: fit[0])
        cross = np.exp(-squared(z, x) / scale)
        deviation = np.sqrt(
            np.maximum(amplitude * (1 - np.einsum("ij,ji->i", cross, cho_solve(factor, cross.T))), 1e-12)
        )
        u = (cross @ alpha - y.max()) / deviation
        return deviation * (u * ndtr(u) + np.exp(-0.5 * u * u) / np.sqrt(2 * np.pi))

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        if outcome.score is not None:
            self._told[point] = outcome.score


class OptunaTPE:
    """Define-by-run: every decision becomes a suggestion of the same name."""

    def __init__(self, space: CodedSpace, seed: int) -> None:
        import warnings

        import optuna

        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)
        self._space = space
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._trials: dict[int, optuna.Trial] = {}

    def ask(self, trial: int) -> Point:
        suggested = self._trials[trial] = self._study.ask()

        def choose(decision: Decision) -> Answer:
            match decision.domain:
                case Options(values=values, ordered=ordered):
                    if ordered:
                        return values[suggested.suggest_int(decision.path, 0, len(values) - 1)]
                    return suggested.suggest_categorical(decision.path, list(values))
                case Integers(low=low, high=high, step=step, log=log):
                    return suggested.suggest_int(decision.path, low, high, step=1 if log else step, log=log)
                case Reals(low=low, high=high, log=log):
                    return suggested.suggest_float(decision.path, low, high, log=log)

        return self._space.decide(choose)

    def tell(self, trial: int, point: Point, outcome: Outcome) -> None:
        self._study.tell(self._trials[trial], outcome.score)


def regularized_evolution(space: CodedSpace, seed: int) -> Evolution:
    """Fifty members, tournaments of ten, one edit per child and one parent (Real et al. 2019, with the population of a
    budget of some hundred evaluations)."""
    return Evolution(space, seed, population=50, tournament=10, crossover=0.0)


PEERS = {
    "plain_gp": PlainGP,
    "regularized_evolution": regularized_evolution,
    "optuna_tpe": OptunaTPE,
    "smac": Smac,
    "botorch_mixed": BoTorchMixed,
}

"""The model-based searcher of Negrinho & Gordon 2017 (arXiv 1704.08792), kept for comparison.

Features count n-grams (1 to 4) of the names in a point; numbers are not seen. Ridge regression with
lambda = 1000 after every outcome; the best of 50 random points, or with chance 0.25 any of them.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nasdsl.language.point import Point
from searchers.duplicates import fresh, random_point
from searchers.random_search import RandomSearch

Gram = tuple[str, ...]

LAMBDA = 1000.0
CANDIDATES = 50
RANDOM_SHARE = 0.25
LONGEST = 4
FEWEST = 3  # occurrences that a gram needs over all told points


@functools.lru_cache(10_000)
def grams_of(point: Point) -> Counter[Gram]:
    """How often each n-gram of names occurs."""
    names = [answer for answer in point.values() if isinstance(answer, str)]
    spans = ((i, n) for n in range(1, LONGEST + 1) for i in range(len(names) - n + 1))
    return Counter(tuple(names[i : i + n]) for i, n in spans)


class Ridge2017(RandomSearch):
    """n-gram ridge regression over random candidates; asked and told like random search."""

    def _proposal(self, rng: random.Random) -> Point | None:
        told = self._history.finished()
        if rng.random() < RANDOM_SHARE or not told:
            ranked: Iterator[Point] = iter(())
        else:
            candidates = [random_point(self._space, rng) for _ in range(CANDIDATES)]
            scores = self._predicted(candidates)
            ranked = iter([candidates[i] for i in np.argsort(-scores, kind="stable")])

        def propose() -> Point:
            return next(ranked, None) or random_point(self._space, rng)

        return fresh(self._space, self._history, self._duplicates, propose, rng)

    def _predicted(self, candidates: list[Point]) -> NDArray[np.float64]:
        told = self._history.finished()
        totals: Counter[Gram] = Counter()
        for result in told:
            totals.update(grams_of(result.point))
        kept = sorted(gram for gram, count in totals.items() if count >= FEWEST)

        def features(grams: Counter[Gram]) -> list[int]:
            return [sum(n for gram, n in grams.items() if len(gram) == 1), *(grams[gram] for gram in kept)]

        x = np.array([features(grams_of(result.point)) for result in told], dtype=float)
        y = np.array([result.score for result in told])
        centred = x - x.mean(0)
        weights = np.linalg.solve(
            centred.T @ centred + LAMBDA * np.eye(x.shape[1]), centred.T @ (y - y.mean())
        )
        scores: NDArray[np.float64] = (
            np.array([features(grams_of(c)) for c in candidates], dtype=float) @ weights
        )
        return scores

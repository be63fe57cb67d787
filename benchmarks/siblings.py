"""Do siblings pay? A replay: groups of points of one structure, told together, at the price of a fused training.

    python -m benchmarks.siblings [--seeds 20] [--searchers random,evolution,smbo]

On FCNet (protein) a structure, two activations and two widths at one batch size, has 108 settings of rate, schedule and dropouts.
A searcher proposes a point; its g - 1 siblings have the structure and other settings: drawn anew, or near, with one of
them changed. All g are measured (the
score of one seed out of four) and told. A training alone costs 1, one of a group of g costs 1 / gain(g). Printed is the cost
until the point with the best score so far has a mean within one seed deviation (the median over the best
1%) of the best of the table: median over seeds, and in how many of them it was reached. The gains are those of docs/performance.md for three kinds of networks.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import statistics
from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.search.problems import TABLES, table_problem
from nasdsl.language.point import Point
from searchers import SEARCHERS
from searchers.protocol import Outcome

_STRUCTURE = ("act1", "act2", "units1", "units2", "batch")
_GROUPS = (1, 2, 4, 8)
_GAINS = {
    "tiny MLP (digits)": {1: 1.0, 2: 2.0, 4: 3.0, 8: 4.0},
    "MLP (MNIST, batch 128)": {1: 1.0, 2: 1.2, 4: 1.4, 8: 1.7},
    "CNN (MNIST)": {1: 1.0, 2: 1.0, 4: 1.0, 8: 1.0},
}
_LONGEST = 480  # trainings in a run


@dataclass(frozen=True)
class Measured:
    """`scores` (points, seeds) by the index of a point, and what is to be reached."""

    scores: dict[tuple[int, ...], np.ndarray]
    decisions: dict[str, list[object]]
    target: float

    def of(self, point: Point) -> np.ndarray:
        return self.scores[tuple(values.index(point[name]) for name, values in self.decisions.items())]


@cache
def measured() -> Measured:
    with np.load(TABLES / "fcnet_protein.npz", allow_pickle=False) as file:
        decisions = json.loads(str(file["decisions"]))
        scores = -np.log10(file["metric_val_mse"].astype(float))
        points = [tuple(map(int, row)) for row in file["points"]]
    means = np.nanmean(scores, 1)
    top = np.argsort(means)[-len(means) // 100 :]
    target = float(means.max() - np.median(np.nanstd(scores[top], axis=1, ddof=1)))
    return Measured(dict(zip(points, scores, strict=True)), decisions, target)


def run(searcher: str, group: int, seed: int, near: bool) -> int | None:
    """Trainings until the target is reached, a whole group at a time; None where it never is."""
    table, space = measured(), table_problem("fcnet_protein").space
    rng, found = random.Random(f"siblings/{seed}"), SEARCHERS[searcher](space, seed)
    best = (-math.inf, -math.inf)
    for trial in range(0, _LONGEST, group):
        point = found.ask(trial)
        assert point is not None
        for index, member in enumerate([point, *siblings(point, group - 1, rng, near)]):
            seeds = table.of(member)
            seeds = seeds[~np.isnan(seeds)]
            score = float(rng.choice(list(seeds)))
            best = max(best, (score, float(seeds.mean())))
            found.tell(trial + index, member, Outcome(score))
        if best[1] >= table.target:
            return trial + group
    return None


def siblings(point: Point, n: int, rng: random.Random, near: bool) -> list[Point]:
    """Distinct points of the same structure."""
    decisions, found = measured().decisions, {point}
    free = [name for name in decisions if name not in _STRUCTURE]
    while len(found) <= n:
        changed = [rng.choice(free)] if near else free
        other = {
            name: rng.choice(decisions[name]) if name in changed else value for name, value in point.items()
        }
        found.add(Point(other))  # type: ignore[arg-type]
    return sorted(found - {point}, key=Point.key)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--searchers", default="random,evolution,smbo")
    options = parser.parse_args()
    print(
        f"-log10(MSE) of at least {measured().target:.4f}; at most {_LONGEST} trainings, {options.seeds} seeds"
    )
    for name, near in itertools.product(options.searchers.split(","), (False, True)):
        counts = {g: [run(name, g, seed, near) for seed in range(options.seeds)] for g in _GROUPS}
        reached = ", ".join(str(sum(n is not None for n in found)) for found in counts.values())
        middle = {
            g: statistics.median(math.inf if n is None else n for n in found) for g, found in counts.items()
        }
        told = "  ".join(f"{n:7.0f}" for n in middle.values())
        print(f"{name}, siblings {'near' if near else 'drawn'}, groups of {_GROUPS}; reached {reached}")
        print(f"    {'trainings':24}{told}")
        for kind, gains in _GAINS.items():
            print(f"    {kind:24}" + "  ".join(f"{middle[g] / gains[g]:7.0f}" for g in _GROUPS), flush=True)


if __name__ == "__main__":
    main()

"""Problems to search: tables of measured scores, and a synthetic conditional family with noise."""

from __future__ import annotations

import functools
import json
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.search.coded_space import Ask, CodedSpace, names, scale
from nasdsl.language.decisions import Integers, Reals
from nasdsl.language.point import Point

TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Problem:
    """A space with a score to maximise.

    `measure` is what the searcher is told (noise may depend on the trial), `true` what it is judged
    by. `best` is the largest true score, NaN where unknown: regret is then minus the true score.
    """

    name: str
    space: CodedSpace
    measure: Callable[[Point, random.Random], float]
    true: Callable[[Point], float]
    best: float


@dataclass(frozen=True)
class Table:
    """All points of a space with their scores, indexed like an array."""

    decisions: Mapping[str, list[str | int | float]]
    scores: np.ndarray  # one axis per decision

    def index(self, point: Point) -> tuple[int, ...]:
        """The place of a point in `scores`."""
        return tuple(values.index(point[name]) for name, values in self.decisions.items())


@functools.cache
def load_table(name: str) -> Table:
    """Read `tables/<name>.npz`. Raises FileNotFoundError for an unknown name."""
    with np.load(TABLES / f"{name}.npz", allow_pickle=False) as file:
        decisions = json.loads(str(file["decisions"]))
        scores = np.full([len(values) for values in decisions.values()], np.nan)
        scores[tuple(file["points"].T.astype(int))] = file["score"].astype(float)
    assert not np.isnan(scores).any(), "the table has holes"
    return Table(decisions, scores)


def table_problem(name: str, seed: int = 0) -> Problem:
    """A table as a problem without noise; the seed is not used."""
    table = load_table(name)
    domains = {
        path: (names if isinstance(values[0], str) else scale)(*values)
        for path, values in table.decisions.items()
    }

    def program(ask: Ask) -> None:
        for path, domain in domains.items():
            ask(path, domain)

    def score(point: Point) -> float:
        return float(table.scores[table.index(point)])

    return Problem(name, CodedSpace(program), lambda point, _: score(point), score, float(table.scores.max()))


def expected_random_regret(name: str, n: int) -> float:
    """Exact: the expected regret of the best of `n` distinct points drawn uniformly.

    The i-th smallest of N scores is the best of n with probability C(i-1, n-1) / C(N, n).
    """
    scores = np.sort(load_table(name).scores, axis=None)
    total = len(scores)
    log_choose = np.array([_log_choose(i, n - 1) - _log_choose(total, n) for i in range(total)])
    return float(scores[-1] - np.exp(log_choose) @ scores)


def _log_choose(n: int, k: int) -> float:
    return -math.inf if k > n else math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


# ---------------------------------------------------------------------------------------------
# the synthetic conditional family


CHILDREN: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "conv": {"kernel": (1, 3, 5, 7), "filters": (8, 16, 32, 64, 128), "stride": (1, 2)},
    "separable": {
        "kernel": (3, 5, 7),
        "filters": (8, 16, 32, 64, 128),
        "expand": (1, 2, 4, 6),
        "rate": (0, 0.1, 0.3),
    },
    "attention": {"heads": (1, 2, 4, 8), "width": (16, 32, 64, 128)},
    "pool": {"window": (2, 3)},
    "skip": {},
}
OPTIMIZERS = ("sgd", "adam", "adamw")
NOISE = 0.02


def synthetic_program(fewest: int, most: int) -> Callable[[Ask], None]:
    """Blocks with typed children, then training choices; depth first."""

    def program(ask: Ask) -> None:
        n_blocks = int(ask("net/repeat", Integers(fewest, most), kind="count"))
        for i in range(n_blocks):
            block = ask(f"net/repeat[{i}]/block", names(*CHILDREN))
            for child, values in CHILDREN[str(block)].items():
                ask(f"net/repeat[{i}]/block/{child}", scale(*values), kind="number")
        if ask("train/optimizer", names(*OPTIMIZERS)) == "sgd":
            ask("train/optimizer/momentum", Reals(0.0, 0.99), kind="number")
        ask("train/optimizer/lr", Reals(1e-5, 1.0, log=True), kind="number")
        ask("train/weight_decay", Reals(1e-6, 1e-1, log=True), kind="number")
        ask("train/batch", scale(16, 32, 64, 128, 256), kind="number")
        if ask("train/augment", names(False, True), kind="optional"):
            ask("train/augment/strength", Reals(0.0, 1.0), kind="number")

    return program


class SyntheticScore:
    """Additive block effects, block x relative position, adjacent pairs, quadratic numbers, a
    learning rate optimum per optimizer that shifts with the batch, depth x augmentation; through
    a logistic to (0, 1). All coefficients are drawn from the instance's seed.
    """

    def __init__(self, seed: int, fewest: int, most: int) -> None:
        rng = random.Random(f"synthetic/{seed}")
        self._block = {b: rng.gauss(0, 0.5) for b in CHILDREN}
        self._third = {(b, t): rng.gauss(0, 0.6) for b in CHILDREN for t in range(3)}
        self._pair = {(b, c): rng.gauss(0, 0.5) for b in CHILDREN for c in CHILDREN}
        self._goal = {(b, c): (rng.random(), rng.uniform(0.5, 2.5)) for b in CHILDREN for c in CHILDREN[b]}
        self._lr = {o: (rng.uniform(0.35, 0.75), rng.gauss(0, 0.2)) for o in OPTIMIZERS}
        self._depth = (rng.uniform(fewest + 1, most), rng.uniform(1.0, 2.0))
        self._others = [(rng.random(), rng.uniform(0.3, 1.0)) for _ in range(4)]
        self._augment = rng.uniform(0.2, 0.8)
        self._range = (fewest, most)

    def __call__(self, point: Point) -> float:
        return 1.0 / (1.0 + math.exp(-(self._network(point) + self._training(point))))

    def _network(self, point: Point) -> float:
        n = int(point["net/repeat"])
        blocks = [str(point[f"net/repeat[{i}]/block"]) for i in range(n)]
        value = 0.0
        for i, block in enumerate(blocks):
            value += self._block[block] + self._third[block, 3 * i // n]
            value += self._pair[blocks[i - 1], block] if i else 0.0
            for child, values in CHILDREN[block].items():
                goal, weight = self._goal[block, child]
                place = values.index(point[f"net/repeat[{i}]/block/{child}"]) / (len(values) - 1)
                value -= weight * (place - goal) ** 2
        best_depth, weight = self._depth
        fewest, most = self._range
        return value / math.sqrt(n) - weight * ((n - best_depth) / (most - fewest)) ** 2

    def _training(self, point: Point) -> float:
        optimizer = str(point["train/optimizer"])
        goal, bonus = self._lr[optimizer]
        batch = math.log2(point["train/batch"] / 16) / 4
        place = math.log10(point["train/optimizer/lr"] / 1e-5) / 5
        off = place - goal - 0.1 * (batch - 0.5)
        value = bonus - (12.0 if off > 0 else 5.0) * off**2
        numbers = [math.log10(point["train/weight_decay"] / 1e-6) / 5, batch]
        numbers += [point["train/optimizer/momentum"]] if optimizer == "sgd" else []
        value -= sum(w * (u - g) ** 2 for u, (g, w) in zip(numbers, self._others, strict=False))
        if point["train/augment"]:
            depth = (int(point["net/repeat"]) - self._range[0]) / (self._range[1] - self._range[0])
            value += 0.8 * (depth - self._augment) - (point["train/augment/strength"] - depth) ** 2
        return value


def synthetic_problem(seed: int, fewest: int = 2, most: int = 8) -> Problem:
    """One instance: the seed draws its coefficients. Measured with Gaussian noise."""
    true = SyntheticScore(seed, fewest, most)

    def measure(point: Point, rng: random.Random) -> float:
        return true(point) + rng.gauss(0, NOISE)

    return Problem("synthetic", CodedSpace(synthetic_program(fewest, most)), measure, true, math.nan)


PROBLEMS: Mapping[str, Callable[[int], Problem]] = {
    "macro": functools.partial(table_problem, "macro"),
    "nb201_cifar10": functools.partial(table_problem, "nb201_cifar10"),
    "fcnet_protein": functools.partial(table_problem, "fcnet_protein"),
    "synthetic": synthetic_problem,
    "synthetic_deep": functools.partial(synthetic_problem, fewest=5, most=18),
}

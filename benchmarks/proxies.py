"""Do proxies of untrained networks say which will be good, and more than their size does?

    python -m benchmarks.proxies [--space spaces/mnist1d.space] [--points 60] [--set train/epochs=5]

Trains points drawn at random, each with the same `train { }` (what `--set` fixes), measures every proxy on the
same networks as they were before training, and prints how far each order is that of the scores: Kendall's tau with its
standard error over 1,000 draws of the points with replacement, and the same of its difference to that of the better of params
and MACs on all points, the baseline that a proxy must beat. What a point cannot be measured by is left out of that row.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings

import numpy as np
from scipy.stats import kendalltau

import nasdsl
from nasdsl.cli.values import setting
from nasdsl.engine.ranking_untrained import COSTS, Measured, of_run, signed
from nasdsl.language.signatures.measures import PROXIES

_DRAWS = 1000


def tau(ours: np.ndarray, scores: np.ndarray) -> float:
    """Kendall's tau-b; 0 where one of the two has equal values alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns of constant input
        found = float(kendalltau(ours, scores).statistic)
    return 0.0 if np.isnan(found) else found


def told(rows: list[Measured]) -> list[tuple[str, int, float, float, float, float]]:
    """Per measure: its name, points, tau with its error, and how far above the better cost with that error."""
    costs = {name: tau(*_columns(rows, name)) for name in COSTS}
    base = max(costs, key=lambda name: costs[name])
    found = []
    for name in (*COSTS, *PROXIES):
        both = [row for row in rows if name in row.values]
        if len(both) < 3:
            continue
        ours, scores = _columns(both, name)
        theirs, _ = _columns(both, base)
        chance = np.random.default_rng(0)
        taus, gains = [], []
        for _ in range(_DRAWS):
            drawn = chance.integers(0, len(both), len(both))
            taus.append(tau(ours[drawn], scores[drawn]))
            gains.append(taus[-1] - tau(theirs[drawn], scores[drawn]))
        gain = tau(ours, scores) - tau(theirs, scores)
        found.append((name, len(both), tau(ours, scores), float(np.std(taus)), gain, float(np.std(gains))))
    return found


def _columns(rows: list[Measured], name: str) -> tuple[np.ndarray, np.ndarray]:
    return np.array([signed(row, name) for row in rows]), np.array([row.score for row in rows], dtype=float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", default="spaces/mnist1d.space")
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--set", action="append", type=setting, default=[], metavar="PATH=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = nasdsl.search(
            options.space,
            searcher="random",
            budget=options.points,
            workers=1,
            run=f"{folder}/run",
            set=dict(options.set),
        )
        rows = of_run(run)
    scores = np.array([row.score for row in rows if row.score is not None])
    low, middle, high = np.quantile(scores, (0.05, 0.5, 0.95))
    print(
        f"{options.space}: {len(rows)} points; {run.goals[0].measure} {low:.3f} … {middle:.3f} … {high:.3f}"
    )
    print("| measure | points | Kendall's tau | above the better cost |\n|---|---|---|---|")
    for name, n, value, error, gain, gain_error in told(rows):
        print(f"| {name} | {n} | {value:.2f} ± {error:.2f} | {gain:+.2f} ± {gain_error:.2f} |")


if __name__ == "__main__":
    main()

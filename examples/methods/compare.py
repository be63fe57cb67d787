"""Trains every alternative of one choice of a space over several seeds, and prints a table of what they reach.

    python examples/methods/compare.py examples/methods/noisy_labels.space --seeds 5

The choice is the one labelled `method`; its first alternative is the plain control. All other decisions take
their first answer. Scores are of the test part, which no training sees; seeds are paired with the control's.
"""

from __future__ import annotations

import argparse
import math
import statistics
from pathlib import Path

import nasdsl
from compiler.build import build
from nasdsl.training import Dataset, measure, open_data, train

LABEL = "method"


def points(space: nasdsl.Space) -> dict[str, nasdsl.Point]:
    """A point for each alternative of the choice, by its answer."""
    found: dict[str, nasdsl.Point] = {}
    answers: list[object] = []

    def chooser(wanted: object):
        def choose(decision):
            values = decision.domain.values if hasattr(decision.domain, "values") else None
            if decision.path.endswith(f"/{LABEL}"):
                answers[:] = values
                return wanted if wanted in values else values[0]
            return values[0] if values else decision.domain.low

        return choose

    space.decide(chooser(None))
    for answer in list(answers):
        found[str(answer)] = space.decide(chooser(answer))
    return found


def score(space: nasdsl.Space, point: nasdsl.Point, data: Dataset, seed: int) -> float:
    """What one training reaches on the test part."""
    plan, settings = nasdsl.plan(space, point), space.decided(point).settings
    module = build(plan, seed=seed)
    train(module, plan, settings, data, seed)
    return measure(module, settings, data, "test")[space.goals[0].measure]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("space", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    space = nasdsl.load(str(options.space))
    data = open_data(space.task, options.space.parent)
    print(f"{space.goals[0].measure} on {data.statement}; {options.seeds} seeds")
    print("| method | mean | standard error | more than the control | its standard error |")
    print("|---|---|---|---|---|")
    control: list[float] = []
    for name, point in points(space).items():
        scores = [score(space, point, data, seed) for seed in range(options.seeds)]
        control = control or scores
        gains = [a - b for a, b in zip(scores, control, strict=True)]
        row = [statistics.mean(scores), _error(scores), statistics.mean(gains), _error(gains)]
        print(f"| {name} | " + " | ".join(f"{value:.4f}" for value in row) + " |", flush=True)


def _error(values: list[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()

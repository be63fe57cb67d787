"""Trains every alternative of one choice of a space over several seeds, and prints a table of what they reach.

    python examples/methods/compare.py examples/methods/noisy_labels.space --seeds 5
    python examples/methods/compare.py examples/methods/sparsity.space --probe nonzero

The choice is the one labelled `method`; its first alternative is the plain control. Where two are, one of layers
and one of training, each takes its turn while the other is plain. All other decisions take their first answer. Scores are of the test part, which no training sees; seeds are paired with the control's.

A probe is one more column, of the trained network: `noise`, its score with inputs noised by one deviation;
`nonzero`, how many thousands of its weights are not zero, merged; `open`, the share of gated channels that are on;
`train`, its score on the labels that train, wrong ones among them.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import nn

import nasdsl
from compiler.build import build
from compiler.hooks import watching
from compiler.weights.attach import merged
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
                answers.extend(one for one in values if one not in answers)
                return wanted if wanted in values else values[0]
            return values[0] if values else decision.domain.low

        return choose

    space.decide(chooser(None))
    for answer in list(answers):
        found[str(answer)] = space.decide(chooser(answer))
    return found


Score = Callable[[str], float]
"""What the network reaches on a part of the data."""
Probe = Callable[[nn.Module, Score], float]


def train_part(module: nn.Module, score: Score) -> float:
    return score("train")


def noise(module: nn.Module, score: Score) -> float:
    chance = torch.Generator().manual_seed(0)

    def noised(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return tuple(x + torch.randn(x.shape, generator=chance) for x in inputs)

    hook = module.register_forward_pre_hook(noised)
    found = score("test")
    hook.remove()
    return found


def nonzero(module: nn.Module, score: Score) -> float:
    return sum(int(t.count_nonzero()) for t in merged(module).parameters()) / 1000


def open_channels(module: nn.Module, score: Score) -> float:
    """NaN where the network has no gates."""
    with watching(module) as seen:
        score("test")
    return seen.means().get("open_channels", math.nan)


PROBES: Mapping[str, Probe] = {"noise": noise, "nonzero": nonzero, "open": open_channels, "train": train_part}


def scores(
    space: nasdsl.Space, point: nasdsl.Point, data: Dataset, seed: int, probes: list[str]
) -> list[float]:
    """What one training reaches on the test part, and what the probes find."""
    plan, settings = nasdsl.plan(space, point), space.decided(point).settings
    module = build(plan, seed=seed)
    train(module, plan, settings, data, seed)

    def score(part: str) -> float:
        return measure(module, settings, data, part)[space.goals[0].measure]

    return [score("test"), *(PROBES[name](module, score) for name in probes)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("space", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--probe", action="append", choices=list(PROBES), default=[])
    options = parser.parse_args()
    space = nasdsl.load(str(options.space))
    data = open_data(space.task, options.space.parent)
    measured = space.goals[0].measure
    print(f"{measured} on {data.statement}; {options.seeds} seeds")
    columns = ["method", measured, "more than the control", "trained", *options.probe]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    control: list[float] = []
    for name, point in points(space).items():
        runs = [scores(space, point, data, seed, options.probe) for seed in range(options.seeds)]
        reached, *probed = map(list, zip(*runs, strict=True))
        gains = [a - b for a, b in zip(reached, control, strict=True)] if control else []
        control = control or reached
        trained = f"{nasdsl.plan(space, point).trainable_params:,}"
        cells = [_spread(reached), _spread(gains, "+"), trained, *map(_spread, probed)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def _spread(values: list[float], sign: str = "") -> str:
    """Mean and standard error."""
    if not values or math.isnan(values[0]):
        return ""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):{sign}.3f} ± {error:.3f}"


if __name__ == "__main__":
    main()

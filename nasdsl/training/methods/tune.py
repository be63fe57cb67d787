"""Which weights are trained: all, a half that is drawn anew each round (Hui et al. 2025, arXiv 2404.18466),
or the last layer alone. The others are frozen, which also keeps weight decay and momentum off them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from nasdsl.language.network import Spec
from nasdsl.training.errors import DataError
from nasdsl.training.layers import head, weighted
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers


@dataclass
class Half:
    """`rounds` draws in a training. The tensors of the first and last layer and embeddings always train."""

    free: list[nn.Parameter]
    rounds: int
    rng: np.random.Generator
    drawn: int = -1

    def __call__(self, course: Course) -> None:
        number = course.epoch * self.rounds // course.n_epochs
        if number == self.drawn:
            return
        self.drawn = number
        sizes = [p.numel() for p in self.free]
        wanted, chosen = sum(sizes) / 2, set[int]()
        for place in self.rng.permutation(len(self.free)):
            have = sum(sizes[i] for i in chosen)
            if abs(have + sizes[place] - wanted) <= abs(have - wanted):
                chosen.add(int(place))
        for place, parameter in enumerate(self.free):
            parameter.requires_grad_(place in chosen)
            if place not in chosen:
                parameter.grad = None


def make(spec: Spec, setup: Setup) -> Parts:
    """Raises DataError for a network without a layer to tune."""
    last = head(setup.module)
    if last is None:
        raise DataError("`tune` speaks of layers with weights, and the network has none")
    match spec.name:
        case "head":
            kept = {id(p) for p in last.parameters()}
            for parameter in setup.module.parameters():
                if id(parameter) not in kept:
                    parameter.requires_grad_(False)
            return Parts()
        case "half":
            ends = [weighted(setup.module)[0], last]
            ends += [one for one in setup.module.modules() if isinstance(one, nn.Embedding)]
            always = {id(p) for one in ends for p in one.parameters()}
            free = [p for p in setup.module.parameters() if p.requires_grad and id(p) not in always]
            return Parts(before_epoch=(Half(free, int(numbers(spec)["rounds"]), setup.chance("tune")),))
        case _:
            return Parts(fuses=True)

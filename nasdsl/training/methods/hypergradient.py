"""A rate that follows its own gradient: up where steps keep their direction, down where they turn.

Baydin et al. 2018, arXiv 1703.04782, algorithms 4 and 5, in the multiplicative form
lr <- lr (1 + beta cos(g_t, u_{t-1})), u the last update direction: the cosine takes the scale of the
gradients out, which the additive form needs a new beta for in every network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch

from nasdsl.language.network import Spec
from nasdsl.training.optimizers import set_rate
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers

_WIDEST = 10.0  # the rate stays within lr/10 and 10 lr, so that noise cannot run away with it


@dataclass
class Hypergradient:
    """kind "sgd": u is the last gradient. "adam": u is the last direction of Adam, from its moments."""

    kind: str
    beta: float
    height: float = 1.0
    last: list[torch.Tensor] = field(default_factory=list)

    def __call__(self, step: int) -> float:
        return self.height

    def turn(self, course: Course) -> None:
        """After backward: move the rate of this very step."""
        groups = course.optimizer.param_groups
        gradients = [p.grad for group in groups for p in group["params"] if p.grad is not None]
        directions = self._directions(course.optimizer) if self.kind == "adam" else self.last
        if len(directions) == len(gradients):
            cosine = _cosine(gradients, directions)
            self.height = min(_WIDEST, max(1 / _WIDEST, self.height * (1 + self.beta * cosine)))
            set_rate(course.optimizer, self.height)
        if self.kind == "sgd":
            self.last = [gradient.clone() for gradient in gradients]

    def _directions(self, optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
        """m / sqrt(v) of each weight that has them; the corrections of bias do not change a cosine much."""
        found = []
        for group in optimizer.param_groups:
            for weight in group["params"]:
                state = optimizer.state.get(weight, {})
                if weight.grad is not None and "exp_avg_sq" in state:
                    found.append(state["exp_avg"] / (state["exp_avg_sq"].sqrt() + group["eps"]))
        return found

    def parts(self) -> Parts:
        """On the gradients of each step."""
        return Parts(gradients=(self.turn,))


def _cosine(a: Iterable[torch.Tensor], b: Iterable[torch.Tensor]) -> float:
    a, b = list(a), list(b)
    dot = sum(float((x * y).sum()) for x, y in zip(a, b, strict=True))
    lengths = [sum(float(x.square().sum()) for x in side) ** 0.5 for side in (a, b)]
    return dot / (lengths[0] * lengths[1]) if all(lengths) else 0.0


def make(spec: Spec, setup: Setup) -> Hypergradient:
    """A fresh one for each network."""
    return Hypergradient(str(spec["kind"]), numbers(spec)["beta"])

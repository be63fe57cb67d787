"""A rate that follows its own gradient: up where steps keep their direction, down where they turn.

Baydin et al. 2018, arXiv 1703.04782, algorithms 4 and 5. As published the form is additive,
lr <- lr + beta <g_t, u_{t-1}>, u the last update direction, and every network needs a beta of its own. In the
multiplicative form, lr <- lr (1 + beta cos(g_t, u_{t-1})), the cosine takes the scale of the gradients out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch

from nasdsl.language.network import Spec
from nasdsl.training.optimizers import set_rate
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import call, number, numbers

_WIDEST = 10.0  # the rate stays within lr/10 and 10 lr, so that noise cannot run away with it


@dataclass
class Hypergradient:
    """kind "sgd": u is the last gradient. "adam": u is the last direction of Adam, from its moments. additive: the beta
    of that form over the full rate, since `height` counts in full rates; None in the other form."""

    kind: str
    beta: float
    additive: float | None = None
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
            self.height = min(_WIDEST, max(1 / _WIDEST, self._moved(gradients, directions)))
            set_rate(course.optimizer, self.height)
        if self.kind == "sgd":
            self.last = [gradient.clone() for gradient in gradients]

    def _moved(self, gradients: list[torch.Tensor], directions: list[torch.Tensor]) -> float:
        if self.additive is not None:
            return self.height + self.additive * _dot(gradients, directions)
        lengths = (_dot(gradients, gradients) * _dot(directions, directions)) ** 0.5
        return (
            self.height * (1 + self.beta * _dot(gradients, directions) / lengths) if lengths else self.height
        )

    def _directions(self, optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
        """m / (sqrt(v) + eps) of each weight that has them, both freed of their start at zero."""
        found = []
        for group in optimizer.param_groups:
            for weight in group["params"]:
                state = optimizer.state.get(weight, {})
                if weight.grad is not None and "exp_avg_sq" in state:
                    step, (beta1, beta2) = float(state["step"]), group["betas"]
                    mean, square = (
                        state["exp_avg"] / (1 - beta1**step),
                        state["exp_avg_sq"] / (1 - beta2**step),
                    )
                    found.append(mean / (square.sqrt() + group["eps"]))
        return found

    def parts(self) -> Parts:
        """On the gradients of each step."""
        return Parts(gradients=(self.turn,))


def _dot(a: Iterable[torch.Tensor], b: Iterable[torch.Tensor]) -> float:
    return sum(float((x * y).sum()) for x, y in zip(a, b, strict=True))


def make(spec: Spec, setup: Setup) -> Hypergradient:
    """A fresh one for each network."""
    arguments, optimizer = numbers(spec), call(setup.settings, "optimizer")
    assert optimizer is not None
    additive = arguments.get("additive")
    full = number(optimizer["lr"], "lr")
    return Hypergradient(str(spec["kind"]), arguments["beta"], None if additive is None else additive / full)

"""Keeping close to where training began (Smith et al. 2022, arXiv 2203.17269, equations 2 to 4).

l2: the squared distance of all weights. ewc: the same, each weight by its Fisher information, the mean squared
gradient of log p(y|x) with y as the network answers (Kirkpatrick et al. 2017). distill: cross entropy with the
answers of the network as it began, or their squared distance where numbers are predicted.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.errors import DataError
from nasdsl.training.layers import effective_weights
from nasdsl.training.measuring import outputs_of
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers

_FISHER_SAMPLES = 128


@dataclass(frozen=True)
class Close:
    """weight * sum of importance * (theta - theta_0)^2, over weights as the network uses them."""

    weight: float
    begun: Mapping[str, torch.Tensor]
    importance: Mapping[str, torch.Tensor] | None

    def __call__(self, batch: Batch, outputs: Tensors, course: Course) -> torch.Tensor:
        now = effective_weights(course.module)
        total = torch.zeros((), device=batch.index.device)
        for name, start in self.begun.items():
            if name not in now:
                continue  # frozen for a while, so there is nothing to pull at
            squares = (now[name] - start).square()
            total = total + (squares if self.importance is None else squares * self.importance[name]).sum()
        return self.weight * total


@dataclass(frozen=True)
class Alike:
    """Cross entropy with the answers of the network as it began."""

    weight: float
    teacher: nn.Module
    kind: str

    def __call__(self, batch: Batch, outputs: Tensors, course: Course) -> torch.Tensor:
        with torch.no_grad():
            old = outputs_of(self.teacher, batch)
        terms = [self._far(outputs[name], old[name]) for name in outputs]
        return self.weight * torch.stack(terms).sum()

    def _far(self, new: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
        match self.kind:
            case "regression":
                return functional.mse_loss(new, old)
            case "multilabel":
                return functional.binary_cross_entropy_with_logits(new, old.sigmoid())
            case _:
                classes = 1 if self.kind == "segmentation" else -1
                return -(old.softmax(classes) * new.log_softmax(classes)).sum(classes).mean()


def fisher(setup: Setup) -> dict[str, torch.Tensor]:
    """The diagonal of the Fisher information of each weight. Raises DataError for tasks without classes."""
    if setup.kind != "classification":
        raise DataError("`anchor(ewc)` needs the probabilities of classes", help="use anchor(l2)")
    module = copy.deepcopy(setup.module).eval()
    weights = effective_weights(module)
    found = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    chance = torch.Generator().manual_seed(setup.seed)
    rows = setup.rows[torch.randperm(len(setup.rows), generator=chance)[:_FISHER_SAMPLES]]
    for row in rows.to(setup.device):
        outputs = outputs_of(module, setup.data.batch(row[None]))
        logs = torch.stack([_drawn_log(z, chance) for z in outputs.values()]).sum()
        gradients = torch.autograd.grad(logs, list(effective_weights(module).values()), allow_unused=True)
        for name, gradient in zip(weights, gradients, strict=True):
            if gradient is not None:
                found[name] += gradient.square() / len(rows)
    return found


def _drawn_log(z: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """log p of a class that is drawn from the answer itself."""
    drawn = torch.multinomial(z.detach().softmax(1).cpu(), 1, generator=chance).to(z.device)
    return z.log_softmax(1).gather(1, drawn).sum()


def make(spec: Spec, setup: Setup) -> Parts:
    """Without pretrained weights the anchor is the initial ones."""
    weight = numbers(spec)["weight"]
    if spec["kind"] == "distill":
        teacher = copy.deepcopy(setup.module).eval()
        return Parts(terms=(Alike(weight, teacher, setup.kind),))
    begun = {name: w.detach().clone() for name, w in effective_weights(setup.module).items()}
    return Parts(terms=(Close(weight, begun, fisher(setup) if spec["kind"] == "ewc" else None),))

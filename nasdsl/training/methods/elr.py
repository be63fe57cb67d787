"""Early-learning regularization (Liu et al. 2020, arXiv 2007.00151, equations 6 and 9).

A network answers wrongly labelled samples rightly before it learns their labels. For each sample a mean t of
its answers p is kept, and log(1 - <p, t>) pulls later answers to what was answered early.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.fitting import need_classes
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers
from nasdsl.training.target_store import TargetStore

_FLOOR = 1e-4  # of probabilities, so that the logarithm stays finite


@dataclass(frozen=True)
class EarlyLearning:
    """The term; it updates its targets by the detached answers before it uses them."""

    store: TargetStore
    beta: float
    weight: float

    def __call__(self, batch: Batch, outputs: Tensors, course: Course) -> torch.Tensor:
        answers = {name: z.softmax(1).clamp(_FLOOR, 1 - _FLOOR) for name, z in outputs.items()}
        news = {name: (p / p.sum(1, keepdim=True)).detach() for name, p in answers.items()}
        self.store.blend(batch.index, news, self.beta)
        terms = [torch.log(1 - (self.store[n][batch.index] * p).sum(1)).mean() for n, p in answers.items()]
        return self.weight * torch.stack(terms).sum()


def make(spec: Spec, setup: Setup) -> Parts:
    """Raises DataError for tasks without classes."""
    need_classes(setup, "elr")
    arguments = numbers(spec)
    return Parts(terms=(EarlyLearning(TargetStore(setup), arguments["beta"], arguments["weight"]),))

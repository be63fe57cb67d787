"""Each sample mixed with another of its batch, inputs and targets alike (Zhang et al. 2018, eq. 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch
from nasdsl.training.errors import DataError
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers


@dataclass(frozen=True)
class Mixup:
    """One share per batch, drawn from Beta(alpha, alpha). `classes` of each output; None: targets are numbers."""

    alpha: float
    classes: Mapping[str, int] | None
    rng: np.random.Generator

    def __call__(self, batch: Batch, course: Course) -> Batch:
        share = float(self.rng.beta(self.alpha, self.alpha))
        partner = torch.from_numpy(self.rng.permutation(len(batch.index))).to(batch.index.device)
        return replace(
            batch,
            inputs={name: torch.lerp(x[partner], x, share) for name, x in batch.inputs.items()},
            targets={
                name: torch.lerp(y[partner], y, share) for name, y in shares(batch, self.classes).items()
            },
        )


def shares(batch: Batch, classes: Mapping[str, int] | None) -> dict[str, torch.Tensor]:
    """The targets of a batch by output, classes as shares (n, classes), so that they can be mixed."""

    def one(name: str, y: torch.Tensor) -> torch.Tensor:
        return functional.one_hot(y, classes[name]).float() if classes is not None and y.ndim == 1 else y

    return {name: one(name, y) for name, y in batch.targets.items()}


def make(spec: Spec, setup: Setup) -> Parts:
    """Draws from the seed itself, as it has since the first version: scores at a seed stay what they were."""
    if setup.kind == "next_token":
        raise DataError("`mixup` mixes numbers, and a text has none", help="leave it out, or take dropout")
    if setup.kind == "segmentation":
        raise DataError(
            "`mixup` mixes one target a sample, and here each position has one", help="leave it out"
        )
    classes = setup.widths if setup.kind == "classification" else None
    mixup = Mixup(numbers(spec)["alpha"], classes, np.random.default_rng(setup.seed))
    return Parts(mix=(mixup,), fuses=True)

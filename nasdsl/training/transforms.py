"""What happens to a batch between the data and the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import torch
from torch.nn import functional

from nasdsl.training.settings import Settings, call, numbers

Tensors: TypeAlias = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Batch:
    """Inputs by name, standardized; targets by output: classes (n,), shares (n, classes), numbers (n, k)."""

    inputs: Tensors
    targets: Tensors


class BatchTransform(Protocol):
    """Changes a training batch; all chance comes from `rng`."""

    def __call__(self, batch: Batch, rng: np.random.Generator) -> Batch: ...


@dataclass(frozen=True)
class Mixup:
    """Each sample mixed with another of its batch, inputs and targets alike (Zhang et al. 2018, eq. 1).

    One share per batch, drawn from Beta(alpha, alpha). `classes` None: targets are numbers.
    """

    alpha: float
    classes: int | None

    def __call__(self, batch: Batch, rng: np.random.Generator) -> Batch:
        share = float(rng.beta(self.alpha, self.alpha))
        some = next(iter(batch.inputs.values()))
        partner = torch.from_numpy(rng.permutation(len(some))).to(some.device)
        return Batch(
            {name: torch.lerp(x[partner], x, share) for name, x in batch.inputs.items()},
            {name: self._mixed(y, partner, share) for name, y in batch.targets.items()},
        )

    def _mixed(self, y: torch.Tensor, partner: torch.Tensor, share: float) -> torch.Tensor:
        if self.classes is not None and y.ndim == 1:
            y = functional.one_hot(y, self.classes).float()
        return torch.lerp(y[partner], y, share)


def transforms(settings: Settings, kind: str, outputs: int) -> tuple[BatchTransform, ...]:
    """All transforms that the settings ask for, in order."""
    mixup = call(settings, "mixup")
    if mixup is None:
        return ()
    return (Mixup(numbers(mixup)["alpha"], outputs if kind == "classification" else None),)

"""A batch: what goes from the data through the transforms into the network and the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch

Tensors: TypeAlias = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Batch:
    """Inputs by name, standardized; targets by output: classes (n,), shares (n, classes), numbers (n, k),
    classes of positions (n, *positions).

    index: (n,) row numbers in the data set. They key all state that is kept per sample. route: (n,) the expert that
    each sample goes to, where the data say.
    """

    inputs: Tensors
    targets: Tensors
    index: torch.Tensor
    route: torch.Tensor | None = None

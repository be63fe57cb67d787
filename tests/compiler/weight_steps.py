"""One weight under one method, and steps of an optimizer on it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from compiler.weights.transform import WeightTransform


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def put(weight: Tensor, transform: WeightTransform) -> tuple[nn.Module, WeightTransform]:
    """A module with this weight under the method, as `attach` puts it; the original frozen where the method says."""
    owner = nn.Module()
    owner.weight = nn.Parameter(weight.clone())
    parametrize.register_parametrization(owner, "weight", transform, unsafe=True)
    owner.weight = weight.clone()
    if transform.freezes:
        original(owner).requires_grad_(False)
    return owner.train(), transform


def original(owner: nn.Module) -> Tensor:
    return owner.parametrizations.weight.original


def step(owner: nn.Module, loss: Callable[[Tensor], Tensor], lr: float = 0.05, times: int = 5) -> None:
    """Steps of AdamW, with the hook that follows them."""
    adam = torch.optim.AdamW([t for t in owner.parameters() if t.requires_grad], lr, weight_decay=0.1)
    for _ in range(times):
        adam.zero_grad()
        loss(owner.weight).backward()
        adam.step()
        for part in owner.parametrizations.weight:
            if hasattr(part, "after_step"):
                part.after_step()


def matrix(weight: Tensor) -> Tensor:
    return weight.detach().flatten(1)


def towards(target: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda weight: (weight - target).square().sum()

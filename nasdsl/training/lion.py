"""Lion: the sign of a mean of gradients, with decoupled decay (Chen et al. 2023, arXiv 2302.06675)."""

from __future__ import annotations

from typing import Any

import torch


class Lion(torch.optim.Optimizer):
    """Algorithm 2: every coordinate moves by the rate, up or down."""

    def __init__(self, params: Any, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step over all weights that have a gradient; it takes no closure."""
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                mean = state.setdefault("exp_avg", torch.zeros_like(weight))
                direction = torch.lerp(weight.grad, mean, beta1).sign_()
                weight.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * direction)
                mean.lerp_(weight.grad, 1 - beta2)

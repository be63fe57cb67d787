"""Muon: momentum of matrices, orthogonalized by Newton and Schulz (Jordan et al. 2024).

Hidden matrices and kernels (a kernel as a matrix of one row per output) move by an orthogonal matrix; the other
groups (`matrices` False) by AdamW.
"""

from __future__ import annotations

from typing import Any

import torch

_QUINTIC = (3.4445, -4.7750, 2.0315)  # steepest at zero among those that keep singular values near 1
_STEPS = 5
_BETAS, _EPS = (0.9, 0.95), 1e-8  # of AdamW


class Muon(torch.optim.Optimizer):
    """Groups say by `matrices` how they are stepped."""

    def __init__(self, params: Any, lr: float, momentum: float, nesterov: bool) -> None:
        defaults = {"lr": lr, "momentum": momentum, "nesterov": nesterov, "weight_decay": 0.0}
        super().__init__(params, {**defaults, "matrices": True})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step over all weights that have a gradient; it takes no closure."""
        for group in self.param_groups:
            move = self._direction if group["matrices"] else self._adam_direction
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                direction = move(group, weight, self.state[weight])
                weight.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * direction)

    def _direction(self, group: dict[str, Any], weight: torch.Tensor, state: dict[str, Any]) -> torch.Tensor:
        assert weight.grad is not None
        mean = state.setdefault("momentum", torch.zeros_like(weight))
        mean.lerp_(weight.grad, 1 - group["momentum"])
        ahead = torch.lerp(weight.grad, mean, group["momentum"]) if group["nesterov"] else mean
        matrix = ahead.reshape(len(ahead), -1)
        rows, columns = matrix.shape
        # So that the size of an output's change does not depend on the shape of the matrix.
        direction: torch.Tensor = orthogonal(matrix) * max(1.0, rows / columns) ** 0.5
        return direction.view_as(weight)

    def _adam_direction(
        self, group: dict[str, Any], weight: torch.Tensor, state: dict[str, Any]
    ) -> torch.Tensor:
        assert weight.grad is not None
        state["step"] = state.get("step", 0) + 1
        mean = state.setdefault("exp_avg", torch.zeros_like(weight))
        squares = state.setdefault("exp_avg_sq", torch.zeros_like(weight))
        mean.lerp_(weight.grad, 1 - _BETAS[0])
        squares.lerp_(weight.grad.square(), 1 - _BETAS[1])
        corrected = (squares / (1 - _BETAS[1] ** state["step"])).sqrt() + _EPS
        direction: torch.Tensor = mean / (1 - _BETAS[0] ** state["step"]) / corrected
        return direction


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """Nearly U V^T of the singular value decomposition: singular values between about 0.7 and 1.2."""
    a, b, c = _QUINTIC
    x = matrix / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(_STEPS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: torch.Tensor = x.T if tall else x
    return result

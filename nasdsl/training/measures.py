"""What is measured on a part of the data."""

from __future__ import annotations

import torch

from nasdsl.training.losses import Loss


def classification(output: torch.Tensor, target: torch.Tensor, loss: Loss) -> dict[str, float]:
    """accuracy (share of right answers) and loss. output (n, classes), target (n,)."""
    right = int((output.argmax(1) == target).sum())
    return {"accuracy": right / len(target), "loss": float(loss(output, target))}


def regression(
    output: torch.Tensor, target: torch.Tensor, loss: Loss, deviation: torch.Tensor
) -> dict[str, float]:
    """r2, mae and loss, averaged over the predicted numbers; all arrays (n, k), standardized.

    r2 is one minus the squared error over that of the best constant; of targets that are constant here
    it is 1 for a perfect answer and 0 otherwise. mae is in the units of the data, loss in standard ones.
    """
    error, spread = (output - target).square().sum(0), (target - target.mean(0)).square().sum(0)
    constant = spread == 0
    r2 = torch.where(constant, (error == 0).float(), 1 - error / spread.masked_fill(constant, 1.0))
    mae = ((output - target).abs() * deviation).mean()
    return {"r2": float(r2.mean()), "mae": float(mae), "loss": float(loss(output, target))}

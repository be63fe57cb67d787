"""Weight compander: w = a arctan(v / b), bounded by a pi / 2 and steepest at 0 (Weight Compander, 2023)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from compiler.weights.transform import WeightTransform

_ROOM = 2.0  # the bound at the start, as a multiple of the largest weight


class WeightCompander(WeightTransform):
    """a and b are learned as logarithms, one pair for the tensor, at a tenth of the rate; a / b starts at `ratio`.

    With decay_on = "effective" the penalty is half the rate times the squared weights, in the loss.
    """

    rate_factor = 0.1  # a step of a or b moves every weight of the tensor at once

    def __init__(self, weight: Tensor, ratio: float, decay_on: str) -> None:
        super().__init__()
        self.ratio, self.decay_on = ratio, decay_on
        self.effective_decay = 0.0
        self.log_a = nn.Parameter(weight.new_zeros(()))
        self.log_b = nn.Parameter(weight.new_zeros(()))
        self._penalty: Tensor | None = None

    def forward(self, v: Tensor) -> Tensor:
        weight = self.log_a.exp() * torch.atan(v * torch.exp(-self.log_b))
        if self.training and self.effective_decay:
            self._penalty = 0.5 * self.effective_decay * weight.square().sum()
        return weight

    def right_inverse(self, weight: Tensor) -> Tensor:
        with torch.no_grad():
            a = _ROOM * 2 / math.pi * weight.abs().max().clamp_min(1e-8)
            self.log_a.copy_(a.log())
            self.log_b.copy_((a / self.ratio).log())
            return a / self.ratio * torch.tan(weight / a)

    def auxiliary_loss(self) -> Tensor:
        """The decay of the effective weights at the last access; 0 where decay is not on them."""
        penalty, self._penalty = self._penalty, None
        return self.log_a.new_zeros(()) if penalty is None else penalty

    def saturated(self, v: Tensor) -> Tensor:
        """The share of weights whose slope is below 5% of that at 0: they hardly learn."""
        return ((1 + (v * torch.exp(-self.log_b)).square()) > 20).float().mean()

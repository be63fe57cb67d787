"""Weight normalization: w = g v / ||v|| for each output (Salimans & Kingma 2016, eq. 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compiler.weights.transform import WeightTransform, as_matrix


class WeightNorm(WeightTransform):
    """The length `g` of each output is a parameter of its own. Decay spares v, whose length changes nothing."""

    decay_on = "none"

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.g = nn.Parameter(_lengths(weight.detach()).clone())

    def forward(self, v: Tensor) -> Tensor:
        weight: Tensor = v * (self.g / _lengths(v).clamp_min(torch.finfo(v.dtype).tiny))
        return weight

    def right_inverse(self, weight: Tensor) -> Tensor:
        with torch.no_grad():
            self.g.copy_(_lengths(weight))
        return weight


def _lengths(weight: Tensor) -> Tensor:
    """The norm of each output, with axes to multiply by."""
    lengths: Tensor = torch.linalg.vector_norm(as_matrix(weight), dim=1)
    return lengths.view(-1, *[1] * (weight.dim() - 1))

"""Weight standardization: mean 0 and variance 1 per output (Qiao et al. 2019, eq. 5)."""

from __future__ import annotations

import torch
from torch import Tensor

from compiler.weights.transform import WeightTransform, as_matrix

_EPS = 1e-5


class WeightStandardized(WeightTransform):
    """(w - mean) / sqrt(var + eps) over what one output reads. Outputs are large: a norm belongs after the layer."""

    decay_on = "none"  # the scale of the original changes nothing
    exact = False

    def forward(self, original: Tensor) -> Tensor:
        matrix = as_matrix(original)
        variance, mean = torch.var_mean(matrix, dim=1, correction=0, keepdim=True)
        return ((matrix - mean) * torch.rsqrt(variance + _EPS)).view_as(original)

"""Spectral normalization: w / sigma(w), the largest singular value (Miyato et al. 2018, algorithm 1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from compiler.weights.transform import WeightTransform, as_matrix

_ITERATIONS_AT_START = 15


class SpectralNorm(WeightTransform):
    """One power iteration at each access in training, none in evaluation. A kernel counts as the matrix that
    `as_matrix` makes of it, which approximates the norm of the convolution."""

    decay_on = "none"  # the scale of the original changes nothing
    exact = False
    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        matrix = as_matrix(weight.detach())
        self.register_buffer("u", F.normalize(torch.randn_like(matrix[:, 0]), dim=0))
        self.register_buffer("v", F.normalize(torch.randn_like(matrix[0]), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        matrix = as_matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), 1)
        # Clones, since backward needs the vectors of this access and the next one overwrites them.
        sigma = torch.vdot(self.u.clone(), torch.mv(matrix, self.v.clone()))
        return weight / sigma

    def right_inverse(self, weight: Tensor) -> Tensor:
        self._iterate(as_matrix(weight).detach(), _ITERATIONS_AT_START)
        return weight

    @torch.no_grad()
    def _iterate(self, matrix: Tensor, times: int) -> None:
        for _ in range(times):
            self.u.copy_(F.normalize(torch.mv(matrix, self.v), dim=0))
            self.v.copy_(F.normalize(torch.mv(matrix.t(), self.u), dim=0))

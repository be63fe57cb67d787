"""SVFit: the leading singular values of a frozen weight are trained (SVFit, 2024, arXiv:2409.05926)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compiler.weights.transform import Delta, as_matrix, singular


class SVFit(Delta):
    """W + U_r diag(s - s_0) V_r^T: the rest of the spectrum stays, and no residual need be kept beside W."""

    decay_on = "none"  # singular values do not belong near zero
    u: Tensor
    vt: Tensor
    start_values: Tensor

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = as_matrix(weight).shape
        self.rank = rank
        self.register_buffer("u", weight.new_zeros(rows, rank))
        self.register_buffer("vt", weight.new_zeros(rank, columns))
        self.register_buffer("start_values", weight.new_zeros(rank))
        self.s = nn.Parameter(weight.new_zeros(rank))

    def update(self) -> Tensor:
        return (self.u * (self.s - self.start_values)) @ self.vt

    @torch.no_grad()
    def start(self, matrix: Tensor) -> None:
        u, s, vt = singular(matrix, self.rank)
        for kept, found in ((self.u, u), (self.vt, vt), (self.start_values, s), (self.s, s)):
            kept.copy_(found)

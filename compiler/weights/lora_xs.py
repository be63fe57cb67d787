"""LoRA-XS: W + s B R A between the leading singular vectors of W (LoRA-XS, 2024, arXiv:2405.17604)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compiler.weights.transform import Delta, as_matrix, singular

_DEVIATION = 1e-5


class LoRAXS(Delta):
    """B = U_r S_r and A = V_r^T are fixed; the square R, drawn close to zero, is trained."""

    a: Tensor
    b: Tensor

    def __init__(self, weight: Tensor, rank: int, scale: float) -> None:
        super().__init__()
        rows, columns = as_matrix(weight).shape
        self.rank, self.scale = rank, scale
        self.register_buffer("a", weight.new_zeros(rank, columns))
        self.register_buffer("b", weight.new_zeros(rows, rank))
        self.r = nn.Parameter(_DEVIATION * torch.randn(rank, rank, dtype=weight.dtype, device=weight.device))

    def update(self) -> Tensor:
        return self.scale * (self.b @ self.r @ self.a)

    def start(self, matrix: Tensor) -> None:
        with torch.no_grad():
            u, s, vt = singular(matrix, self.rank)
            self.b.copy_(u * s)
            self.a.copy_(vt)

"""LoRA: W + s B A with A random and B zero (Hu et al. 2021, section 4.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from compiler.weights.transform import Delta, as_matrix


class LoRA(Delta):
    """`scale` is s, the alpha / r of the paper."""

    def __init__(self, weight: Tensor, rank: int, scale: float) -> None:
        super().__init__()
        rows, columns = as_matrix(weight).shape
        self.scale = scale
        self.a = nn.Parameter(weight.new_empty(rank, columns))
        self.b = nn.Parameter(weight.new_zeros(rows, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

    def update(self) -> Tensor:
        return self.scale * (self.b @ self.a)

    def start(self, matrix: Tensor) -> None:
        with torch.no_grad():
            self.b.zero_()

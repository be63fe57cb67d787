"""Intrinsic dimension: W + P v for a fixed random P and few trained numbers v (Aghajanyan et al. 2020, eq. 1 and 3).

P is Fastfood (Le et al. 2013): H G Pi H B, worked out in n log n, without a matrix. E ||P v|| = ||v||.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compiler.weights.transform import WeightTransform
from nasdsl.language.signatures.matrices import Matrix
from nasdsl.language.signatures.methods import intrinsic_length


class Intrinsic(WeightTransform):
    """`vector` is shared by all layers of a network with the same d; with `said` each has a scale lambda, 1 at
    the start. Rates want to be far above those of full training: the same few numbers move every weight."""

    freezes = True
    decay_on = "none"
    signs: Tensor
    order: Tensor
    normal: Tensor

    def __init__(self, weight: Tensor, vector: nn.Parameter, d: int, said: bool) -> None:
        super().__init__()
        self.vector = vector
        self.scale = nn.Parameter(weight.new_ones(1)) if said else None
        length = intrinsic_length({"d": d}, Matrix(1, 1, weight.numel()))
        self.register_buffer("signs", torch.randint(0, 2, (length,), device=weight.device) * 2.0 - 1.0)
        self.register_buffer("order", torch.randperm(length, device=weight.device))
        self.register_buffer("normal", torch.randn(length, device=weight.device))

    def forward(self, original: Tensor) -> Tensor:
        moved = self.project(original.numel()).to(original.dtype).view_as(original)
        return original + (moved if self.scale is None else self.scale * moved)

    def project(self, size: int) -> Tensor:
        """P v for a tensor of `size` scalars."""
        length = len(self.signs)
        padded = F.pad(self.vector, (0, length - len(self.vector)))
        mixed = hadamard(hadamard(padded * self.signs)[self.order] * self.normal)
        return mixed[:size] / (torch.sqrt(length * self.normal.square().sum()) * math.sqrt(size / length))

    def right_inverse(self, weight: Tensor) -> Tensor:
        with torch.no_grad():
            self.vector.zero_()
        return weight


def hadamard(x: Tensor) -> Tensor:
    """The unnormalized Walsh-Hadamard transform of a vector whose length is a power of two."""
    half = 1
    while half < x.numel():
        pairs = x.view(-1, 2, half)
        x = torch.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], 1).reshape(-1)
        half *= 2
    return x

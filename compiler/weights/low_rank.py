"""Low-rank weights that stay one tensor for the layer: W = U V (PELA, 2024, section 3).

Where torch has a layer to replace, `compiler.modules.factored` makes two layers of it instead, which saves products
too. This form is for recurrent and grouped layers, and for what stands before another method.
"""

from __future__ import annotations

from torch import Tensor

from compiler.modules import factors
from compiler.weights.transform import WeightTransform, as_matrix


class LowRank(WeightTransform):
    """U (m x r) and V (r x n) are the originals; the best of rank r is started from (Eckart & Young 1936)."""

    exact = False

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        self.rank, self.shape = rank, weight.shape

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return (left @ right).view(self.shape)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        left, right = factors(as_matrix(weight.detach()), self.rank)
        return left, right

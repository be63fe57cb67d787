"""LoRA-SB: LoRA-XS between the singular vectors of the first full update (LoRA-SB, 2024, arXiv:2411.19557)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compiler.weights.transform import Delta, as_matrix, singular


class LoRASB(Delta):
    """The gradient of the whole weight on the first batch gives D = -step * sign(gradient), as Adam's first step
    would be. B = U_r and A = V_r^T of D are fixed from then on, and R, which starts as S_r, is trained.

    Until then R is 0 and so is its gradient; the first step takes the rank-r part of D. `is_ready` is 1 after it.
    """

    a: Tensor
    b: Tensor
    is_ready: Tensor

    def __init__(self, weight: Tensor, rank: int, step: float) -> None:
        super().__init__()
        rows, columns = as_matrix(weight).shape
        self.rank, self.step = rank, step
        self.register_buffer("a", weight.new_zeros(rank, columns))
        self.register_buffer("b", weight.new_zeros(rows, rank))
        self.register_buffer("is_ready", weight.new_zeros(()))
        self.r = nn.Parameter(weight.new_zeros(rank, rank))
        self._gradient: Tensor | None = None

    def update(self) -> Tensor:
        return self.b @ self.r @ self.a

    def forward(self, original: Tensor) -> Tensor:
        weight = super().forward(original)
        if self.training and weight.requires_grad and not weight.is_meta and not self.is_ready:
            weight.register_hook(self._collect)  # type: ignore[no-untyped-call]
        return weight

    def _collect(self, gradient: Tensor) -> None:
        gradient = as_matrix(gradient.detach())
        self._gradient = gradient.clone() if self._gradient is None else self._gradient + gradient

    @torch.no_grad()
    def after_step(self) -> list[Tensor]:
        """After the first step, take it; the optimizer forgets what it has seen of R."""
        if self._gradient is None or self.is_ready:
            return []
        u, s, vt = singular(-self.step * self._gradient.sign(), self.rank)
        self.b.copy_(u)
        self.a.copy_(vt)
        self.r.copy_(torch.diag(s))
        self.is_ready.fill_(1.0)
        self._gradient = None
        return [self.r]

    @torch.no_grad()
    def start(self, matrix: Tensor) -> None:
        self.r.zero_()
        self.is_ready.zero_()
        self._gradient = None

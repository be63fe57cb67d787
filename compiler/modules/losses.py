"""Terms of the training loss that modules give."""

from __future__ import annotations

import torch
from torch import Tensor


class Losses:
    """Terms of the training loss that a module adds in its last calls. Copies of it start empty, since what
    they hold belongs to one pass."""

    def __init__(self, calls: int) -> None:
        self.calls = calls  # of the module in one pass; older terms go, so that nothing piles up unread
        self.terms: list[Tensor] = []

    def add(self, term: Tensor) -> None:
        self.terms = [*self.terms, term][-self.calls :]

    def take(self) -> Tensor:
        """Their sum; the terms go."""
        total, self.terms = sum(self.terms, torch.zeros(())), []
        return torch.as_tensor(total)

    def __reduce__(self) -> tuple[object, ...]:
        return Losses, (self.calls,)

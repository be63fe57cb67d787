"""Several values as one, and none."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Add(nn.Module):
    """The sum of its inputs, all of one shape."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = first + other
        return first


class Mul(nn.Module):
    """The product of its inputs, element by element."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = first * other
        return first


class Average(nn.Module):
    """The mean of its inputs, element by element."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        total = first
        for other in others:
            total = total + other
        return total / (1 + len(others))


class Concat(nn.Module):
    """Its inputs side by side along one axis."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, self.axis)


class Zero(nn.Module):
    """All zeros, in the shape of its input."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)

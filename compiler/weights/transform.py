"""The protocol of all weight methods, on `torch.nn.utils.parametrize`.

A transform turns the tensor that the optimizer moves (the original) into the weight that a layer uses:

    forward(original) -> weight           recomputed at each access, in registration order
    right_inverse(weight) -> original     start from, or load, this weight; sets the transform's own tensors too
    merge(original) -> weight             what stays when the method is taken off for export
    decay_on                              see compiler/hooks.py; `set_progress`, `after_step` … are hooks as well

The first transform of a weight may have several originals; then `right_inverse` gives a tuple.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn


class WeightTransform(nn.Module):
    """The base of all transforms.

    freezes: the original is not trained, only the transform's own parameters, which stay trained within
    `frozen { }`. exact: forward(right_inverse(w)) is w, up to rounding; else a method changes what it starts from.
    """

    decay_on: str = "original"
    freezes: ClassVar[bool] = False
    exact: ClassVar[bool] = True

    def right_inverse(self, weight: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The original that gives this weight, or the nearest that the method can."""
        return weight

    def merge(self, *originals: Tensor) -> Tensor:
        """The weight that a plain layer keeps."""
        weight: Tensor = self(*originals)
        return weight


class Delta(WeightTransform):
    """A frozen weight plus an update of few trained numbers, which merges exactly.

    `update()` is the change as a matrix; `start(matrix)` sets the factors for a weight that is given anew.
    """

    freezes = True

    def update(self) -> Tensor:
        """The change of the weight, rows x columns."""
        raise NotImplementedError

    def start(self, matrix: Tensor) -> None:
        """Begin from this matrix: what the factors are made of where they are not drawn at random."""

    def forward(self, original: Tensor) -> Tensor:
        return original + self.update().view_as(original)

    def right_inverse(self, weight: Tensor) -> Tensor:
        self.start(as_matrix(weight))
        return weight


def as_matrix(weight: Tensor) -> Tensor:
    """A weight as (output channels) x (what each reads)."""
    return weight.flatten(1)


def singular(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """The leading `rank` singular vectors and values: U (m x r), s (r), V^T (r x n), in the dtype of `matrix`.

    Worked out in single precision at least: half precision has no decomposition worth its name.
    """
    wide = matrix if matrix.dtype == torch.float64 else matrix.float()
    u, s, vt = torch.linalg.svd(wide, full_matrices=False)
    return u[:, :rank].to(matrix.dtype), s[:rank].to(matrix.dtype), vt[:rank].to(matrix.dtype)

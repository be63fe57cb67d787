"""Orthonormal rows or columns, whichever are fewer, as a product of Householder reflections."""

from __future__ import annotations

import torch
from torch import Tensor

from compiler.weights.transform import WeightTransform, as_matrix


class Orthogonal(WeightTransform):
    """W^T W = I (or W W^T, for a wide matrix) whatever the original is.

    The reflections stand below the diagonal of the original, signs of columns on it. A weight that is given is
    replaced by the nearest in this sense: the Q of its QR decomposition, with the signs that R has.
    """

    decay_on = "none"
    exact = False

    def forward(self, original: Tensor) -> Tensor:
        tall = _tall(as_matrix(original))
        below = tall.tril(-1)
        tau = 2.0 / (1.0 + below.square().sum(0))
        signs = torch.where(tall.detach().diagonal() < 0, -1.0, 1.0).to(tall.dtype)
        made: Tensor = torch.linalg.householder_product(below + torch.eye(*tall.shape).to(tall), tau) * signs
        wide = as_matrix(original)
        return (made if wide.shape == made.shape else made.t()).reshape(original.shape)

    def right_inverse(self, weight: Tensor) -> Tensor:
        if weight.is_meta:
            return weight
        tall = _tall(as_matrix(weight.detach()))
        q, r = torch.linalg.qr(tall.double())
        q = q * torch.where(r.diagonal() < 0, -1.0, 1.0)
        # Of an orthonormal matrix LAPACK's own reflections give it back up to the signs of columns.
        packed, tau = torch.geqrf(q)
        signs = packed.diagonal().sign()
        signs = torch.where(tau == 0, -signs, signs)
        original = packed.tril(-1) + torch.zeros_like(packed).fill_diagonal_(1.0) * signs
        matrix = original if tall.shape == as_matrix(weight).shape else original.t()
        return matrix.reshape(weight.shape).to(weight.dtype)


def _tall(matrix: Tensor) -> Tensor:
    return matrix if matrix.shape[0] >= matrix.shape[1] else matrix.t()

"""N:M sparsity: of every m weights along the inputs, the n of largest magnitude are kept.

Progressive gradient flow (2024, arXiv:2402.04744): decay = mask scales the others by D, which falls from 1 to 0;
decay = structure drops more of them in each of equal frames, m-1:m, m/2:m, … n:m. decay = ste is SR-STE
(Zhou et al. 2021, eq. 5): they are 0 at once, get the gradient of the kept ones, and are pulled to 0.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from compiler.weights.transform import WeightTransform

_DENSE_UNTIL, _SPARSE_FROM = 0.1, 0.75  # shares of training; D falls linearly in between
_PULL = 2e-4  # lambda of SR-STE


class NMSparse(WeightTransform):
    """Masks are taken anew at each access, by the magnitudes of the original. `progress` is the share of
    training that is done; before any training nothing is masked, but under `ste`."""

    exact = False
    progress: Tensor

    def __init__(self, weight: Tensor, n: int, m: int, decay: str) -> None:
        super().__init__()
        self.n, self.m, self.decay = n, m, decay
        self.register_buffer("progress", torch.zeros((), device=weight.device))
        self._done = 0.0  # of `progress`, where no tensor need be read for it

    def set_progress(self, step: int, total: int) -> None:
        """Tell of the step that comes; the last one counts as all of training."""
        self._done = (step + 1) / total
        self.progress.fill_(self._done)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *rest)
        if not self.progress.is_meta:
            self._done = float(self.progress)

    def forward(self, original: Tensor) -> Tensor:
        if self.decay == "mask":
            share = self.kept_share()
            if share == 1.0:
                return original
            mask = nm_mask(original, self.n, self.m)
            return original * (mask + (1.0 - mask) * share)
        kept = self.n if self.decay == "ste" else self.kept()
        if kept == self.m:
            return original
        pull = _PULL if self.decay == "ste" else 0.0
        masked: Tensor = _StraightThrough.apply(original, nm_mask(original, kept, self.m), pull)  # type: ignore[no-untyped-call]
        return masked

    def kept_share(self) -> float:
        """D: what is left of the weights outside the mask."""
        return min(1.0, max(0.0, (_SPARSE_FROM - self._done) / (_SPARSE_FROM - _DENSE_UNTIL)))

    def kept(self) -> int:
        """How many of m weights are kept in the current frame of decay = structure."""
        if self._done == 0.0:
            return self.m
        frames = [self.m - 1]
        size = self.m // 2
        while size >= self.n:
            frames += [size] if size < frames[-1] else []
            size //= 2
        return frames[min(int(self._done * len(frames)), len(frames) - 1)]


def nm_mask(weight: Tensor, n: int, m: int) -> Tensor:
    """1 on the n largest magnitudes of each m neighbours along axis 1 (input channels), else 0."""
    blocks = weight.detach().abs().movedim(1, -1)
    blocks = blocks.reshape(*blocks.shape[:-1], -1, m)
    kept = torch.zeros_like(blocks).scatter_(-1, blocks.topk(n, -1).indices, 1.0)
    return kept.flatten(-2).movedim(-1, 1)


class _StraightThrough(torch.autograd.Function):
    """Forward: masked. Backward: the whole gradient, and `pull` times each weight outside the mask."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, mask: Tensor, pull: float) -> Tensor:
        ctx.save_for_backward(weight, mask)
        ctx.pull = pull
        return weight * mask

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        weight, mask = ctx.saved_tensors
        return gradient + ctx.pull * (1 - mask) * weight, None, None

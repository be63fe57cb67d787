"""What changes axes, and no values."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class MeanOver(nn.Module):
    """The mean over some axes, which go."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(self.axes)


class MaxOver(nn.Module):
    """The greatest value over some axes, which go."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(self.axes)


class Crop(nn.Module):
    """The first `sizes` entries of the last axes."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = sizes

    def forward(self, x: Tensor) -> Tensor:
        for axis, size in enumerate(self.sizes, start=2):
            x = x.narrow(axis, 0, size)
        return x


class Pick(nn.Module):
    """Every `steps`-th entry of each spatial axis, from `starts` on, `sizes` of them."""

    def __init__(self, starts: tuple[int, ...], steps: tuple[int, ...], sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.starts, self.steps, self.sizes = starts, steps, sizes

    def forward(self, x: Tensor) -> Tensor:
        along = (slice(a, a + s * n, s) for a, s, n in zip(self.starts, self.steps, self.sizes, strict=True))
        return x[(slice(None), slice(None), *along)]


class PadChannels(nn.Module):
    """Zeros appended to the channel axis, until it has `extra` more."""

    def __init__(self, extra: int, axis: int) -> None:
        super().__init__()
        self.extra, self.axis = extra, axis

    def forward(self, x: Tensor) -> Tensor:
        after = [0, 0] * (x.dim() - 1 - self.axis)
        return F.pad(x, [*after, 0, self.extra])


class SwapAxes(nn.Module):
    """Axes 1 and 2 change places: a sequence becomes tokens, and back."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)

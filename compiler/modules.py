"""The few modules that torch.nn does not have. A standalone export inlines the source of those it uses,
so each class needs only `torch`, `nn`, `F` and other classes of this file that stand above it.

Tensors come batch first. Channels are axis 1, but the last axis for tokens (batch, tokens, width).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Chain(nn.Sequential):
    """Modules one after the other, each under a readable name."""

    def __init__(self, **steps: nn.Module) -> None:
        super().__init__()
        for name, step in steps.items():
            self.add_module(name, step)


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


class SampleRMSNorm(nn.Module):
    """Each sample divided by its root mean square over all axes, then scaled per channel (axis 1)."""

    def __init__(self, channels: int, axes: int, eps: float, affine: bool) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels, *[1] * axes)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        axes = tuple(range(1, x.dim()))
        x = x * torch.rsqrt(x.square().mean(axes, keepdim=True) + self.eps)
        return x if self.weight is None else x * self.weight


class Recurrent(nn.Module):
    """A recurrent layer over a sequence (batch, channels, length) or tokens (batch, tokens, width).

    keep "sequence": the outputs of all steps, laid out as the input is; "last": the final state of
    the last layer, both directions side by side, (batch, features).
    """

    def __init__(self, rnn: nn.RNNBase, channels_first: bool, keep: str) -> None:
        super().__init__()
        self.rnn, self.channels_first, self.keep = rnn, channels_first, keep

    def forward(self, x: Tensor) -> Tensor:
        steps, state = self.rnn(x.transpose(1, 2) if self.channels_first else x)
        if self.keep == "last":
            hidden: Tensor = state[0] if isinstance(state, tuple) else state  # an LSTM adds its cell state
            return hidden[-2 if self.rnn.bidirectional else -1 :].transpose(0, 1).flatten(1)
        outputs: Tensor = steps
        return outputs.transpose(1, 2) if self.channels_first else outputs

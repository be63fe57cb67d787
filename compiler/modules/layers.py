"""Layers of one input that torch.nn does not have."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


class SwiGLU(nn.Module):
    """silu(gate(x)) * up(x), then down to the input width, over the last axis (Shazeer 2020)."""

    def __init__(self, width: int, hidden: int, bias: bool) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=bias)
        self.up = nn.Linear(width, hidden, bias=bias)
        self.down = nn.Linear(hidden, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down(F.silu(self.gate(x)) * self.up(x))
        return y


class SqueezeExcite(nn.Module):
    """Scales each channel of a map by a gate computed from the means of all channels (Hu et al. 2018)."""

    def __init__(self, channels: int, hidden: int, hard: bool = False) -> None:
        super().__init__()
        self.hard = hard  # relu6(x + 3) / 6 for the sigmoid, as in MobileNetV3
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        raw = self.expand(F.relu(self.reduce(x.flatten(2).mean(2))))
        gates = F.hardsigmoid(raw) if self.hard else torch.sigmoid(raw)
        return x * gates.reshape(*gates.shape, *[1] * (x.dim() - 2))


class Polynomial(nn.Module):
    """A polynomial of each value; the factor of x^0 comes first."""

    def __init__(self, factors: tuple[float, ...]) -> None:
        super().__init__()
        self.factors = factors

    def forward(self, x: Tensor) -> Tensor:
        value = torch.full_like(x, self.factors[-1])
        for factor in reversed(self.factors[:-1]):
            value = value * x + factor
        return value


class EmbedColumns(nn.Module):
    """Features of `sizes` in turn, each through a table of its width: of zeros and a one, the row of that one. Those of
    width 0 are numbers, and pass."""

    def __init__(self, sizes: tuple[int, ...], widths: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = list(sizes)
        pairs = zip(sizes, widths, strict=True)
        self.tables = nn.ModuleList(nn.Embedding(n, width) if width else nn.Identity() for n, width in pairs)

    def forward(self, x: Tensor) -> Tensor:
        parts = zip(x.split_with_sizes(self.sizes, -1), self.tables, strict=True)
        return torch.cat(
            [part @ one.weight if isinstance(one, nn.Embedding) else part for part, one in parts], -1
        )

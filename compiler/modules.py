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


class LearnedPositions(nn.Module):
    """A learned vector added to each token, by its place."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(0.02 * torch.randn(tokens, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.positions


class ClassToken(nn.Module):
    """A learned token put before all others."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)


class TakeToken(nn.Module):
    """The token at one place, (batch, width)."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.place]


class Rotary(nn.Module):
    """Turns each pair of features (i, i + width / 2) by its place times 10000 ** (-2 i / width).

    For queries or keys (batch, heads, tokens, width). Su et al. 2021, eq. 34, with halves for pairs.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        rates = 10000.0 ** (-torch.arange(0, width, 2) / width)
        angles = torch.arange(tokens)[:, None] * rates
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, -1)
        return torch.cat([left * self.cos - right * self.sin, right * self.cos + left * self.sin], -1)


class Attention(nn.Module):
    """Multi-head attention over tokens (batch, tokens, width).

    With fewer kv_heads than heads, each head of keys and values serves several heads of queries.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        kv_heads: int | None = None,
        causal: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        rotary: nn.Module | None = None,
        positions: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.heads, self.kv_heads = heads, kv_heads or heads
        self.causal, self.dropout = causal, dropout
        key_width = width // heads * self.kv_heads
        self.query = nn.Linear(width, width, bias=bias)
        self.key = nn.Linear(width, key_width, bias=bias)
        self.value = nn.Linear(width, key_width, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)
        self.rotary, self.positions = rotary, positions

    def forward(self, x: Tensor) -> Tensor:
        placed = x if self.positions is None else self.positions(x)
        query = self.query(placed).unflatten(2, (self.heads, -1)).transpose(1, 2)
        key = self.key(placed).unflatten(2, (self.kv_heads, -1)).transpose(1, 2)
        value = self.value(x).unflatten(2, (self.kv_heads, -1)).transpose(1, 2)
        if self.rotary is not None:
            query, key = self.rotary(query), self.rotary(key)
        if self.kv_heads < self.heads:
            key = key.repeat_interleave(self.heads // self.kv_heads, 1)
            value = value.repeat_interleave(self.heads // self.kv_heads, 1)
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=self.causal)
        joined: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return joined


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

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        gates = torch.sigmoid(self.expand(F.relu(self.reduce(x.flatten(2).mean(2)))))
        return x * gates.reshape(*gates.shape, *[1] * (x.dim() - 2))

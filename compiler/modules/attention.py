"""Attention, and what tells tokens of their places."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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

    With fewer kv_heads than heads, each head of keys and values serves several heads of queries. Each head has
    `head_dim` features, width / heads if not given.
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
        head_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.heads, self.kv_heads = heads, kv_heads or heads
        self.causal, self.dropout = causal, dropout
        size = head_dim or width // heads
        key_width = size * self.kv_heads
        self.query = nn.Linear(width, size * heads, bias=bias)
        self.key = nn.Linear(width, key_width, bias=bias)
        self.value = nn.Linear(width, key_width, bias=bias)
        self.out = nn.Linear(size * heads, width, bias=bias)
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

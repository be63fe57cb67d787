"""Dropout for a group: each member draws from its own generator, as it would alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasdsl.training.fused.forms import Form, Members


class Dropout(nn.Module):
    """`rates`: one for each member. `per_channel`: whole channels are dropped."""

    def __init__(self, rates: Sequence[float], form: Form, members: Members, per_channel: bool) -> None:
        super().__init__()
        self.rates, self.form, self.members, self.per_channel = list(rates), form, members, per_channel
        self._scales = torch.tensor([1 / (1 - rate) if rate < 1 else 0.0 for rate in self.rates])
        self._there: tuple[Tensor, Tensor] | None = None  # rates and scales on a GPU

    def keep(self, places: list[int]) -> None:
        self.rates = [self.rates[place] for place in places]
        self._scales, self._there = self._scales[places], None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not any(self.rates):
            return x
        n = len(self.members)
        shape = x.shape if self.form is Form.STACKED else (n, x.shape[0], x.shape[1] // n, *x.shape[2:])
        if self.per_channel:
            shape = torch.Size([*shape[:3], *[1] * (len(shape) - 3)])
        noise = self._on_gpu(shape, x) if x.is_cuda else self._drawn(shape, x)
        return x * (noise if self.form is Form.STACKED else noise.transpose(0, 1).flatten(1, 2))

    def _drawn(self, shape: Sequence[int], x: Tensor) -> Tensor:
        """The numbers that `F.dropout` draws for each member, in the order of its memory."""
        last = self.members.channels_last and len(shape) == 5 and not self.per_channel
        noise = x.new_empty([shape[0], shape[1], *shape[3:], shape[2]] if last else list(shape))
        for own, rate, generator in zip(noise, self.rates, self.members.generators, strict=True):
            if rate == 0:
                own.fill_(1.0)  # alone it would draw nothing
            else:
                own.bernoulli_(1 - rate, generator=generator)
        noise *= self._scales.reshape(-1, *[1] * (noise.dim() - 1))
        return noise.movedim(-1, 2) if last else noise

    def _on_gpu(self, shape: Sequence[int], x: Tensor) -> Tensor:
        """One draw for all, which a captured graph can repeat."""
        if self._there is None:  # before a graph is captured: nothing may be copied then
            self._there = torch.tensor(self.rates).to(x.device), self._scales.to(x.device)
        rates, scales = (values.reshape(-1, *[1] * (len(shape) - 1)) for values in self._there)
        return (torch.rand(list(shape), device=x.device) >= rates) * scales

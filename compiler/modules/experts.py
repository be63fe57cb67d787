"""Mixtures of experts, routed by what they see or by the caller."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compiler.modules.losses import Losses


class Experts(nn.Module):
    """A mixture of experts: a router sends each token to `top_k` experts, and weighs what they give by its
    probabilities (Shazeer et al. 2017; Xue et al. 2021, section 3).

    Tokens are the rows of (batch, tokens, width) where `tokens`, else whole samples, routed by the mean of each
    channel. In training an expert takes at most int(tokens * capacity * top_k / experts), the first come, and what
    finds no room gives 0; the probabilities have noise; and a loss, `balance` where all experts get alike, evens the
    load. In evaluation every token finds room, so that what comes out does not depend on the batch.
    """

    def __init__(
        self,
        width: int,
        experts: nn.ModuleList,
        top_k: int,
        capacity: float,
        balance: float,
        tokens: bool,
        calls: int = 1,
    ) -> None:
        super().__init__()
        self.router = nn.Linear(width, len(experts), bias=False)
        self.experts = experts
        self.top_k, self.capacity, self.balance, self.tokens = top_k, capacity, balance, tokens
        self.losses = Losses(calls)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(0, 1) if self.tokens else x
        y = self.mixed(rows, self.router(rows if rows.dim() == 2 else rows.flatten(2).mean(2)))
        return y.reshape(*x.shape[:2], *y.shape[1:]) if self.tokens else y

    def mixed(self, rows: Tensor, logits: Tensor) -> Tensor:
        if torch.compiler.is_exporting():
            return self.dense(rows, logits.softmax(-1))
        if rows.is_meta:
            return self.even(rows, logits.softmax(-1))
        if self.training:
            logits = logits + torch.randn_like(logits) / len(self.experts)
        shares = logits.softmax(-1)
        chosen = torch.zeros_like(shares, dtype=torch.bool).scatter(
            1, shares.topk(self.top_k, 1).indices, True
        )
        if self.training:
            self.losses.add(self.balance_loss(shares, chosen))
            room = int(len(rows) * self.capacity * self.top_k / len(self.experts))
            chosen = chosen & (chosen.cumsum(0) <= room)
        places = [chosen[:, number].nonzero().flatten() for number in range(len(self.experts))]
        given = [
            self.given(expert, rows[p]) for expert, p in zip(self.experts, places, strict=True) if len(p)
        ]
        if not given:  # no expert has room for a single token
            nothing: Tensor = self.experts[0](rows) * 0
            return nothing
        weights = [shares[p, number] for number, p in enumerate(places) if len(p)]
        taken = torch.cat([p for p in places if len(p)])
        y = torch.cat(given)
        y = y * torch.cat(weights).reshape(-1, *[1] * (y.dim() - 1))
        return torch.zeros(len(rows), *y.shape[1:], dtype=y.dtype, device=y.device).index_add(0, taken, y)

    def given(self, expert: nn.Module, rows: Tensor) -> Tensor:
        """What an expert makes of its rows. One alone has no statistics over the batch, so it comes twice."""
        count = len(rows)
        if self.training and count == 1:
            rows = torch.cat([rows, rows])
        y: Tensor = expert(rows)
        return y[:1] if self.training and count == 1 else y

    def balance_loss(self, shares: Tensor, chosen: Tensor) -> Tensor:
        """Share of tokens sent to an expert times its mean probability, over all experts (Xue et al., eq. 5)."""
        load = chosen.to(shares.dtype).mean(0) / self.top_k
        return self.balance * len(self.experts) * (load * shares.mean(0)).sum()

    def dense(self, rows: Tensor, shares: Tensor) -> Tensor:
        """The same for programs that cannot choose rows: every expert on every row, most times 0."""
        top = shares.topk(self.top_k, 1)
        kept = torch.zeros_like(shares).scatter(1, top.indices, top.values)
        parts = [expert(rows) for expert in self.experts]
        wide = [1] * (parts[0].dim() - 1)
        y = torch.stack([part * kept[:, number].reshape(-1, *wide) for number, part in enumerate(parts)])
        return y.sum(0)

    def even(self, rows: Tensor, shares: Tensor) -> Tensor:
        """Without values (device meta): as if every expert got the same number of rows."""
        share, more = divmod(len(rows) * self.top_k, len(self.experts))
        loads = [share + (number < more) for number in range(len(self.experts))]
        parts = [
            expert(rows[:1].expand(n, *rows.shape[1:])) for expert, n in zip(self.experts, loads, strict=True)
        ]
        return torch.cat(parts)[:1].expand(len(rows), *parts[0].shape[1:])

    def auxiliary_loss(self) -> Tensor:
        return self.losses.take()


class EnforcedExperts(nn.Module):
    """Experts to which the caller sends each sample: `route` holds the number of its expert."""

    route: Tensor | None

    def __init__(self, experts: nn.ModuleList) -> None:
        super().__init__()
        self.experts = experts
        self.route = None

    def forward(self, x: Tensor) -> Tensor:
        if x.is_meta:
            y: Tensor = self.experts[0](x)
            return y
        if self.route is None:
            raise RuntimeError(
                "experts with enforced routes need to be told whose sample is whose: set `route`, as "
                "`compiler.routing.enforced` does, and training where the data name a `route`"
            )
        if len(self.route) != len(x):
            raise RuntimeError(f"{len(self.route)} routes are set, for {len(x)} samples")
        if not bool(((self.route >= 0) & (self.route < len(self.experts))).all()):
            raise IndexError(f"a route leads to no expert: there are {len(self.experts)}")
        places = [(self.route == number).nonzero().flatten() for number in range(len(self.experts))]
        given = [expert(x[p]) for expert, p in zip(self.experts, places, strict=True) if len(p)]
        return torch.cat(given)[torch.cat(places).argsort()]

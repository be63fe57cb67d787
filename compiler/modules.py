"""The few modules that torch.nn does not have. A standalone export inlines the source of those it uses,
so each class and function needs only `torch`, `Tensor`, `nn`, `F` and others of this file.

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


def factors(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """U sqrt(S) and sqrt(S) V^T of the leading singular values: the nearest product of this rank."""
    u, s, vt = torch.linalg.svd(matrix.float(), full_matrices=False)
    root = s[:rank].sqrt()
    return (u[:, :rank] * root).to(matrix.dtype), (root[:, None] * vt[:rank]).to(matrix.dtype)


def factored(module: nn.Module, ranks: tuple[int, ...]) -> nn.Module:
    """The module with its linear layers and convolutions, in order, as two of these ranks; 0: as it is."""
    if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return halves(module, ranks[0]) if ranks[0] else module
    places = [
        (parent, name, child)
        for parent in module.modules()
        for name, child in parent.named_children()
        if isinstance(child, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d))
    ]
    in_order = {id(layer): rank for layer, rank in zip(layers_of(module), ranks, strict=True)}
    for parent, name, layer in places:
        if in_order[id(layer)]:
            setattr(parent, name, halves(layer, in_order[id(layer)]))
    return module


def layers_of(module: nn.Module) -> list[nn.Module]:
    """Linear layers and convolutions, in the order of `modules()`."""
    return [m for m in module.modules() if isinstance(m, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d))]


def halves(layer: nn.Module, rank: int) -> nn.Module:
    """A layer as two, the first of `rank` features without bias, starting from the nearest of that rank."""
    make: type = type(layer)
    weight, bias = layer.get_parameter("weight").detach(), layer.bias is not None
    if isinstance(layer, nn.Linear):
        reduce, expand = make(weight.shape[1], rank, bias=False), make(rank, len(weight), bias=bias)
    else:
        window = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
        reduce, expand = (
            make(weight.shape[1], rank, *window, bias=False),
            make(rank, len(weight), 1, bias=bias),
        )
    left, right = factors(weight.flatten(1), rank)
    with torch.no_grad():
        reduce.weight.copy_(right.view_as(reduce.weight))
        expand.weight.copy_(left.view_as(expand.weight))
        if bias:
            expand.bias.copy_(layer.bias)
    return Chain(reduce=reduce, expand=expand)


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

    def __init__(self, channels: int, hidden: int, hard: bool = False) -> None:
        super().__init__()
        self.hard = hard  # relu6(x + 3) / 6 for the sigmoid, as in MobileNetV3
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        raw = self.expand(F.relu(self.reduce(x.flatten(2).mean(2))))
        gates = F.hardsigmoid(raw) if self.hard else torch.sigmoid(raw)
        return x * gates.reshape(*gates.shape, *[1] * (x.dim() - 2))


class Losses:
    """Terms of the training loss that a module adds in its last calls. Copies of it start empty, since what
    they hold belongs to one pass."""

    def __init__(self, calls: int) -> None:
        self.calls = calls  # of the module in one pass; older terms go, so that nothing piles up unread
        self.terms: list[Tensor] = []

    def add(self, term: Tensor) -> None:
        self.terms = [*self.terms, term][-self.calls :]

    def take(self) -> Tensor:
        """Their sum; the terms go."""
        total, self.terms = sum(self.terms, torch.zeros(())), []
        return torch.as_tensor(total)

    def __reduce__(self) -> tuple[object, ...]:
        return Losses, (self.calls,)


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
                "experts with enforced routes need to be told whose sample is whose: set `route`"
            )
        if len(self.route) != len(x):
            raise RuntimeError(f"{len(self.route)} routes are set, for {len(x)} samples")
        if not bool(((self.route >= 0) & (self.route < len(self.experts))).all()):
            raise IndexError(f"a route leads to no expert: there are {len(self.experts)}")
        places = [(self.route == number).nonzero().flatten() for number in range(len(self.experts))]
        given = [expert(x[p]) for expert, p in zip(self.experts, places, strict=True) if len(p)]
        return torch.cat(given)[torch.cat(places).argsort()]


class Gate(nn.Module):
    """Channels of `y` switched off, sample by sample, from a look at `x` (Elkerdawy et al. 2022).

    A predictor on the mean of each channel of `x` learns which channels of `y` hold `mass` of the activation: its
    loss in training is the binary cross-entropy to that choice, the mean over `gates` of them. It begins with all
    channels on, learns for the first half of the training, and stays as it is after that.
    """

    def __init__(
        self,
        width: int,
        channels: int,
        mass: float,
        decoupled: bool,
        channels_last: bool = False,
        calls: int = 1,
        gates: int = 1,
    ) -> None:
        super().__init__()
        self.predict = nn.Linear(width, channels)
        nn.init.ones_(self.predict.bias)
        self.mass, self.decoupled, self.channels_last, self.gates = mass, decoupled, channels_last, gates
        self.losses = Losses(calls)
        self.settled = False

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        if self.channels_last:
            x, maps = x.transpose(1, 2), y.transpose(1, 2)
        else:
            maps = y
        seen = x.detach() if self.decoupled else x
        logits = self.predict((seen if x.dim() == 2 else seen.flatten(2).mean(2)).softmax(1))
        if self.settled:
            logits = logits.detach()
        elif self.training:
            loss = F.binary_cross_entropy_with_logits(logits, self.kept(maps.detach()), reduction="sum")
            self.losses.add(loss / (len(y) * self.gates))
        soft = logits.sigmoid()
        mask = (soft >= 0.5).to(soft.dtype) + soft - soft.detach()  # the gradient passes as if it were soft
        wide: Tensor = (
            mask.unsqueeze(1) if self.channels_last else mask.reshape(*mask.shape, *[1] * (y.dim() - 2))
        )
        return y * wide

    def kept(self, maps: Tensor) -> Tensor:
        """The strongest channels of each sample while their mass is at most `mass`, and always one: 0 or 1."""
        strength = maps.abs().flatten(2).amax(2) if maps.dim() > 2 else maps.abs()
        shares = strength / strength.sum(1, keepdim=True).clamp_min(1e-12)
        ordered, places = shares.sort(1, descending=True)
        within = (ordered.cumsum(1) <= self.mass + 1e-5) & (ordered > 1e-5)
        within[:, 0] = True
        return torch.zeros_like(shares).scatter(1, places, within.to(shares.dtype))

    def set_progress(self, step: int, total: int) -> None:
        self.settled = 2 * step >= total

    def auxiliary_loss(self) -> Tensor:
        return self.losses.take()


class Adapter(nn.Module):
    """Adds scale * up(act(down(z))) to `h`, z being `h` or what the body read, and begins at zero
    (He et al. 2022, table 1).

    A connected one gets what the adapter before gave and was given: their difference runs on past the bodies,
    a' = a + scale * up(act(down(z + a))), and h + a' is what comes out.
    """

    def __init__(
        self,
        width: int,
        channels: int,
        rank: int,
        scale: float,
        act: nn.Module,
        reads_output: bool,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self.down, self.act, self.up = nn.Linear(width, rank), act, nn.Linear(rank, channels)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)
        self.scale, self.reads_output, self.channels_last = scale, reads_output, channels_last

    def forward(
        self, x: Tensor, h: Tensor, before: Tensor | None = None, given: Tensor | None = None
    ) -> Tensor:
        z = h if self.reads_output else x
        if before is None or given is None:
            return h + self.path(z)
        aside = before - given
        return h + aside + self.path(z + aside)

    def path(self, z: Tensor) -> Tensor:
        last = z if self.channels_last else z.movedim(1, -1)
        y: Tensor = self.scale * self.up(self.act(self.down(last)))
        return y if self.channels_last else y.movedim(-1, 1)

"""What stands around a body: channels switched off, thin paths beside it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compiler.modules.losses import Losses


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
        logits = self.logits(x.detach() if self.decoupled else x)
        if self.settled:
            logits = logits.detach()
        elif self.training:
            maps = y.transpose(1, 2) if self.channels_last else y
            loss = F.binary_cross_entropy_with_logits(logits, self.kept(maps.detach()), reduction="sum")
            self.losses.add(loss / (len(y) * self.gates))
        soft = logits.sigmoid()
        mask = (soft >= 0.5).to(soft.dtype) + soft - soft.detach()  # the gradient passes as if it were soft
        wide: Tensor = (
            mask.unsqueeze(1) if self.channels_last else mask.reshape(*mask.shape, *[1] * (y.dim() - 2))
        )
        return y * wide

    def logits(self, x: Tensor) -> Tensor:
        """Of each channel of each sample, that it stays on: (batch, channels)."""
        if self.channels_last:
            x = x.transpose(1, 2)
        y: Tensor = self.predict((x if x.dim() == 2 else x.flatten(2).mean(2)).softmax(1))
        return y

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

    def reports(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"open_channels": self.logits(x) >= 0}

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

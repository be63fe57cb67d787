"""The loss of each member, of all outputs of the group at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nasdsl.training.losses import Loss


class MemberLosses:
    """(outputs (members, batch, …), targets alike) -> (members,), each the mean over its own samples."""

    def __init__(self, losses: Sequence[Loss]) -> None:
        self._losses = list(losses)
        calls = [_call(loss) for loss in losses]
        self._common = calls[0][0] if len({repr(call) for call in map(_kind, calls)}) == 1 else None
        self._more = calls[0][1]
        self._smoothing = [float(more.get("label_smoothing", 0.0)) for _, more in calls]
        self._shares: Tensor | None = None  # the same where the outputs are

    def keep(self, places: list[int]) -> None:
        self._losses = [self._losses[place] for place in places]
        self._smoothing, self._shares = [self._smoothing[place] for place in places], None

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self._common is F.cross_entropy:
            return self._cross_entropy(outputs, targets)
        if self._common in (F.mse_loss, F.l1_loss, F.huber_loss):
            each: Tensor = self._common(outputs, targets, reduction="none", **self._more)
            return each.flatten(1).mean(1)
        # A loss that is not known here, or not the same for all: one after the other.
        return torch.stack([loss(o, t) for loss, o, t in zip(self._losses, outputs, targets, strict=True)])

    def _cross_entropy(self, outputs: Tensor, targets: Tensor) -> Tensor:
        logs = F.log_softmax(outputs, -1)
        if targets.dim() == outputs.dim():
            right = (targets * logs).sum(-1)
        else:
            right = logs.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        if not any(self._smoothing):
            return -right.mean(1)
        if self._shares is None:
            self._shares = outputs.new_tensor(self._smoothing)
        share = self._shares
        # A share of each target over all classes (Szegedy et al. 2016, section 7).
        spread = logs.mean(-1) if targets.dim() < outputs.dim() else targets.sum(-1) * logs.mean(-1)
        return -((1 - share) * right.mean(1) + share * spread.mean(1))


def _call(loss: Loss) -> tuple[Any, dict[str, Any]]:
    if isinstance(loss, partial) and not loss.args:
        return loss.func, dict(loss.keywords)
    return loss, {}


def _kind(call: tuple[Any, dict[str, Any]]) -> tuple[Any, list[tuple[str, Any]]]:
    """What must be the same for all: everything but the share of label smoothing."""
    return call[0], sorted((name, value) for name, value in call[1].items() if name != "label_smoothing")

"""What training minimizes. Targets are classes, shares of classes, or standardized numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import torch
from torch.nn import functional

from nasdsl.language.network import Spec
from nasdsl.training.errors import DataError
from nasdsl.training.settings import Settings, call, numbers

Loss: TypeAlias = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(outputs, targets) -> scalar. Classes: (n, classes) and (n,) or (n, classes); numbers: (n, k) both."""

_DEFAULT = {
    "classification": "cross_entropy",
    "next_token": "cross_entropy",
    "multilabel": "cross_entropy",
    "regression": "mse",
}
_FOR_NUMBERS = ("mse", "mae", "huber")


def training_loss(settings: Settings, kind: str) -> Loss:
    """The loss with the regularizers of targets. Raises DataError where one does not fit the task."""
    smoothing = call(settings, "label_smoothing")
    if smoothing is None:
        return measured_loss(settings, kind)
    if kind not in ("classification", "next_token"):
        raise DataError("label_smoothing is for classes", help=f"leave it out of a {kind}")
    smooth = _smoothed(_loss(settings, kind), numbers(smoothing)["rate"])
    return _over_positions(smooth) if kind == "next_token" else smooth


def _smoothed(loss: Callable[..., torch.Tensor], rate: float) -> Loss:
    return lambda outputs, targets: loss(outputs, targets, label_smoothing=rate)


def measured_loss(settings: Settings, kind: str) -> Loss:
    """The loss alone, as validation measures it. Raises DataError where it does not fit the task."""
    loss = _loss(settings, kind)
    return _over_positions(loss) if kind == "next_token" else loss


def _loss(settings: Settings, kind: str) -> Loss:
    spec = call(settings, "loss") or Spec(_DEFAULT[kind])
    if (spec.name in _FOR_NUMBERS) != (kind == "regression"):
        raise DataError(f"the loss `{spec.name}` does not fit a {kind}", help=f"use `{_DEFAULT[kind]}`")
    match spec.name:
        case "cross_entropy" if kind == "multilabel":
            return functional.binary_cross_entropy_with_logits
        case "cross_entropy":
            return functional.cross_entropy
        case "mae":
            return functional.l1_loss
        case "huber":
            return partial(functional.huber_loss, delta=numbers(spec)["delta"])
        case _:
            return functional.mse_loss


def _over_positions(loss: Loss) -> Loss:
    """The mean over all positions: outputs (n, positions, symbols), targets (n, positions)."""

    def flat(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return loss(outputs.flatten(0, -2), targets.flatten())

    return flat

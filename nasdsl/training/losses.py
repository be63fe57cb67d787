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
"""(outputs, targets) -> scalar. Classes: (n, classes) and (n,) or (n, classes), of maps with *positions after
both, where `NOWHERE` counts for nothing; numbers: (n, k) both."""

NOWHERE = -100  # the class of a position that was moved in from outside; torch's own `ignore_index`

_DEFAULT = {
    "classification": "cross_entropy",
    "next_token": "cross_entropy",
    "multilabel": "cross_entropy",
    "segmentation": "cross_entropy",
    "regression": "mse",
}
_FOR_NUMBERS = ("mse", "mae", "huber")
_FOR_ALL = ("mse",)  # of classes as well


def training_loss(settings: Settings, kind: str, counts: torch.Tensor | None = None) -> Loss:
    """The loss with the regularizers of targets, and weights of classes by their `counts`.

    Raises DataError where one does not fit the task.
    """
    smoothing = call(settings, "label_smoothing")
    if smoothing is not None and kind not in ("classification", "next_token", "segmentation"):
        raise DataError("label_smoothing is for classes", help=f"leave it out of a {kind}")
    loss = _loss(settings, kind, counts, 0.0 if smoothing is None else numbers(smoothing)["rate"])
    return _over_positions(loss) if kind == "next_token" else loss


def measured_loss(settings: Settings, kind: str) -> Loss:
    """The loss alone, as validation measures it. Raises DataError where it does not fit the task."""
    return _over_positions(_loss(settings, kind)) if kind == "next_token" else _loss(settings, kind)


def _loss(settings: Settings, kind: str, counts: torch.Tensor | None = None, smoothing: float = 0.0) -> Loss:
    spec = call(settings, "loss") or Spec(_DEFAULT[kind], {"weights": "none"})
    of_classes = spec.name in _FOR_ALL and kind == "classification"
    if (spec.name in _FOR_NUMBERS) != (kind == "regression") and not of_classes:
        raise DataError(f"the loss `{spec.name}` does not fit a {kind}", help=f"use `{_DEFAULT[kind]}`")
    if spec.name == "focal" and kind == "multilabel":
        raise DataError("the loss `focal` looks at one class a sample", help="use `cross_entropy`")
    weights = None
    if spec.arguments.get("weights") == "balanced":
        if kind not in ("classification", "segmentation"):
            raise DataError(f"weights of classes need classes, and this is a {kind}")
        weights = None if counts is None else counts.sum() / (len(counts) * counts.clamp_min(1))
    match spec.name:
        case "cross_entropy" if kind == "multilabel":
            return functional.binary_cross_entropy_with_logits
        case "mse" if of_classes:
            return partial(squared_error_of_classes, smoothing=smoothing)
        case "cross_entropy":
            return partial(functional.cross_entropy, weight=weights, label_smoothing=smoothing)
        case "focal":
            focal = partial(focal_loss, gamma=numbers(spec)["gamma"], weights=weights, smoothing=smoothing)
            return _over_map(focal) if kind == "segmentation" else focal
        case "mae":
            return functional.l1_loss
        case "huber":
            return partial(functional.huber_loss, delta=numbers(spec)["delta"])
        case _:
            return functional.mse_loss


def squared_error_of_classes(
    outputs: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0
) -> torch.Tensor:
    """Mean squared error of the outputs themselves against one-hot targets (Hui & Belkin 2020, arXiv 2006.07322,
    unscaled), over samples and classes. outputs (n, classes); targets (n,), or shares (n, classes).
    """
    return functional.mse_loss(outputs, _shares(outputs, targets, smoothing))


def focal_loss(
    outputs: torch.Tensor,
    targets: torch.Tensor,
    gamma: float,
    weights: torch.Tensor | None = None,
    smoothing: float = 0.0,
) -> torch.Tensor:
    """-(1 - p)^gamma log p of the right class (Lin et al. 2017, arXiv 1708.02002, equation 5), averaged.

    Targets are classes (n,) or shares (n, classes), which weigh the terms of the classes. Labels (n, labels)
    of a multilabel task never come here: their loss is chosen before.
    """
    logs = outputs.log_softmax(1)
    targets = _shares(outputs, targets, smoothing)
    if weights is not None:
        targets = targets * weights
    terms = -targets * (1 - logs.exp()) ** gamma * logs
    return terms.sum(1).mean() if weights is None else terms.sum() / targets.sum()


def _shares(outputs: torch.Tensor, targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Targets as shares of the classes, smoothed: (n, classes)."""
    if targets.ndim == 1:
        targets = functional.one_hot(targets, outputs.shape[1]).to(outputs.dtype)
    return (1 - smoothing) * targets + smoothing / outputs.shape[1]


def _over_positions(loss: Loss) -> Loss:
    """The mean over all positions: outputs (n, positions, symbols), targets (n, positions)."""

    def flat(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return loss(outputs.flatten(0, -2), targets.flatten())

    return flat


def _over_map(loss: Loss) -> Loss:
    """The mean over all positions that have a class: outputs (n, classes, *positions), targets (n, *positions)."""

    def flat(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        there = targets.flatten() != NOWHERE
        return loss(outputs.movedim(1, -1).flatten(0, -2)[there], targets.flatten()[there])

    return flat

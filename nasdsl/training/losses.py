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

_DEFAULT = {"classification": "cross_entropy", "regression": "mse"}


def training_loss(settings: Settings, kind: str) -> Loss:
    """The loss with the regularizers of targets. Raises DataError where one does not fit the task."""
    smoothing = call(settings, "label_smoothing")
    if smoothing is None:
        return measured_loss(settings, kind)
    if kind != "classification":
        raise DataError("label_smoothing is for classes", help="leave it out of a regression")
    return partial(functional.cross_entropy, label_smoothing=numbers(smoothing)["rate"])


def measured_loss(settings: Settings, kind: str) -> Loss:
    """The loss alone, as validation measures it. Raises DataError where it does not fit the task."""
    spec = call(settings, "loss") or Spec(_DEFAULT[kind])
    if (spec.name == "cross_entropy") != (kind == "classification"):
        raise DataError(f"the loss `{spec.name}` does not fit a {kind}", help=f"use `{_DEFAULT[kind]}`")
    match spec.name:
        case "cross_entropy":
            return functional.cross_entropy
        case "mae":
            return functional.l1_loss
        case "huber":
            return partial(functional.huber_loss, delta=numbers(spec)["delta"])
        case _:
            return functional.mse_loss

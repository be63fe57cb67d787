"""Optimizers of the table as torch's own, fused where torch has a fused kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from compiler.hooks import parameter_groups
from nasdsl.language.network import Spec
from nasdsl.training.errors import DataError
from nasdsl.training.settings import numbers

Groups = list[dict[str, Any]]


def optimizer(spec: Spec, module: nn.Module, weight_decay: float | None = None) -> torch.optim.Optimizer:
    """An optimizer over the trainable weights of a module.

    `weight_decay` takes the place of the optimizer's own; which tensors it pulls is for `compiler.hooks` to say.
    Raises DataError for a module without trainable weights.
    """
    arguments = numbers(spec)
    decay = arguments["weight_decay"] if weight_decay is None else weight_decay
    groups = parameter_groups(module, decay)
    if not groups:
        raise DataError(
            "the network has no weights to train", help="add a layer with weights: `linear(outputs)`"
        )
    made = _MAKE[spec.name](groups, spec, arguments)
    for group in made.param_groups:
        group["full_lr"] = arguments["lr"]
    return made


def set_rate(made: torch.optim.Optimizer, factor: float) -> None:
    """Set the rate to this share of the full one."""
    for group in made.param_groups:
        group["lr"] = group["full_lr"] * factor


def _sgd(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    nesterov = spec["nesterov"] is True and a["momentum"] > 0
    return torch.optim.SGD(groups, a["lr"], a["momentum"], nesterov=nesterov, fused=True)


def _adam(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, a["lr"], (a["beta1"], a["beta2"]), a["eps"], fused=True)


def _adamw(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, a["lr"], (a["beta1"], a["beta2"]), a["eps"], fused=True)


def _rmsprop(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(groups, a["lr"], a["alpha"], momentum=a["momentum"])


_MAKE: Mapping[str, Callable[[Groups, Spec, Mapping[str, float]], torch.optim.Optimizer]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adamw,
    "rmsprop": _rmsprop,
}

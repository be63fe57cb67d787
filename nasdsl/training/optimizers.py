"""Optimizers of the table as torch's own, fused where torch has a fused kernel."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from compiler.hooks import parameter_groups, rate_factors
from nasdsl.language.network import Spec
from nasdsl.training.errors import DataError
from nasdsl.training.layers import head
from nasdsl.training.lion import Lion
from nasdsl.training.muon import Muon
from nasdsl.training.settings import numbers

Groups = list[dict[str, Any]]
_DECOUPLED = ("adamw", "lion")  # decay is rate times decay times weight, apart from the gradient


def optimizer(
    spec: Spec,
    module: nn.Module,
    weight_decay: float | None = None,
    more: Sequence[nn.Parameter] = (),
    rates: Sequence[Mapping[int, float]] = (),
) -> torch.optim.Optimizer:
    """An optimizer over the trainable weights of a module, and `more` of methods, which do not decay.

    `rates` are factors on the rates of tensors, by their id, beside those that modules of the network ask for;
    decoupled decay is the same whatever the factor.
    `weight_decay` takes the place of the optimizer's own; which tensors it pulls is for `compiler.hooks` to say.
    Each group keeps its rate in `full_lr`. Raises DataError for a module without trainable weights.
    """
    arguments = numbers(spec)
    decay = arguments["weight_decay"] if weight_decay is None else weight_decay
    groups = parameter_groups(module, decay)
    if not groups:
        raise DataError(
            "the network has no weights to train", help="add a layer with weights: `linear(outputs)`"
        )
    if more:
        groups.append({"params": list(more), "weight_decay": 0.0})
    own = rate_factors(module)
    if rates or own:
        groups = _by_rate(groups, (*rates, own), arguments["lr"], decoupled=spec.name in _DECOUPLED)
    if spec.name == "muon":
        groups = _by_stepping(groups, module, arguments)
    made = _MAKE[spec.name](groups, spec, arguments)
    for group in made.param_groups:
        group.setdefault("full_lr", arguments["lr"])
    set_rate(made, 1.0)
    return made


def _by_rate(groups: Groups, rates: Sequence[Mapping[int, float]], lr: float, decoupled: bool) -> Groups:
    """A group for each factor on the rate."""
    found: Groups = []
    for group in groups:
        by_factor: dict[float, list[nn.Parameter]] = {}
        for p in group["params"]:
            factor = math.prod(one.get(id(p), 1.0) for one in rates)
            by_factor.setdefault(factor, []).append(p)
        for factor, chosen in by_factor.items():
            decay = group["weight_decay"] / factor if decoupled else group["weight_decay"]
            found.append({**group, "params": chosen, "weight_decay": decay, "full_lr": lr * factor})
    return found


def _by_stepping(groups: Groups, module: nn.Module, arguments: Mapping[str, float]) -> Groups:
    """Hidden matrices and kernels apart from all that AdamW steps."""
    apart: list[nn.Module] = [one for one in module.modules() if isinstance(one, nn.Embedding)]
    last = head(module)
    apart += [] if last is None else [last]
    not_hidden = {id(p) for one in apart for p in one.parameters()}
    found: Groups = []
    for group in groups:
        for matrices in (True, False):
            chosen = [p for p in group["params"] if (p.ndim > 1 and id(p) not in not_hidden) is matrices]
            rate = arguments["lr"] if matrices else arguments["other_lr"]
            rate *= group.get("full_lr", arguments["lr"]) / arguments["lr"]
            found.append({**group, "params": chosen, "matrices": matrices, "full_lr": rate})
    return [group for group in found if group["params"]]


def set_rate(made: torch.optim.Optimizer, factor: float) -> None:
    """Set the rate to this share of the full one."""
    for group in made.param_groups:
        rate = group["full_lr"] * factor
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)  # where a graph reads it
        else:
            group["lr"] = rate


def _sgd(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    nesterov = spec["nesterov"] is True and a["momentum"] > 0
    return torch.optim.SGD(groups, a["lr"], a["momentum"], nesterov=nesterov, fused=True)


def _adam(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, a["lr"], (a["beta1"], a["beta2"]), a["eps"], fused=True)


def _adamw(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, a["lr"], (a["beta1"], a["beta2"]), a["eps"], fused=True)


def _rmsprop(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(groups, a["lr"], a["alpha"], momentum=a["momentum"])


def _lion(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    return Lion(groups, a["lr"], (a["beta1"], a["beta2"]))


def _muon(groups: Groups, spec: Spec, a: Mapping[str, float]) -> torch.optim.Optimizer:
    return Muon(groups, a["lr"], a["momentum"], spec["nesterov"] is True)


_MAKE: Mapping[str, Callable[[Groups, Spec, Mapping[str, float]], torch.optim.Optimizer]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adamw,
    "rmsprop": _rmsprop,
    "lion": _lion,
    "muon": _muon,
}

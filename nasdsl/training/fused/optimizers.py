"""The optimizer steps of a group: torch's fused kernels, called for each member with its own rates.

Members whose settings are all alike take one call for the whole stack. The kernels read raw memory and
ignore strides on the CPU: what they get here is contiguous. Optimizers without such a kernel step as they
do alone, on views of the stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from nasdsl.training.fused.layers import Layer

Optimizer: TypeAlias = torch.optim.Optimizer
_KERNELS = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)
_NOT_HYPER = ("params", "lr", "full_lr")


@dataclass(eq=False)
class _Weight:
    """A stacked parameter with the state of its optimizer, members first."""

    layer: Layer
    name: str
    parameter: nn.Parameter
    first: Tensor
    second: Tensor

    def of(self, place: int | None) -> list[Tensor]:
        """Parameter, gradient and state of one member, or of all."""
        grad = self.parameter.grad
        assert grad is not None and grad.is_contiguous() and self.parameter.is_contiguous()
        whole = [self.parameter.detach(), grad, self.first, self.second]
        return whole if place is None else [tensor[place] for tensor in whole]


class GroupOptimizer:
    """Steps all members; `optimizers` are their own, which hold their settings."""

    def __init__(self, layers: Sequence[Layer], optimizers: Sequence[Optimizer]) -> None:
        self._optimizers = list(optimizers)
        self._weights = [
            _Weight(layer, name, parameter, torch.zeros_like(parameter), torch.zeros_like(parameter))
            for layer in layers
            for name, parameter in layer.named_parameters(recurse=False)
        ]
        self._steps = 0
        self.kernels = all(type(one) in _KERNELS for one in optimizers)
        self._step_of = torch.zeros((), device=self._weights[0].parameter.device)

    def keep(self, places: list[int]) -> None:
        self._optimizers = [self._optimizers[place] for place in places]
        for weight in self._weights:
            index = torch.tensor(places, device=weight.first.device)
            weight.first, weight.second = weight.first[index], weight.second[index]

    def zero_grad(self) -> None:
        for weight in self._weights:
            weight.parameter.grad = None

    def share_gradients(self) -> None:
        """Let the separate parameters see their gradients, for what looks at those of one network."""
        for weight in self._weights:
            grad = weight.parameter.grad
            if grad is not None:
                for place, part in enumerate(weight.layer.parts):
                    getattr(part, weight.name).grad = weight.layer.view(weight.name, grad, place)

    def step(self) -> None:
        if not self.kernels:
            self.share_gradients()
            for optimizer in self._optimizers:
                optimizer.step()
            return
        self._steps += 1
        self._step_of += 1
        if len({_settings(optimizer) for optimizer in self._optimizers}) == 1:
            self._run(0, None)
            return
        for place in range(len(self._optimizers)):
            self._run(place, place)

    def _run(self, member: int, place: int | None) -> None:
        """One member, or all where place is None, by the settings of `member`."""
        for group, weights in self._groups(member):
            columns = [list(column) for column in zip(*(weight.of(place) for weight in weights), strict=True)]
            _apply(self._optimizers[member], group, columns, self._step_of, self._steps == 1)

    def _groups(self, member: int) -> list[tuple[Mapping[str, Any], list[_Weight]]]:
        """The groups of a member's optimizer (what decays, what does not) as stacked weights."""
        by_id = {id(getattr(w.layer.parts[member], w.name)): w for w in self._weights}
        return [
            (group, [by_id[id(p)] for p in group["params"]])
            for group in self._optimizers[member].param_groups
        ]


def _settings(optimizer: Optimizer) -> str:
    """Everything that decides a step, as text to compare."""
    groups = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    return f"{type(optimizer).__name__} {groups}"


def _apply(
    optimizer: Optimizer, group: Mapping[str, Any], columns: list[list[Tensor]], step: Tensor, is_first: bool
) -> None:
    parameters, gradients, first, second = columns
    if isinstance(optimizer, torch.optim.SGD):
        torch._fused_sgd_(
            parameters,
            gradients,
            first if group["momentum"] else [],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            lr=group["lr"],
            dampening=group["dampening"],
            nesterov=group["nesterov"],
            maximize=False,
            is_first_step=is_first,
        )
        return
    kernel = torch._fused_adamw_ if isinstance(optimizer, torch.optim.AdamW) else torch._fused_adam_
    kernel(
        parameters,
        gradients,
        first,
        second,
        [],
        [step] * len(parameters),
        lr=group["lr"],
        beta1=group["betas"][0],
        beta2=group["betas"][1],
        weight_decay=group["weight_decay"],
        eps=group["eps"],
        amsgrad=False,
        maximize=False,
    )

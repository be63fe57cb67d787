"""The optimizer steps of a group: torch's fused kernels, called for each member with its own rates.

Members whose settings are all alike take one call for the whole stack. The kernels read raw memory and
ignore strides on the CPU: what they get here is contiguous. Optimizers without such a kernel step as they
do alone, on views of the stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from nasdsl.training.fused.layers import Layer
from nasdsl.training.stepping import step

Optimizer: TypeAlias = torch.optim.Optimizer
_KERNELS = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)


@dataclass(eq=False)
class _Weight:
    """A stacked parameter with the state of its optimizer, members first."""

    layer: Layer
    name: str
    parameter: nn.Parameter
    first: Tensor
    second: Tensor

    @property
    def grad(self) -> Tensor:
        grad = self.parameter.grad
        assert grad is not None and grad.is_contiguous()
        return grad

    def held(self, place: int | None) -> tuple[Tensor, Tensor, Tensor]:
        """The parameter and its state, of one member or of all."""
        whole = self.parameter.detach(), self.first, self.second
        return whole if place is None else (whole[0][place], whole[1][place], whole[2][place])


@dataclass(frozen=True, eq=False)
class _Call:
    """One call of a kernel: a group of an optimizer's settings, and the tensors that take them."""

    optimizer: Optimizer
    group: Mapping[str, Any]
    weights: list[int]
    place: int | None
    held: list[tuple[Tensor, Tensor, Tensor]]


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
        self._step_of = torch.zeros((), device=self._weights[0].parameter.device)
        self._with_kernels = all(type(one) in _KERNELS for one in optimizers)
        self._calls: dict[bool, list[_Call]] = {}  # for all as one, and for each

    def keep(self, places: list[int]) -> None:
        self._optimizers = [self._optimizers[place] for place in places]
        for weight in self._weights:
            index = torch.tensor(places, device=weight.first.device)
            weight.first, weight.second = weight.first[index], weight.second[index]
        self._calls.clear()

    def changed(self) -> Iterator[Tensor]:
        """Every tensor that a step changes."""
        for weight in self._weights:
            yield from (weight.parameter, weight.first, weight.second)
        yield self._step_of

    def zero_grad(self) -> None:
        for weight in self._weights:
            weight.parameter.grad = None

    def share_gradients(self) -> None:
        """Let the separate parameters see their gradients, for what looks at those of one network."""
        for weight in self._weights:
            for place, part in enumerate(weight.layer.parts):
                getattr(part, weight.name).grad = weight.layer.view(weight.name, weight.grad, place)

    def step(self) -> None:
        if not self._with_kernels:
            self.share_gradients()
            for optimizer in self._optimizers:
                step(optimizer)
            return
        self._steps += 1
        self._step_of += 1
        as_one = all(_alike(self._optimizers[0], other) for other in self._optimizers[1:])
        if as_one not in self._calls:
            self._calls[as_one] = self._made(as_one)
        grads = [(weight.grad,) if as_one else weight.grad.unbind() for weight in self._weights]
        for call in self._calls[as_one]:
            own = [grads[weight][call.place or 0] for weight in call.weights]
            _apply(call, own, self._step_of, self._steps == 1)

    def _made(self, as_one: bool) -> list[_Call]:
        """A call for each group of each optimizer (what decays, what does not)."""
        calls = []
        for place, optimizer in enumerate(self._optimizers[:1] if as_one else self._optimizers):
            by_id = {id(getattr(w.layer.parts[place], w.name)): i for i, w in enumerate(self._weights)}
            for group in optimizer.param_groups:
                weights = [by_id[id(parameter)] for parameter in group["params"]]
                own = None if as_one else place
                held = [self._weights[w].held(own) for w in weights]
                calls.append(_Call(optimizer, group, weights, own, held))
        return calls


def _alike(a: Optimizer, b: Optimizer) -> bool:
    """Whether a step of both is the same: class and all settings. Rates on a device are not looked at there."""
    if any(isinstance(group["lr"], Tensor) for group in a.param_groups):
        return False
    return type(a) is type(b) and all(
        x[name] == y[name]
        for x, y in zip(a.param_groups, b.param_groups, strict=True)
        for name in x
        if name != "params"
    )


def _apply(call: _Call, gradients: list[Tensor], step: Tensor, is_first: bool) -> None:
    optimizer, group = call.optimizer, call.group
    parameters, first, second = (list(column) for column in zip(*call.held, strict=True))
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

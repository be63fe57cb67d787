"""What a module inside a network may ask of a training, and the calls by which a training answers.

A module takes part by having any of these; no base class is needed.

    auxiliary_loss() -> Tensor        already weighted, a scalar; added to the training loss after each forward
    set_progress(step, total)         before each step, steps from 0; for schedules
    after_backward(members, forward)  a static method, once per class: `members` are its modules in the network,
                                      `forward()` runs the network on the current batch again; may change `.grad`
    after_step() -> tensors | None    after each step of the optimizer: projections, masks, new subspaces; the
                                      optimizer is to forget what it has seen of the tensors that come back
    decay_on                          "original": weight decay pulls the module's own tensors of two or more axes;
                                      "none": it pulls none of them; "effective": none of them either, and the rate goes
                                      to the attribute `effective_decay`, for the module's `auxiliary_loss` to apply

A training collects them once, `hooks = Hooks(network)`, and then calls, in this order and for each step:
`set_progress`, forward, `auxiliary_loss`, backward, `after_backward`, the optimizer's step, `after_step`.
`parameter_groups` gives the optimizer its tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

DECAY_ON = ("original", "effective", "none")

Forward = Callable[[], Tensor | Mapping[str, Tensor]]


class Hooks:
    """The hooks of one network. Truthy where there are any; modules added later are not seen."""

    def __init__(self, module: nn.Module) -> None:
        modules = list(module.modules())
        self._losses = _offering(modules, "auxiliary_loss")
        self._schedules = _offering(modules, "set_progress")
        self._steps = _offering(modules, "after_step")
        self._classes: dict[type[nn.Module], list[nn.Module]] = {}
        for found in modules:
            if hasattr(type(found), "after_backward"):
                self._classes.setdefault(type(found), []).append(found)

    def __bool__(self) -> bool:
        return bool(self._losses or self._schedules or self._steps or self._classes)

    def auxiliary_loss(self) -> Tensor | None:
        """The sum of what the modules add to the loss of the last forward; None where none adds any."""
        terms = [loss() for loss in self._losses]
        return sum(terms[1:], start=terms[0]) if terms else None

    def set_progress(self, step: int, total: int) -> None:
        """Tell of the step that comes, of `total`."""
        for tell in self._schedules:
            tell(step, total)

    def after_backward(self, forward: Forward) -> None:
        """Let each class of modules change its gradients; `forward` runs the network on the batch."""
        for cls, members in self._classes.items():
            act: Callable[[list[nn.Module], Forward], None] = getattr(cls, "after_backward")  # noqa: B009
            act(members, forward)

    def after_step(self) -> list[Tensor]:
        """Tell of a step that the optimizer has made. Its state for the tensors returned is stale."""
        return [tensor for act in self._steps for tensor in act() or ()]


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The trainable tensors of a network as groups for an optimizer: those that decay, then those that do not.

    Tensors of one axis (biases, scales of norms) never decay. Others do, unless the module that holds them says
    otherwise by `decay_on`; of a parametrized weight, its parametrizations say. Frozen tensors are in no group,
    empty groups are left out, and a tensor that several modules share comes once.
    """
    spared: set[int] = set()
    for holder in module.modules():
        parts = list(holder.children()) if isinstance(holder, ParametrizationList) else [holder]
        for part in parts:
            if _policy(part) != "original":
                spared.update(id(tensor) for tensor in holder.parameters(recurse=False))
            if _policy(part) == "effective":
                setattr(part, "effective_decay", weight_decay)  # noqa: B010
    trained = [tensor for tensor in module.parameters() if tensor.requires_grad]
    decayed = [tensor for tensor in trained if tensor.ndim > 1 and id(tensor) not in spared]
    rest = [tensor for tensor in trained if tensor.ndim <= 1 or id(tensor) in spared]
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def _offering(modules: list[nn.Module], hook: str) -> list[Callable[..., Any]]:
    return [getattr(module, hook) for module in modules if hasattr(type(module), hook)]


def _policy(module: nn.Module) -> str:
    policy = getattr(module, "decay_on", "original")
    assert policy in DECAY_ON, f"{type(module).__name__}.decay_on is {policy!r}"
    return str(policy)

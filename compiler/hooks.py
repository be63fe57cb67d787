"""What a module inside a network may ask of a training, and the calls by which a training answers.

A module takes part by having any of these; no base class is needed.

    auxiliary_loss() -> Tensor        already weighted, a scalar; added to the training loss after each forward
    set_progress(step, total)         before each step, steps from 0; for schedules
    after_backward(members, forward)  a static method, once per class: `members` are its modules in the network,
                                      `forward()` runs the network on the current batch again; may change `.grad`
    after_step() -> tensors | None    after each step of the optimizer: projections, masks, new subspaces; the
                                      optimizer is to forget what it has seen of the tensors that come back
    reports(*inputs) -> {name: tensor}
                                      of a forward pass in evaluation; the mean of all numbers of a name, over a part
                                      of the data and all modules, is the measure of that name
    decay_on                          "original": weight decay pulls the module's own tensors of two or more axes;
                                      "none": it pulls none of them; "effective": none of them either, and the rate goes
                                      to the attribute `effective_decay`, for the module's `auxiliary_loss` to apply
    rate_factor                       a number: the module's own tensors learn at this share of the rate

A training collects them once, `hooks = Hooks(network)`, and then calls, in this order and for each step:
`set_progress`, forward, `auxiliary_loss`, backward, `after_backward`, the optimizer's step, `after_step`.
Where it measures the network, it does so `with watching(network) as seen` and adds `seen.means()` to what it finds.
`parameter_groups` gives the optimizer its tensors, `rate_factors` the shares of the rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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


class Seen:
    """What modules have reported so far."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, reports: Mapping[str, Tensor]) -> None:
        for name, numbers in reports.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = total + float(numbers.double().sum()), count + numbers.numel()

    def means(self) -> dict[str, float]:
        """Of each name; {} where no module reports anything."""
        return {name: total / count for name, (total, count) in self._sums.items()}


@contextmanager
def watching(module: nn.Module) -> Iterator[Seen]:
    """Gathers what the modules of a network report of each forward pass."""
    seen = Seen()

    def hear(part: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        reports: Callable[..., Mapping[str, Tensor]] = getattr(part, "reports")  # noqa: B009
        seen.add(reports(*inputs))

    handles = [p.register_forward_hook(hear) for p in module.modules() if hasattr(type(p), "reports")]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


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


def rate_factors(module: nn.Module) -> dict[int, float]:
    """Shares of the rate at which tensors learn, by their id, for those whose module asks for another than 1."""
    return {
        id(tensor): float(getattr(part, "rate_factor"))  # noqa: B009
        for part in module.modules()
        if hasattr(part, "rate_factor")
        for tensor in part.parameters(recurse=False)
    }


def _offering(modules: list[nn.Module], hook: str) -> list[Callable[..., Any]]:
    return [getattr(module, hook) for module in modules if hasattr(type(module), hook)]


def _policy(module: nn.Module) -> str:
    policy = getattr(module, "decay_on", "original")
    assert policy in DECAY_ON, f"{type(module).__name__}.decay_on is {policy!r}"
    return str(policy)

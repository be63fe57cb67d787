"""Finding the layers of a network that methods and measures speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from compiler.plan import Plan

WEIGHTED = (nn.Linear, nn.modules.conv._ConvNd)


def weighted(module: nn.Module) -> list[nn.Module]:
    """Linear layers and convolutions in the order in which they were built."""
    return [one for one in module.modules() if isinstance(one, WEIGHTED)]


def head(module: nn.Module) -> nn.Module | None:
    """The last layer with weights, which makes the answers; None where there is none."""
    found = weighted(module)
    return found[-1] if found else None


def effective_weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """Trainable weights by name, as the network uses them: what a parametrization makes, not what it keeps."""
    found: dict[str, torch.Tensor] = {}
    for path, one in module.named_modules():
        if ".parametrizations" in f".{path}":
            continue
        parametrized = getattr(one, "parametrizations", {})
        prefix = f"{path}." if path else ""
        found |= {f"{prefix}{name}": getattr(one, name) for name in parametrized}
        found |= {f"{prefix}{n}": p for n, p in one.named_parameters(recurse=False) if p.requires_grad}
    return found


class Features:
    """The inputs of the last layer with weights, (n, features), of the latest forward pass."""

    def __init__(self) -> None:
        self.latest: torch.Tensor | None = None

    def __deepcopy__(self, memo: object) -> Features:
        """A copy of a network has not run yet; and what a pass kept is part of a graph, which cannot be copied."""
        return Features()

    def keep(self, module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        """A hook before the layer."""
        self.latest = inputs[0]

    def flat(self) -> torch.Tensor:
        """Of the latest forward pass, one row a sample, (n, features)."""
        assert self.latest is not None, "the network has not run yet"
        return self.latest.flatten(1)


@contextmanager
def watching_features(module: nn.Module) -> Iterator[Features]:
    """While this lasts, `Features.latest` follows each forward pass of the network."""
    features = Features()
    last = head(module)
    handle = last.register_forward_pre_hook(features.keep) if last is not None else None
    try:
        yield features
    finally:
        if handle is not None:
            handle.remove()


def residual_joins(plan: Plan) -> list[tuple[str, int]]:
    """The additions that end residual bodies, in order: name of the node, and which input is the branch."""
    nodes = {node.name: node for node in plan.nodes}
    found = []
    for node in plan.nodes:
        if node.op != "add" or len(node.inputs) != 2:
            continue
        branch, skip = node.inputs
        if skip in nodes and nodes[skip].op in ("project", "pad"):
            skip = nodes[skip].inputs[0]
        if skip in _ancestors(branch, {name: one.inputs for name, one in nodes.items()}):
            found.append((node.name, 0))
    return found


def _ancestors(name: str, inputs: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for source in inputs.get(waiting.pop(), ()):
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found

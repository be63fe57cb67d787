"""The features of a network: what its last weighted layer takes, which for a classifier is the embedding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import fx, nn

from nasdsl.training.errors import DataError


def weighted_modules(module: nn.Module) -> Iterator[nn.Module]:
    """The modules that a built network calls and that have matrices of weights, in order."""
    assert isinstance(module, fx.GraphModule)
    for node in module.graph.nodes:
        if node.op == "call_module":
            called = module.get_submodule(str(node.target))
            if any(parameter.ndim > 1 for parameter in called.parameters()):
                yield called


@contextmanager
def capturing(module: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Collects the features of each forward pass within, (n, …). Raises DataError without a weighted layer."""
    last = None
    for last in weighted_modules(module):  # noqa: B007 - the last one is wanted
        pass
    if last is None:
        message = "features are what the last weighted layer takes, and this network has none"
        raise DataError(message, help="leave `rankme` and `nc1` out")
    kept: list[torch.Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    try:
        yield kept
    finally:
        hook.remove()

"""Telling experts with enforced routes (`widen(…, route = enforced)`) whose samples they get."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from compiler.modules import EnforcedExperts


@contextmanager
def enforced(network: nn.Module, route: Tensor) -> Iterator[None]:
    """Within, sample i of each batch goes to expert `route[i]` of every such mixture of the network.

    route: (batch,), integers from 0. A sample that no expert is there for gives an IndexError when it comes.
    """
    mixtures = [module for module in network.modules() if isinstance(module, EnforcedExperts)]
    for mixture in mixtures:
        mixture.route = route
    try:
        yield
    finally:
        for mixture in mixtures:
            mixture.route = None

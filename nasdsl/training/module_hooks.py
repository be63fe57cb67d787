"""What modules of a network ask of whoever trains it: losses of their own, the progress, a word after steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class ModuleHooks:
    """The hooks that the modules of one network have, in the order of its modules.

    auxiliary: () -> a loss of its own, already weighted, of the last forward pass.
    progress: (steps done, steps in all), before each step. after: () after each step of the optimizer.
    """

    auxiliary: tuple[Callable[[], torch.Tensor], ...]
    progress: tuple[Callable[[int, int], None], ...]
    after: tuple[Callable[[], None], ...]

    @classmethod
    def of(cls, module: nn.Module) -> ModuleHooks:
        """A module that stands in several places is asked once."""

        def having(name: str) -> tuple[Callable[..., object], ...]:
            return tuple(getattr(one, name) for one in module.modules() if hasattr(type(one), name))

        return cls(having("auxiliary_loss"), having("set_progress"), having("after_step"))  # type: ignore[arg-type]

"""The joints of a training. A method is one file in `methods/` that hangs on some of them.

A maker `(Spec, Setup) -> Parts` turns the call in `train { }` into plain callables, each on its joint:

    epoch starts        before_epoch            select rows, freeze, snapshot
      batch             augment, retarget, mix  one after the other, in this order
      forward, loss     terms                   added to the loss; `observers` see the outputs
      backward          gradients               clip, project
      optimizer step    project, restructure, average, in this order
    epoch ends          after_epoch             with the measures of the validation part

Whatever a method remembers lives in its own callables; what it may know of the run is in Setup (once,
before the first step) and in Course (in every call).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import torch
from torch import nn

from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.losses import Loss
from nasdsl.training.settings import Settings

if TYPE_CHECKING:
    from compiler.plan import Plan
    from nasdsl.training.resident import Resident


@dataclass(frozen=True)
class Setup:
    """What a method is made from: one network on one fold, before the first step.

    rows: that train, (n,), in the order of the data, on the CPU. loss: as validation measures it.
    outputs, widths: of the first output, and of each by name.
    n_steps: as many as the training can have; `until` may end it before.
    """

    module: nn.Module
    plan: Plan
    settings: Settings
    data: Resident
    kind: str
    outputs: int
    widths: Mapping[str, int]
    rows: torch.Tensor
    batch_size: int
    n_epochs: int
    n_steps: int
    seed: int
    device: torch.device
    loss: Loss
    counts: torch.Tensor | None = (
        None  # rows, or positions of maps, of each class that train; None for tasks without classes
    )

    def chance(self, name: str) -> np.random.Generator:
        """A stream of its own for each method: adding one does not change what another draws."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])


@dataclass
class Course:
    """Where a training stands. step, epoch: how many are done, from 0. rows: that train, in this epoch.
    seconds: spent in training, not in measuring."""

    module: nn.Module
    optimizer: torch.optim.Optimizer
    n_epochs: int
    n_steps: int
    rows: torch.Tensor
    step: int = 0
    epoch: int = 0
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """Of all steps, done."""
        return self.step / self.n_steps


class BatchTransform(Protocol):
    """Changes a training batch before the network sees it."""

    def __call__(self, batch: Batch, course: Course) -> Batch: ...


class LossTerm(Protocol):
    """A scalar that is added to the loss, already weighted. It may run the network again."""

    def __call__(self, batch: Batch, outputs: Tensors, course: Course) -> torch.Tensor: ...


class Observer(Protocol):
    """Sees what the network made of a batch, after the step; outputs are detached."""

    def __call__(self, batch: Batch, outputs: Tensors, course: Course) -> None: ...


class Measured(Protocol):
    """Is told the measures of the validation part after an epoch."""

    def __call__(self, course: Course, measures: Mapping[str, float]) -> None: ...


Hook: TypeAlias = Callable[[Course], None]


@dataclass(frozen=True)
class Parts:
    """What a method adds to a training, by joint.

    weights: its own, trained beside those of the network. rates: factors on the rate of single tensors, by their
    id. measured: the network to measure and keep, where
    it is not the one that is trained. fuses: whether it acts on a fused training just as on one network.
    """

    before_epoch: tuple[Hook, ...] = ()
    augment: tuple[BatchTransform, ...] = ()
    retarget: tuple[BatchTransform, ...] = ()
    mix: tuple[BatchTransform, ...] = ()
    terms: tuple[LossTerm, ...] = ()
    observers: tuple[Observer, ...] = ()
    gradients: tuple[Hook, ...] = ()
    project: tuple[Hook, ...] = ()
    restructure: tuple[Hook, ...] = ()
    average: tuple[Hook, ...] = ()
    after_epoch: tuple[Measured, ...] = ()
    weights: tuple[nn.Parameter, ...] = ()
    rates: tuple[Mapping[int, float], ...] = ()
    measured: tuple[Callable[[], nn.Module], ...] = ()
    fuses: bool = field(default=False, kw_only=True)


Maker: TypeAlias = Callable[[Spec, Setup], Parts]


def together(all_parts: Iterable[Parts]) -> Parts:
    """All parts on their joints, in order."""
    every = list(all_parts)
    names = [one.name for one in fields(Parts) if one.name != "fuses"]
    joined = {name: tuple(item for parts in every for item in getattr(parts, name)) for name in names}
    return Parts(**joined, fuses=all(parts.fuses for parts in every))

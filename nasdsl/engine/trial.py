"""The Trial that a custom `evaluate` gets: what to try, and ways to talk to the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasdsl.engine import checkpoints
from nasdsl.language.point import Point

if TYPE_CHECKING:
    from torch.fx import GraphModule

    from nasdsl.language.space import Space


@dataclass(frozen=True)
class Trial:
    """One numbered attempt, inside its worker process.

    `seed` is for the trial's own chance; `budget` the epochs asked for, None for all;
    `device` where to compute, as torch names it.
    """

    number: int
    point: Point
    seed: int
    budget: int | None
    device: str
    space: Space | None = field(repr=False)
    _folder: Path = field(repr=False)
    _report: Callable[[float, float], None] = field(repr=False)
    _should_stop: Callable[[], bool] = field(repr=False)

    def build(self) -> GraphModule:
        """The network of the point, initialised by the trial's seed, on its device.

        Raises ValueError where the space has no network.
        """
        if self.space is None or not self.space.has_network:
            raise ValueError("this space has no network to build; use trial.point")
        from compiler.build import build
        from compiler.plan import plan

        return build(plan(self.space, self.point), seed=self.seed).to(self.device)

    def report(self, step: float, score: float) -> None:
        """Tell the run how it goes; scores are maximised, NaN is passed over."""
        self._report(float(step), float(score))

    def should_stop(self) -> bool:
        """Whether the run wants this trial to return now, with the score it has."""
        return self._should_stop()

    def save(self, name: str, state: Mapping[str, Any]) -> None:
        """Keep tensors, arrays, numbers and strings; a restarted trial finds them by `load`."""
        checkpoints.save(self._folder, name, state)

    def load(self, name: str) -> dict[str, Any] | None:
        """What `save` kept under this name, tensors on the CPU; None where there is nothing."""
        return checkpoints.load(self._folder, name)

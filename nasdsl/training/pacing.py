"""How long a training can be: steps and epochs, after all that shortens them; and what ends it while it runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from nasdsl.language.network import Spec
from nasdsl.training.errors import DataError
from nasdsl.training.methods.subset import n_kept_of
from nasdsl.training.settings import Settings, call, numbers


@dataclass(frozen=True)
class Length:
    """Of a training: `steps` in each epoch that it can have."""

    steps: tuple[int, ...]

    @property
    def n_epochs(self) -> int:
        return len(self.steps)

    @property
    def n_steps(self) -> int:
        return sum(self.steps)


def length(settings: Settings, n_rows: int, batch_size: int, n_epochs: int, tokens: int) -> Length:
    """`epochs` is the cap of all other ends. `tokens`: in a sample of a text, else 1."""
    steps = [n_batches(rows, batch_size) for rows in _rows(settings, n_rows, n_epochs)]
    most = _most_steps(call(settings, "until"), batch_size * tokens)
    kept: list[int] = []
    for count in steps:
        count = min(count, most - sum(kept))
        if count > 0:
            kept.append(count)
    return Length(tuple(kept))


def n_batches(n_rows: int, batch_size: int) -> int:
    """Per epoch. A lone last sample waits for another epoch: batch norm cannot take it."""
    full, rest = divmod(n_rows, batch_size)
    return full + (rest > 1)


def _rows(settings: Settings, n_rows: int, n_epochs: int) -> list[int]:
    """How many rows train in each epoch."""
    subset = call(settings, "data")
    if subset is None:
        return [n_rows] * n_epochs
    arguments = numbers(subset)
    kept = n_kept_of(n_rows, arguments["keep"])
    return [n_rows if epoch < arguments["after"] else kept for epoch in range(n_epochs)]


def _most_steps(until: Spec | None, tokens_per_step: int) -> int:
    match until:
        case Spec("steps"):
            return int(numbers(until)["count"])
        case Spec("tokens"):
            return max(1, math.ceil(numbers(until)["count"] / tokens_per_step))
        case _:
            return 1 << 62


def epochs_of(settings: Settings, n_epochs: int) -> int:
    """The cap, where `until = epochs(n)` is lower."""
    until = call(settings, "until")
    if until is not None and until.name == "epochs":
        return min(n_epochs, int(numbers(until)["count"]))
    return n_epochs


@dataclass
class Stop:
    """What ends a training at the end of an epoch."""

    until: Spec | None
    lowest: float = field(default=math.inf)
    waited: int = 0

    def __call__(self, found: Mapping[str, float], seconds: float) -> bool:
        """Whether this epoch was the last. `found`: its measures, with `train_loss` and `interpolated`."""
        match self.until:
            case Spec("seconds"):
                return seconds >= numbers(self.until)["count"]
            case Spec("loss"):
                return found["train_loss"] <= numbers(self.until)["value"]
            case Spec("interpolation"):
                return found["interpolated"] == 1
            case Spec("patience"):
                return self._waited_enough(found["loss"], int(numbers(self.until)["count"]))
            case _:
                return False

    def _waited_enough(self, loss: float, patience: int) -> bool:
        if loss < self.lowest:
            self.lowest, self.waited = loss, 0
        else:
            self.waited += 1
        return self.waited >= patience


def stop(settings: Settings, kind: str) -> Stop:
    """Raises DataError where the task cannot be interpolated."""
    until = call(settings, "until")
    if (
        until is not None
        and until.name == "interpolation"
        and kind not in ("classification", "next_token", "segmentation")
    ):
        raise DataError(f"`until = interpolation` asks for right answers, and a {kind} has none to count")
    return Stop(until)

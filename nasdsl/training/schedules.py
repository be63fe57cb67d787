"""Learning rates over the steps of a training, as shares of the full rate.

Those of this file depend on the step alone. Those that look at the training (`methods/plateau.py`,
`methods/hypergradient.py`) are objects of the same form that hang on joints as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from nasdsl.language.network import Spec
from nasdsl.training.protocols import Parts, Setup
from nasdsl.training.settings import number, numbers

Schedule: TypeAlias = Callable[[int], float]
"""step, from 0 -> factor on the rate."""


class Attentive(Protocol):
    """A schedule that looks at the training."""

    def __call__(self, step: int) -> float: ...

    def parts(self) -> Parts: ...


@dataclass(frozen=True)
class Pace:
    """What a schedule may know. lr: the full rate. seen: tokens per step (samples, where they are no text)."""

    n_steps: int
    lr: float = 1.0
    batch_size: int = 1
    seen: int = 1


def pace(setup: Setup, optimizer: Spec) -> Pace:
    """The pace of a training."""
    lengths = [shape.sizes()[0] for shape in setup.data.shapes.values() if shape.layout == "index"]
    seen = setup.batch_size * math.prod(lengths)
    return Pace(setup.n_steps, number(optimizer["lr"], "lr"), setup.batch_size, seen)


def schedule(spec: Spec, pace: Pace) -> Schedule:
    """The schedule of a call."""
    arguments = numbers(spec)
    n_warm = round(arguments["warmup"] * pace.n_steps)
    after = _AFTER_WARMUP[spec.name](arguments, n_warm, pace)

    def factor(step: int) -> float:
        # A power law has its own height where the warm-up ends; the others begin at the full rate.
        return (step + 1) / n_warm * after(n_warm) if step < n_warm else after(step)

    return factor


def _constant(arguments: Mapping[str, float], n_warm: int, pace: Pace) -> Schedule:
    return lambda step: 1.0


def _cosine(arguments: Mapping[str, float], n_warm: int, pace: Pace) -> Schedule:
    """Loshchilov & Hutter 2017, equation 5, one cycle."""
    floor, span = arguments["floor"], max(1, pace.n_steps - n_warm)
    return lambda step: floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (step - n_warm) / span))


def _wsd(arguments: Mapping[str, float], n_warm: int, pace: Pace) -> Schedule:
    """Constant, then 1 - sqrt down to zero (Hägele et al. 2024, equation 1)."""
    fall = _fall(arguments, n_warm, pace)
    return lambda step: 1 - math.sqrt(fall(step))


def _power(arguments: Mapping[str, float], n_warm: int, pace: Pace) -> Schedule:
    """min(lr, batch * a * n^b) of the n tokens seen, then linear to zero (Shen et al. 2024, equation 3)."""
    fall = _fall(arguments, n_warm, pace)

    def factor(step: int) -> float:
        n = float((step + 1) * pace.seen)
        height: float = pace.batch_size * arguments["a"] * n ** arguments["b"] / pace.lr
        return min(1.0, height) * (1 - fall(step))

    return factor


def _fall(arguments: Mapping[str, float], n_warm: int, pace: Pace) -> Schedule:
    """0 up to the last stretch, whose share is `decay`, and 1 at the end of it."""
    span = min(round(arguments["decay"] * pace.n_steps), pace.n_steps - n_warm)
    start = pace.n_steps - span
    return lambda step: max(0, step - start) / span if span else 0.0


_AFTER_WARMUP: Mapping[str, Callable[[Mapping[str, float], int, Pace], Schedule]] = {
    "constant": _constant,
    "cosine": _cosine,
    "wsd": _wsd,
    "power": _power,
}

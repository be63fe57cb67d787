"""Learning rates over the steps of a training, as shares of the full rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from nasdsl.language.network import Spec
from nasdsl.training.settings import numbers

Schedule: TypeAlias = Callable[[int], float]
"""step, from 0 -> factor on the rate, 0..1."""


def schedule(spec: Spec, n_steps: int) -> Schedule:
    """The schedule of a call, over `n_steps` steps."""
    arguments = numbers(spec)
    n_warm = round(arguments["warmup"] * n_steps)
    after = _AFTER_WARMUP[spec.name](arguments, max(1, n_steps - n_warm))

    def factor(step: int) -> float:
        return (step + 1) / n_warm if step < n_warm else after(step - n_warm)

    return factor


def _constant(arguments: Mapping[str, float], n_steps: int) -> Schedule:
    return lambda step: 1.0


def _cosine(arguments: Mapping[str, float], n_steps: int) -> Schedule:
    """Loshchilov & Hutter 2017, equation 5, one cycle."""
    floor = arguments["floor"]
    return lambda step: floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * step / n_steps))


_AFTER_WARMUP: Mapping[str, Callable[[Mapping[str, float], int], Schedule]] = {
    "constant": _constant,
    "cosine": _cosine,
}

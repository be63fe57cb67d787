"""Numbers that are known only once network and data are: `step_law`, and a multiple of it.

As a value it is a Spec with the factor that it is multiplied by; whoever trains works it out.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from nasdsl.language.network import Spec

STEP_LAW = "step_law"
PLACES = ("lr", "batch_size")  # what the law speaks of


def step_law(factor: float = 1.0) -> Spec:
    return Spec(STEP_LAW, {"factor": factor})


def is_law(value: object) -> TypeGuard[Spec]:
    return isinstance(value, Spec) and value.name == STEP_LAW


def times(law: Spec, factor: Any) -> Spec:
    """A multiple of it. Raises TypeError for anything but a number, ValueError for one that is not above 0."""
    if isinstance(factor, bool) or not isinstance(factor, int | float):
        raise TypeError(f"`{STEP_LAW}` is multiplied with a number, not {factor!r}")
    found = float(law["factor"]) * factor  # type: ignore[arg-type]
    if not 0 < found < float("inf"):
        raise ValueError(f"`{STEP_LAW}` is multiplied with a number above 0, not {factor}")
    return step_law(found)

"""The norm of all gradients together, bounded (Pascanu et al. 2013, algorithm 1)."""

from __future__ import annotations

from torch import nn

from nasdsl.language.network import Spec
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers


def make(spec: Spec, setup: Setup) -> Parts:
    """The largest norm stands in `value`."""
    most = numbers(spec)["value"]

    def clip(course: Course) -> None:
        nn.utils.clip_grad_norm_(course.module.parameters(), most)

    return Parts(gradients=(clip,), fuses=True)

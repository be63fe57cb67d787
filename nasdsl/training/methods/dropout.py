"""Dropout that begins late: it helps where data repeat, and early on it only slows (Xue et al. 2023,
arXiv 2305.13230, section 6)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from nasdsl.language.network import Spec
from nasdsl.training.layers import weighted
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers


@dataclass
class LateDropout:
    """Before each layer with weights but the first, once it has begun."""

    rate: float
    start: float
    begun: bool = False

    def begin(self, course: Course) -> None:
        """At the start of each epoch and after each step."""
        self.begun = course.share >= self.start

    def __call__(self, module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        if not (self.begun and module.training):
            return inputs
        return (functional.dropout(inputs[0], self.rate), *inputs[1:])


def make(spec: Spec, setup: Setup) -> Parts:
    """One rate for the whole network."""
    arguments = numbers(spec)
    late = LateDropout(arguments["rate"], arguments["from"])
    for layer in weighted(setup.module)[1:]:
        layer.register_forward_pre_hook(late)
    return Parts(before_epoch=(late.begin,), restructure=(late.begin,))

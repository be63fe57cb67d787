"""Residual branches left out at random (Huang et al. 2016, arXiv 1603.09382, equations 2 and 4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from nasdsl.language.network import Spec
from nasdsl.training.errors import DataError
from nasdsl.training.layers import residual_joins
from nasdsl.training.protocols import Parts, Setup
from nasdsl.training.settings import numbers


@dataclass(frozen=True)
class LeaveOut:
    """Before an addition: its branch times Bernoulli(1 - rate) / (1 - rate), drawn for each sample."""

    rate: float
    branch: int

    def __call__(self, module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        if not module.training or self.rate == 0:
            return inputs
        x = inputs[self.branch]
        keep = torch.rand(len(x), *[1] * (x.dim() - 1), device=x.device) >= self.rate
        kept = x * keep / (1 - self.rate) if self.rate < 1 else torch.zeros_like(x)
        return (*inputs[: self.branch], kept, *inputs[self.branch + 1 :])


def make(spec: Spec, setup: Setup) -> Parts:
    """Branch l of L is left out with rate * l / (L - 1), l from 0: the first, which all later ones need, never, and the
    last, or the only one, with `rate`. (The paper counts from 1 and takes l / L; transformers since begin at zero.)

    Raises DataError for a network without residuals.
    """
    joins = residual_joins(setup.plan)
    if not joins:
        raise DataError("`drop_path` leaves out residual branches, and this network has none")
    most = numbers(spec)["rate"]
    modules = dict(setup.module.named_modules())
    last = len(joins) - 1
    for number, (name, branch) in enumerate(joins):
        share = number / last if last else 1.0
        modules[name].register_forward_pre_hook(LeaveOut(most * share, branch))
    return Parts()

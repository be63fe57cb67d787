"""The mean of the weights of the last steps, which is what is measured and kept (Izmailov et al. 2018,
arXiv 1803.05407; of steps instead of epochs as in Kaddour 2022, arXiv 2209.14981)."""

from __future__ import annotations

from torch import nn
from torch.optim.swa_utils import AveragedModel

from nasdsl.language.network import Spec
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers


class Average:
    """Equal weights for every step of the last `share`; statistics of norms are averaged as weights are."""

    def __init__(self, module: nn.Module, share: float) -> None:
        self.module, self.share = module, share
        self.mean: AveragedModel | None = None

    def take(self, course: Course) -> None:
        """After a step."""
        if course.share <= 1 - self.share:
            return
        if self.mean is None:
            self.mean = AveragedModel(self.module, use_buffers=True)
        self.mean.update_parameters(self.module)

    def network(self) -> nn.Module:
        """The mean once there is one."""
        if self.mean is None:
            return self.module
        averaged: nn.Module = self.mean.module
        return averaged


def make(spec: Spec, setup: Setup) -> Parts:
    """The share stands in `value`."""
    average = Average(setup.module, numbers(spec)["value"])
    return Parts(average=(average.take,), measured=(average.network,))

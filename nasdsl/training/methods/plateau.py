"""A rate that falls where the validation loss stops falling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nasdsl.language.network import Spec
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers


@dataclass
class Plateau:
    """After `patience` epochs in a row without a new lowest validation loss, the rate is multiplied."""

    factor: float
    patience: int
    height: float = 1.0
    lowest: float = math.inf
    waited: int = 0

    def __call__(self, step: int) -> float:
        return self.height

    def look(self, course: Course, measures: Mapping[str, float]) -> None:
        """After each epoch."""
        if measures["loss"] < self.lowest:
            self.lowest, self.waited = measures["loss"], 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.height, self.waited = self.height * self.factor, 0

    def parts(self) -> Parts:
        """On the end of each epoch; each network of a fused training looks at its own measures."""
        return Parts(after_epoch=(self.look,), fuses=True)


def make(spec: Spec, setup: Setup) -> Plateau:
    """A fresh one for each network."""
    arguments = numbers(spec)
    return Plateau(arguments["factor"], int(arguments["patience"]))

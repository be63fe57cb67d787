"""What a method remembers of every sample: one row each, keyed by its number in the data set."""

from __future__ import annotations

import torch

from nasdsl.training.batch import Tensors
from nasdsl.training.protocols import Setup


class TargetStore:
    """A table (samples, classes) for each output, and which of its rows were ever written."""

    def __init__(self, setup: Setup) -> None:
        shapes = {name: (len(y), setup.widths[name]) for name, y in setup.data.targets.items()}
        self.tables = {name: torch.zeros(shape, device=setup.device) for name, shape in shapes.items()}

    def __getitem__(self, name: str) -> torch.Tensor:
        return self.tables[name]

    def blend(self, index: torch.Tensor, news: Tensors, memory: float) -> None:
        """rows <- memory * rows + (1 - memory) * news."""
        for name, values in news.items():
            table = self.tables[name]
            table[index] = memory * table[index] + (1 - memory) * values

    def fill(self, values: Tensors) -> None:
        """Every row at once."""
        for name, table in values.items():
            self.tables[name].copy_(table)

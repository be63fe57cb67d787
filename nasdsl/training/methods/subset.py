"""Training on the hardest part of the data (Paul et al. 2021, arXiv 2107.07075, definitions 2.1 and 2.2).

Scores are taken in the first epochs of this very training and averaged over them, where the paper averages
over the starts of ten networks. el2n: the length of softmax(z) - label. grand: the norm of the gradient of the
loss of one sample, of the last layer's weights, which holds most of it. In the state of a start itself neither
tells much, so at least one epoch on everything comes first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from nasdsl.language.network import Spec
from nasdsl.training.errors import DataError
from nasdsl.training.fitting import need_classes
from nasdsl.training.layers import watching_features
from nasdsl.training.measuring import outputs_of
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers

_SCORED_AT_ONCE = 512


@dataclass
class Subset:
    """After `after` epochs the rows with the highest scores are kept, but for the very highest `offset`."""

    setup: Setup
    keep: float
    by: str
    after: int
    offset: float
    rng: np.random.Generator
    scores: torch.Tensor

    def score(self, course: Course, measures: object) -> None:
        """After each of the first epochs, of every row, in the state that the network then has."""
        if self.by != "random" and course.epoch <= self.after:
            self.scores += scores(self.setup, self.by)

    def choose(self, course: Course) -> None:
        """Before the first epoch on the part."""
        if course.epoch != self.after:
            return
        n_rows = len(self.setup.rows)
        n_kept = n_kept_of(n_rows, self.keep)
        if self.by == "random":
            order = torch.from_numpy(self.rng.permutation(n_rows))
        else:
            order = self.scores.argsort(descending=True, stable=True)
        first = min(round(self.offset * n_rows), n_rows - n_kept)
        course.rows = self.setup.rows[order[first : first + n_kept].sort().values]


def n_kept_of(n_rows: int, keep: float) -> int:
    """How many rows are left, at least two."""
    return max(2, round(keep * n_rows))


def scores(setup: Setup, by: str) -> torch.Tensor:
    """The score of each row that trains, (rows,), on the CPU."""
    module = setup.module
    module.eval()
    parts = []
    with torch.inference_mode(), watching_features(module) as features:
        for chunk in torch.split(setup.rows.to(setup.device), _SCORED_AT_ONCE):
            batch = setup.data.batch(chunk)
            error = torch.zeros(len(chunk), device=setup.device)
            for name, z in outputs_of(module, batch).items():
                one_hot = functional.one_hot(batch.targets[name], z.shape[1])
                error += (z.softmax(1) - one_hot).square().sum(1)
            if by == "grand":
                # The gradient of one sample is the outer product of its error and its features, and 1.
                error = error * (features.flat().square().sum(1) + 1)
            parts.append(error.sqrt().cpu())
    return torch.cat(parts)


def make(spec: Spec, setup: Setup) -> Parts:
    """Raises DataError for scores of tasks without classes, or of a network that has not begun to learn."""
    arguments, by = numbers(spec), str(spec["by"])
    after = int(arguments["after"])
    if by != "random":
        need_classes(setup, f"subset(by = {by})")
        if after < 1:
            message = f"`subset(by = {by}, after = 0)` would judge samples by a network that knows nothing"
            raise DataError(message, help="take after = 1 or more, or by = random")
    rng, zeros = setup.chance("data"), torch.zeros(len(setup.rows))
    chosen = Subset(setup, arguments["keep"], by, after, arguments["offset"], rng, zeros)
    return Parts(before_epoch=(chosen.choose,), after_epoch=(chosen.score,))

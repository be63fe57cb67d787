"""A box of one map pasted into another (Yun et al. 2019, arXiv 1905.04899, equation 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch
from nasdsl.training.errors import DataError
from nasdsl.training.fitting import need_maps
from nasdsl.training.methods.mixup import shares
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers


@dataclass(frozen=True)
class CutMix:
    """One box per batch. Targets are mixed by the share that the box has after it is cut at the border."""

    alpha: float
    probability: float
    classes: Mapping[str, int] | None
    rng: np.random.Generator

    def __call__(self, batch: Batch, course: Course) -> Batch:
        kept = float(self.rng.beta(self.alpha, self.alpha))
        if self.rng.random() >= self.probability:
            return batch
        partner = torch.from_numpy(self.rng.permutation(len(batch.index))).to(batch.index.device)
        ((name, x),) = batch.inputs.items()
        box = self._box(x.shape[2:], kept)
        pasted = x.clone()
        pasted[(slice(None), slice(None), *box)] = x[partner][(slice(None), slice(None), *box)]
        inside = np.prod([b.stop - b.start for b in box]) / np.prod(x.shape[2:])
        targets = shares(batch, self.classes)
        mixed = {n: torch.lerp(y, y[partner], float(inside)) for n, y in targets.items()}
        return replace(batch, inputs={name: pasted}, targets=mixed)

    def _box(self, sizes: tuple[int, ...], kept: float) -> list[slice]:
        """A box that would hold 1 - kept of the map, around a random centre."""
        side = (1 - kept) ** (1 / len(sizes))
        box = []
        for size in sizes:
            half, centre = int(size * side) // 2, int(self.rng.integers(size))
            box.append(slice(max(0, centre - half), min(size, centre + half + int(size * side) % 2)))
        return box


def make(spec: Spec, setup: Setup) -> Parts:
    """Raises DataError for inputs without positions."""
    need_maps(setup, "cutmix")
    if setup.kind == "segmentation":
        raise DataError(
            "`cutmix` mixes one target a sample, and here each position has one", help="leave it out"
        )
    arguments = numbers(spec)
    classes = setup.widths if setup.kind == "classification" else None
    mix = CutMix(arguments["alpha"], arguments["probability"], classes, setup.chance("cutmix"))
    return Parts(mix=(mix,))

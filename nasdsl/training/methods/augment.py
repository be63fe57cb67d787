"""Random changes of whole batches, on the device on which they are: what stands in `augment { }`.

Each change draws for every sample on its own, on the CPU, from its own stream, so that the same seed gives the
same batches on every device.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch
from nasdsl.training.fitting import need_maps, need_numbers
from nasdsl.training.losses import NOWHERE
from nasdsl.training.protocols import Course, Maker, Parts, Setup
from nasdsl.training.settings import numbers

Change = Callable[[torch.Tensor, np.random.Generator], torch.Tensor]


@dataclass(frozen=True)
class Augment:
    """One change of every input. `moved`: what it does to the classes of positions, which move along with them."""

    change: Change
    rng: np.random.Generator
    moved: Change | None = None

    def __call__(self, batch: Batch, course: Course) -> Batch:
        if self.moved is None:
            inputs = {name: self.change(x, self.rng) for name, x in batch.inputs.items()}
            return replace(batch, inputs=inputs)
        # Every input and every mask sees the same draws: they are the same places.
        drawn = [copy.deepcopy(self.rng) for _ in (*batch.inputs, *batch.targets)]
        last = drawn[0]
        inputs = {name: self.change(x, drawn.pop()) for name, x in batch.inputs.items()}
        targets = {name: self.moved(y, drawn.pop()) for name, y in batch.targets.items()}
        self.rng.bit_generator.state = last.bit_generator.state
        return replace(batch, inputs=inputs, targets=targets)


def flip(x: torch.Tensor, rng: np.random.Generator, probability: float) -> torch.Tensor:
    """Samples mirrored along the last axis."""
    chosen = _per_sample(x, rng.random(len(x)) < probability)
    return torch.where(chosen, x.flip(-1), x)


def crop(x: torch.Tensor, rng: np.random.Generator, pad: int, around: int = 0) -> torch.Tensor:
    """Zeros (`around`) outside, and a window of the old size: every axis moves by up to `pad`, each sample on its own."""
    for axis in range(2, x.dim()):
        moves = torch.from_numpy(rng.integers(-pad, pad + 1, len(x))).to(x.device)
        size = x.shape[axis]
        places = torch.arange(size, device=x.device)[None] + moves[:, None]
        inside = (places >= 0) & (places < size)
        shape = [len(x), *[1] * (x.dim() - 1)]
        shape[axis] = size
        index = places.clamp(0, size - 1).view(shape).expand(*x.shape)
        x = x.gather(axis, index).masked_fill(~inside.view(shape), around)
    return x


def noise(x: torch.Tensor, rng: np.random.Generator, deviation: float) -> torch.Tensor:
    """Gaussian, of standardized inputs."""
    drawn = rng.standard_normal(x.shape, dtype=np.float32)
    return x + deviation * torch.from_numpy(drawn).to(x.device)


def erase(x: torch.Tensor, rng: np.random.Generator, share: float) -> torch.Tensor:
    """A box of zeros, its sides `share` of the axes, wholly inside the map."""
    mask = torch.ones(len(x), 1, *[1] * (x.dim() - 2), dtype=torch.bool, device=x.device)
    for axis in range(2, x.dim()):
        size = x.shape[axis]
        side = round(share * size)
        starts = torch.from_numpy(rng.integers(0, size - side + 1, len(x))).to(x.device)
        places = torch.arange(size, device=x.device)[None]
        hit = (places >= starts[:, None]) & (places < starts[:, None] + side)
        shape = [len(x), *[1] * (x.dim() - 1)]
        shape[axis] = size
        mask = mask & hit.view(shape)
    return x.masked_fill(mask, 0.0)


def jitter(x: torch.Tensor, rng: np.random.Generator, spread: float) -> torch.Tensor:
    """Each sample times a factor in 1 - spread .. 1 + spread."""
    factors = rng.uniform(1 - spread, 1 + spread, len(x)).astype(np.float32)
    return x * _per_sample(x, factors)


def _per_sample(x: torch.Tensor, values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).to(x.device).view(len(x), *[1] * (x.dim() - 1))


_CHANGES: Mapping[str, Callable[..., torch.Tensor]] = {
    "flip": flip,
    "crop": crop,
    "noise": noise,
    "erase": erase,
    "jitter": jitter,
}
_OF_POSITIONS = ("flip", "crop", "erase")


def _maker(name: str) -> Maker:
    def make(spec: Spec, setup: Setup) -> Parts:
        """Raises DataError for inputs that it cannot change."""
        (need_maps if name in _OF_POSITIONS else need_numbers)(setup, name)
        (value,) = numbers(spec).values()
        argument = int(value) if name == "crop" else value

        def change(x: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
            return _CHANGES[name](x, rng, argument)

        moved = _moved(name, argument) if setup.kind == "segmentation" else None
        return Parts(augment=(Augment(change, setup.chance(name), moved),))

    return make


def _moved(name: str, argument: float) -> Change | None:
    """What becomes of classes of positions (n, *positions); None where a change leaves positions where they are."""

    def moved(y: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        maps = y[:, None]
        if name == "flip":
            return flip(maps, rng, argument)[:, 0]
        return crop(maps, rng, int(argument), NOWHERE)[:, 0]

    return moved if name in ("flip", "crop") else None


AUGMENTATIONS: Mapping[str, Maker] = {name: _maker(name) for name in _CHANGES}

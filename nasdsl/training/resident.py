"""A data set as tensors, whole, mapped once per process, cut by row numbers.

On the CPU they are pages of the files of the run, read when needed and shared by all workers, so a set larger than
memory streams from the disk. They lie on a GPU where they take no more than half of what is free there;
else they stay with the CPU, and each batch is moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import torch

from nasdsl.language.shapes import Shape
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.dataset import Dataset, Scale
from nasdsl.training.preparing import Bent, knots_of


@dataclass(frozen=True)
class Affine:
    """`x * factor + shift`, one pass over memory."""

    factor: torch.Tensor
    shift: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return torch.addcmul(self.shift, x, self.factor)


@dataclass(frozen=True)
class Resident:
    """The tensors of one fold: inputs as stored, or prepared where that is no affine map; targets standardized."""

    inputs: Tensors
    targets: Tensors
    scales: dict[str, Affine]
    deviations: Tensors  # of the targets, (k,); ones where they are not standardized
    shapes: Mapping[str, Shape]
    routes: torch.Tensor | None = None

    @cached_property
    def images(self) -> frozenset[str]:
        """Inputs that go to the network channels last."""
        return frozenset(name for name, shape in self.shapes.items() if shape.layout == "image")

    def batch(self, rows: torch.Tensor) -> Batch:
        """The samples of these rows, standardized."""
        return Batch(
            {name: self._input(name, _picked(x, rows)) for name, x in self.inputs.items()},
            {name: self._target(y[rows]) for name, y in self.targets.items()},
            rows,
            None if self.routes is None else self.routes[rows],
        )

    def _target(self, y: torch.Tensor) -> torch.Tensor:
        return y.long() if y.dtype == torch.uint8 else y

    def _input(self, name: str, x: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.uint8:  # symbols, a byte each in memory
            return x.long()
        if name in self.scales:
            x = self.scales[name](x)
        return x.contiguous(memory_format=torch.channels_last) if name in self.images else x


def _picked(x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """These rows of `x`, on the device of `rows`."""
    return x[rows] if x.device == rows.device else x[rows.to(x.device)].to(rows.device)


_GPU_SHARE = 0.5  # of its free memory; the rest is for networks, and for other slots


def _home(data: Dataset, device: torch.device) -> torch.device | str:
    """Where the inputs lie."""
    if device.type != "cuda":
        return device
    free, _ = torch.cuda.mem_get_info(device)
    return device if sum(x.nbytes for x in data.inputs.values()) <= _GPU_SHARE * free else "cpu"


_kept: WeakKeyDictionary[Dataset, dict[tuple[str, int, str], Resident]] = WeakKeyDictionary()


def resident(data: Dataset, fold: int, device: torch.device, prepare: str = "standardize") -> Resident:
    """The tensors of a fold, made once for each data set, fold, device and way to prepare inputs of this process.

    Raises DataError where inputs cannot be prepared so.
    """
    kept = _kept.setdefault(data, {})
    key = (str(device), fold, prepare)
    if key not in kept:
        made = _made(data, fold, device)
        kept[key] = _by_ranks(made, data, fold) if prepare == "quantile" else made
    return kept[key]


def _by_ranks(made: Resident, data: Dataset, fold: int) -> Resident:
    """With inputs that are prepared once for all batches, in place of a scale."""
    device = next(iter(made.inputs.values())).device
    inputs = dict(made.inputs)
    for name, found in knots_of(data, fold).items():
        bent = Bent(torch.from_numpy(found.places).to(device), torch.from_numpy(found.values).to(device))
        inputs[name] = bent(inputs[name])
    return replace(made, inputs=inputs, scales={})


def _made(data: Dataset, fold: int, device: torch.device) -> Resident:
    scales, home = data.folds[fold], _home(data, device)
    targets, deviations = {}, {}
    for name, array in data.targets.items():
        y, deviation = torch.from_numpy(np.ascontiguousarray(array)), torch.ones(1)
        if name in scales.targets:
            y = _affine(scales.targets[name])(y)
            deviation = torch.from_numpy(scales.targets[name].deviation)
        targets[name], deviations[name] = y.to(device), deviation.to(device)
    return Resident(
        inputs={name: torch.from_numpy(x).to(home) for name, x in data.inputs.items()},
        targets=targets,
        scales={name: _affine(scale, device) for name, scale in scales.inputs.items()},
        deviations=deviations,
        shapes=data.shapes,
        routes=None if data.routes is None else torch.from_numpy(np.array(data.routes)).to(device),
    )


def _affine(scale: Scale, device: torch.device | str = "cpu") -> Affine:
    factor = 1 / scale.deviation
    return Affine(torch.from_numpy(factor).to(device), torch.from_numpy(-scale.mean * factor).to(device))

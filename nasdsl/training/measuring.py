"""Running a network over a part of the data, and the measures of what it answers."""

from __future__ import annotations

import math

import torch
from torch import nn

from nasdsl.training import measures as of
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.dataset import OUTPUT
from nasdsl.training.losses import Loss
from nasdsl.training.resident import Resident

_MEASURED_AT_ONCE = 512  # samples; larger batches leave the cache


def outputs_of(module: nn.Module, batch: Batch) -> Tensors:
    """What the network answers, by the name of the output."""
    out = module(*batch.inputs.values())
    return {OUTPUT: out} if isinstance(out, torch.Tensor) else out


def measured(
    module: nn.Module, data: Resident, rows: torch.Tensor, kind: str, loss: Loss
) -> dict[str, float]:
    """The measures of these rows; several outputs each under its name, and their means under the plain ones."""
    module.eval()
    with torch.inference_mode():
        parts = [outputs_of(module, data.batch(chunk)) for chunk in torch.split(rows, _MEASURED_AT_ONCE)]
        outputs = {name: torch.cat([part[name] for part in parts]) for name in data.targets}
        return of_outputs(outputs, data, rows, kind, loss)


def of_outputs(
    outputs: Tensors, data: Resident, rows: torch.Tensor, kind: str, loss: Loss
) -> dict[str, float]:
    """The measures of what a network answered for these rows."""
    each = {}
    for name, output in outputs.items():
        target = data.targets[name][rows]
        if kind == "classification":
            each[name] = of.classification(output, target, loss)
        else:
            each[name] = of.regression(output, target, loss, data.deviations[name])
    if len(each) == 1:
        return next(iter(each.values()))
    named = {f"{name}.{key}": value for name, values in each.items() for key, value in values.items()}
    return named | means(list(each.values()))


def means(each: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each measure."""
    return {name: math.fsum(one[name] for one in each) / len(each) for name in each[0]}

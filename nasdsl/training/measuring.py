"""Running a network over a part of the data, and the measures of what it answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import nn

from compiler.hooks import watching
from compiler.routing import enforced
from nasdsl.training import measures as of
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.dataset import OUTPUT
from nasdsl.training.features import capturing
from nasdsl.training.losses import Loss
from nasdsl.training.resident import Resident

_MEASURED_AT_ONCE = 512  # samples; larger batches leave the cache
_POSITIONS_AT_ONCE = 4096  # of a text, each with as many outputs as there are symbols
_PIXELS_AT_ONCE = 1 << 17  # of maps, each with as many outputs as there are classes


def outputs_of(module: nn.Module, batch: Batch) -> Tensors:
    """What the network answers, by the name of the output."""
    with nullcontext() if batch.route is None else enforced(module, batch.route):
        out = module(*batch.inputs.values())
    return {OUTPUT: out} if isinstance(out, torch.Tensor) else out


def measured(
    module: nn.Module,
    data: Resident,
    rows: torch.Tensor,
    kind: str,
    loss: Loss,
    extra: Sequence[str] = (),
) -> dict[str, float]:
    """The measures of these rows; several outputs each under its name, and their means under the plain ones.

    `extra` names measures beyond those that every training has. What layers report of themselves comes with them.
    """
    module.eval()
    with torch.inference_mode(), watching(module) as seen:
        found = _of_answers(module, data, rows, kind, loss, extra)
    return found | _of_layers(seen.means(), extra)


def _of_layers(reported: dict[str, float], extra: Sequence[str]) -> dict[str, float]:
    """What layers said of themselves; of a network without gates every channel is open."""
    return {"open_channels": 1.0, **reported} if "open_channels" in extra else reported


def _of_answers(
    module: nn.Module, data: Resident, rows: torch.Tensor, kind: str, loss: Loss, extra: Sequence[str]
) -> dict[str, float]:
    if kind == "next_token":
        return _of_a_text(module, data, rows, loss)
    if kind == "segmentation":
        return _of_maps(module, data, rows, loss)
    asked = [name for name in extra if name in of.OF_FEATURES]
    none: list[torch.Tensor] = []
    with capturing(module) if asked else nullcontext(none) as kept:
        parts = [outputs_of(module, data.batch(chunk)) for chunk in torch.split(rows, _MEASURED_AT_ONCE)]
    outputs = {name: torch.cat([part[name] for part in parts]) for name in data.targets}
    found = of_outputs(outputs, data, rows, kind, loss, extra)
    return found | _of_features(torch.cat(kept), data, rows, asked) if asked else found


def _of_features(
    features: torch.Tensor, data: Resident, rows: torch.Tensor, names: Sequence[str]
) -> dict[str, float]:
    """Of what the last weighted layer takes; where there are several targets, by the first."""
    target = next(iter(data.targets.values()))[rows]
    return {name: of.OF_FEATURES[name](features.flatten(1), target) for name in names}


def of_outputs(
    outputs: Tensors, data: Resident, rows: torch.Tensor, kind: str, loss: Loss, extra: Sequence[str] = ()
) -> dict[str, float]:
    """The measures of what a network answered for these rows."""
    each = {}
    for name, output in outputs.items():
        target = data.targets[name][rows]
        match kind:
            case "classification":
                each[name] = of.classification(output, target, loss)
            case "multilabel":
                each[name] = of.multilabel(output, target, loss)
            case _:
                each[name] = of.regression(output, target, loss, data.deviations[name])
        each[name] |= {one: of.EXTRAS[one](output, target) for one in extra if one in of.EXTRAS}
    if len(each) == 1:
        return next(iter(each.values()))
    named = {f"{name}.{key}": value for name, values in each.items() for key, value in values.items()}
    return named | means(list(each.values()))


def _of_a_text(module: nn.Module, data: Resident, rows: torch.Tensor, loss: Loss) -> dict[str, float]:
    """Added up over stretches: all outputs together would not fit into memory."""
    (length,) = next(iter(data.shapes.values())).sizes()
    right, total, count = 0, 0.0, 0
    for chunk in torch.split(rows, max(1, _POSITIONS_AT_ONCE // length)):
        batch = data.batch(chunk)
        ((name, output),) = outputs_of(module, batch).items()
        target = batch.targets[name]
        right += int((output.argmax(-1) == target).sum())
        total += float(loss(output, target)) * target.numel()
        count += target.numel()
    return of.next_token(right, total, count)


def _of_maps(module: nn.Module, data: Resident, rows: torch.Tensor, loss: Loss) -> dict[str, float]:
    """Added up over samples, as a text is."""
    ((name, target),) = data.targets.items()
    chunk = max(1, min(_MEASURED_AT_ONCE, _PIXELS_AT_ONCE // target[0].numel()))
    total, agreement = 0.0, torch.zeros((), device=rows.device)
    for part in torch.split(rows, chunk):
        batch = data.batch(part)
        output, y = outputs_of(module, batch)[name], batch.targets[name]
        agreement = agreement + of.agreement(output, y)
        total += float(loss(output, y)) * y.numel()
    return of.segmentation(agreement, total)


def means(each: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each measure."""
    return {name: math.fsum(one[name] for one in each) / len(each) for name in each[0]}

"""zen (Lin et al. 2021, arXiv 2102.01063): how far a small change of the input carries, with Gaussian weights.

log of the mean L1 change of the features before the last layer, between x and x + 0.01 noise, plus, for each
batch norm, ln sqrt of the mean variance over its channels: what the norm divided by is put back. Averaged over
16 draws of weights and inputs, since one is noisy.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from nasdsl.training.features import capturing
from nasdsl.training.untrained.probe import NotMeasurable, Probe, answers, measuring, smooth_inputs
from nasdsl.training.untrained.synflow import NORMS

_STEP = 0.01
_DRAWS = 16
_SAMPLES = 16
_BATCH_NORM = nn.modules.batchnorm._BatchNorm


def zen(probe: Probe) -> float:
    """The mean score. Raises NotMeasurable for symbols, and for norms whose scale is not put back."""
    inputs = smooth_inputs(probe.batch.inputs, "zen")
    module, generator = measuring(probe.fresh(0)), probe.generator()
    for one in module.modules():
        if isinstance(one, NORMS) and not isinstance(one, _BATCH_NORM):
            raise NotMeasurable(f"`zen` knows batch norm alone, and this network has {type(one).__name__}")
    shapes = {name: (_SAMPLES, *x.shape[1:]) for name, x in inputs.items()}
    device = next(iter(inputs.values())).device
    found = []
    for _ in range(_DRAWS):
        gaussian(module, generator)
        x = {name: torch.randn(shape, generator=generator).to(device) for name, shape in shapes.items()}
        noise = {name: torch.randn(shape, generator=generator).to(device) for name, shape in shapes.items()}
        found.append(score(module, x, {name: x[name] + _STEP * noise[name] for name in x}))
    return math.fsum(found) / len(found)


@torch.no_grad()
def gaussian(module: nn.Module, generator: torch.Generator) -> None:
    """Standard normal weights; norms and biases as they begin."""
    for one in module.modules():
        if isinstance(one, NORMS):
            continue
        for name, tensor in one.named_parameters(recurse=False):
            drawn = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(torch.zeros_like(drawn) if name.endswith("bias") else drawn)


@torch.no_grad()
def score(module: nn.Module, x: dict[str, torch.Tensor], changed: dict[str, torch.Tensor]) -> float:
    """Of the weights as they are; x and changed are inputs by name. Batch norms must normalize by the batch."""
    for one in module.modules():
        if isinstance(one, _BATCH_NORM):
            one.momentum = 1.0  # the running variance is that of the last batch
    with capturing(module) as kept:
        answers(module, changed)
        answers(module, x)
    after, before = kept
    change = float((before - after).abs().flatten(1).sum(1).mean())
    if not change > 0:
        raise NotMeasurable("`zen` is the logarithm of a change, and the features do not change")
    norms = [one.running_var for one in module.modules() if isinstance(one, _BATCH_NORM)]
    return math.log(change) + sum(0.5 * math.log(float(v.mean()) + 1e-30) for v in norms if v is not None)

"""chi (Roberts, Yaida & Hanin 2021, arXiv 2106.10165; by partial Jacobians: Doshi, He & Gromov 2023, arXiv 2111.12143).

By how much each weighted layer scales a gradient: J = |dh_L / dh_1|^2 / n_L between the first weighted layer and the
outputs, averaged over samples and draws of weights; chi = J^(1 / (depth - 1)). 1 is critical; gradients vanish
below and explode above. What stands between counts as well: pools scale gradients down, norms and shortcuts hold
them.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from nasdsl.training.features import weighted_modules
from nasdsl.training.untrained.probe import NotMeasurable, Probe, answers, measuring

_DRAWS = 4


def chi(probe: Probe) -> float:
    """The factor per weighted layer. Raises NotMeasurable for fewer than two weighted layers in a row."""
    if probe.depth < 2:
        raise NotMeasurable("`chi` follows a gradient from layer to layer, and this network has one")
    generator = probe.generator()
    found = [squared_norm(measuring(probe.fresh(draw)), probe, generator) for draw in range(_DRAWS)]
    mean = math.fsum(found) / len(found)
    if not mean > 0:
        raise NotMeasurable("`chi` follows a gradient, and none comes back to the first layer")
    return float(mean ** (1 / (probe.depth - 1)))


def squared_norm(module: nn.Module, probe: Probe, generator: torch.Generator) -> float:
    """|dh_L / dh_1|^2 / n_L of one draw, by a random projection of the outputs."""
    kept: list[torch.Tensor] = []

    def cut(_: nn.Module, inputs: object, output: object) -> object:
        if kept or not isinstance(output, torch.Tensor):
            return output
        kept.append(output.detach().requires_grad_())
        return kept[0]

    first = next(weighted_modules(module), None)
    if first is None:
        raise NotMeasurable("`chi` begins at a weighted layer, and this network has none")
    first.register_forward_hook(cut)
    out = answers(module, probe.batch.inputs)
    if not kept:
        raise NotMeasurable("`chi` begins at the first layer, and that gives no single tensor")
    direction = torch.randn(out.shape, generator=generator).to(out)
    (gradient,) = torch.autograd.grad((out * direction).sum(), kept[0], allow_unused=True)
    return 0.0 if gradient is None else float(gradient.square().sum()) / out.numel()

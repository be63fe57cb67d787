"""synflow (Tanaka et al. 2020, arXiv 2006.05467; for search: Abdelfattah et al. 2021, arXiv 2101.08134).

All parameters are made positive and the input is ones, so that R, the sum of the outputs, is a sum over all paths
through the network; the score is log10 of the sum of |w dR/dw|. It grows with depth and width: compare networks
of a size. Norms are left out, which would else put back any scale.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from compiler.modules import SampleRMSNorm
from nasdsl.training.untrained.probe import NotMeasurable, Probe, answers, trained

NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    SampleRMSNorm,
)


def synflow(probe: Probe) -> float:
    """log10 of the flow. Raises NotMeasurable where none reaches the outputs or it outgrows float64."""
    ones = {name: torch.ones_like(x[:1]) for name, x in probe.batch.inputs.items()}
    inputs = {name: x.double() if x.is_floating_point() else x for name, x in ones.items()}
    found = float(flow(probe.fresh(0), inputs))
    if not (math.isfinite(found) and found > 0):
        raise NotMeasurable(f"`synflow` is the logarithm of a flow, and that is {found:g}")
    return math.log10(found)


def flow(module: nn.Module, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The sum over all trained parameters of |w dR/dw|, in float64, of a copy of the module."""
    module = _linearized(copy.deepcopy(module).double().eval())
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.abs_()
    parameters = trained(module)
    total = answers(module, inputs).sum()
    each = torch.autograd.grad(total, parameters, allow_unused=True)
    pairs = zip(parameters, each, strict=True)
    return torch.stack([(w * g).abs().sum() for w, g in pairs if g is not None]).sum().detach()


def _linearized(module: nn.Module) -> nn.Module:
    """With an identity for each norm."""
    for name, child in list(module.named_children()):
        if isinstance(child, NORMS):
            setattr(module, name, nn.Identity())
        else:
            _linearized(child)
    return module

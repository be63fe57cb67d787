"""grad_norm (Abdelfattah et al. 2021, arXiv 2101.08134) and ntk_cond (Chen et al. 2021, arXiv 2102.11535)."""

from __future__ import annotations

import math

import torch
from torch import nn

from nasdsl.training.measuring import outputs_of
from nasdsl.training.untrained.probe import NotMeasurable, Probe, answers, measuring, trained

_NTK_SAMPLES = 32
_NTK_DRAWS = 3
_SINGULAR = 1e-12  # of the greatest eigenvalue: less is rounding


def grad_norm(probe: Probe) -> float:
    """The norms of the gradients of the loss on one batch, summed over parameter tensors."""
    module = measuring(probe.fresh(0))
    outputs = outputs_of(module, probe.batch)
    named = zip(outputs.values(), probe.batch.targets.values(), strict=True)
    total = torch.stack([probe.loss(output, target) for output, target in named]).sum()
    each = torch.autograd.grad(total, _some(module, "grad_norm"), allow_unused=True)
    return math.fsum(float(gradient.norm()) for gradient in each if gradient is not None)


def ntk_cond(probe: Probe) -> float:
    """ln(l_max / l_min) of the neural tangent kernel of summed outputs on 32 samples, over 3 draws of weights."""
    inputs = {name: x[:_NTK_SAMPLES] for name, x in probe.batch.inputs.items()}
    found = []
    for draw in range(_NTK_DRAWS):
        module = measuring(probe.fresh(draw))
        found.append(log_condition(kernel(module, inputs)))
    return math.fsum(found) / len(found)


def kernel(module: nn.Module, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """J J', (n, n) in float64; row i of J has the gradient of the summed outputs of sample i. One sample at a
    time behind one forward pass, so that batch norms see the whole batch."""
    parameters = _some(module, "ntk_cond")
    rows = []
    for total in answers(module, inputs).sum(1):
        each = torch.autograd.grad(total, parameters, retain_graph=True, allow_unused=True)
        rows.append(torch.cat([gradient.flatten() for gradient in each if gradient is not None]))
    jacobian = torch.stack(rows).double()
    return jacobian @ jacobian.T


def log_condition(matrix: torch.Tensor) -> float:
    """ln of the greatest eigenvalue over the least, of a symmetric matrix; at most 12 powers of ten."""
    values = torch.linalg.eigvalsh(matrix)
    greatest = float(values[-1])
    if not greatest > 0:
        raise NotMeasurable("`ntk_cond` is a ratio of eigenvalues, and all are 0")
    return math.log(greatest / max(float(values[0]), _SINGULAR * greatest))


def _some(module: nn.Module, name: str) -> list[nn.Parameter]:
    parameters = trained(module)
    if not parameters:
        raise NotMeasurable(f"`{name}` follows the gradients of weights, and this network trains none")
    return parameters

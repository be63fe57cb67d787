"""jacob_cov (Mellor et al. 2020, the first version of arXiv 2006.04647): how unlike the input gradients of samples are."""

from __future__ import annotations

import torch

from nasdsl.training.untrained.probe import NotMeasurable, Probe, answers, measuring, smooth_inputs

_SMALL = 1e-5


def jacob_cov(probe: Probe) -> float:
    """-sum(ln(l + k) + 1 / (l + k)) over the eigenvalues l of the correlations between the samples' gradients of
    their summed outputs; 0 eigenvalues (samples that look alike to the network) cost 1 / k each."""
    inputs = smooth_inputs(probe.batch.inputs, "jacob_cov")
    total = answers(measuring(probe.fresh(0)), inputs).sum()
    each = torch.autograd.grad(total, list(inputs.values()), allow_unused=True)
    parts = [gradient.flatten(1) for gradient in each if gradient is not None]
    return of_gradients(torch.cat(parts, 1).double())


def of_gradients(rows: torch.Tensor) -> float:
    """rows (n, inputs). Raises NotMeasurable where a row is constant: it has no correlation."""
    centred = rows - rows.mean(1, keepdim=True)
    norms = centred.norm(dim=1, keepdim=True)
    if not bool((norms > 0).all()):
        raise NotMeasurable("`jacob_cov` compares input gradients, and that of a sample is constant")
    unit = centred / norms
    values = torch.linalg.eigvalsh(unit @ unit.T).clamp_min(0) + _SMALL
    return float(-(values.log() + 1 / values).sum())

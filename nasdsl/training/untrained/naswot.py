"""naswot (Mellor et al. 2021, arXiv 2006.04647): how differently a network folds the samples of a batch.

Each activation writes one bit for every number it takes: whether it is above 0. K counts, for each two samples,
the bits that agree; the score is log |det K|. Sums of sigmoids and gelus are read by the same sign. What has no
activation module (attention) is not seen. With fewer units than samples K is singular, and the score counts how far.
"""

from __future__ import annotations

import torch
from torch import nn

from compiler.builders.activations import MODULES
from nasdsl.training.untrained.probe import NotMeasurable, Probe, answers, measuring

_RIDGE = 1e-5  # keeps the logarithm finite where two samples have the same bits


def naswot(probe: Probe) -> float:
    """log |det K| of the batch, natural. Raises NotMeasurable where no activation is found."""
    module = measuring(probe.fresh(0))
    kernel = torch.zeros(())

    def read(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        nonlocal kernel
        kernel = kernel + agreeing(_by_sample(inputs[0], len(probe.batch.index)) > 0)

    read_any = [one.register_forward_pre_hook(read) for one in module.modules() if isinstance(one, MODULES)]
    if not read_any:
        raise NotMeasurable("`naswot` reads activations, and this network has none as a layer")
    with torch.no_grad():
        answers(module, probe.batch.inputs)
    return log_det(kernel)


def _by_sample(x: torch.Tensor, n: int) -> torch.Tensor:
    """(n, all numbers of the sample)."""
    if x.shape[0] % n:
        raise NotMeasurable("`naswot` needs activations that take all samples of a batch at once")
    return x.reshape(n, -1)


def agreeing(bits: torch.Tensor) -> torch.Tensor:
    """bits (n, units) -> (n, n): in how many units two samples agree."""
    ones, zeros = bits.double(), (~bits).double()
    return ones @ ones.T + zeros @ zeros.T


def log_det(kernel: torch.Tensor) -> float:
    """Of a symmetric matrix without negative eigenvalues, (n, n); a hair is added to its diagonal."""
    ridge = _RIDGE * torch.eye(len(kernel), dtype=kernel.dtype, device=kernel.device)
    return float(torch.linalg.slogdet(kernel + ridge).logabsdet)

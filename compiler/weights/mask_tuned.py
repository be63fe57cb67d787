"""Regularized mask tuning: frozen weights under a trained binary mask (R-AMT, 2023, arXiv:2307.15049, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compiler.weights.transform import WeightTransform
from nasdsl.language.signatures.methods import masked_count

_START = 1e-2
_PENALTY = 1e-4  # weight of the norm of the scores in the loss


class MaskTuned(WeightTransform):
    """A weight is kept where its score is above the threshold; the gradient passes to the score as it is.

    With `select` below 1 only the weights of least magnitude have scores, the others stay.
    """

    freezes = True
    decay_on = "none"
    index: Tensor

    def __init__(self, weight: Tensor, threshold: float, grad_dropout: float, select: float) -> None:
        super().__init__()
        self.threshold, self.grad_dropout = threshold, grad_dropout
        count = masked_count({"select": select}, weight.numel())
        self.is_partial = select < 1
        self.scores = nn.Parameter(weight.new_full((count,) if self.is_partial else weight.shape, _START))
        if self.is_partial:
            self.register_buffer("index", torch.arange(count, device=weight.device))
        self._keeps_all = False

    def forward(self, original: Tensor) -> Tensor:
        if self._keeps_all:
            return original
        kept = (self.scores > self.threshold).to(self.scores.dtype)
        kept = kept + (self.scores - self.scores.detach())  # straight-through
        if not self.is_partial:
            return original * kept
        whole = torch.ones_like(original).flatten().scatter(0, self.index, kept)
        return original * whole.view_as(original)

    def right_inverse(self, weight: Tensor) -> Tensor:
        with torch.no_grad():
            self.scores.fill_(_START)
            if self.is_partial and not weight.is_meta:
                smallest = weight.detach().abs().flatten().topk(len(self.index), largest=False)
                self.index.copy_(smallest.indices.sort().values)
        return weight

    def auxiliary_loss(self) -> Tensor:
        """The norm of the scores, lightly weighted."""
        penalty: Tensor = _PENALTY * torch.linalg.vector_norm(self.scores)
        return penalty

    @staticmethod
    def after_backward(
        members: list[MaskTuned], forward: Callable[[], Tensor | Mapping[str, Tensor]]
    ) -> None:
        """Gradient dropout: gradients of scores that oppose those of distillation towards the whole network are
        dropped at random. It runs the network twice more on the batch, which norms over batches see too."""
        tuned = [one for one in members if one.grad_dropout > 0 and one.scores.grad is not None]
        if not tuned:
            return
        with torch.no_grad(), _keeping_all(members):
            teachers = _tensors(forward())
        loss = sum(_distance(s, t) for s, t in zip(_tensors(forward()), teachers, strict=True))
        assert isinstance(loss, Tensor)
        general = torch.autograd.grad(loss, [one.scores for one in tuned])
        for one, other in zip(tuned, general, strict=True):
            assert one.scores.grad is not None
            one.scores.grad = dropped(one.scores.grad, other, one.grad_dropout)


def dropped(task: Tensor, general: Tensor, rate: float) -> Tensor:
    """The gradient of the task, dropped at `rate` where a draw says so: kept with probability 1 where both agree in
    sign, else |task| / (|task| + |general|) (R-AMT, eq. 8 and 9)."""
    purity = (task + general) / (task.abs() + general.abs() + 1e-8)
    keep = 0.5 * (1 + task.sign() * purity)
    agrees = keep > torch.rand_like(keep)
    return task * torch.where(agrees, 1.0, 1.0 - rate)


class _keeping_all:
    """Within, no mask drops anything: the network is the frozen one."""

    def __init__(self, members: list[MaskTuned]) -> None:
        self.members = members

    def __enter__(self) -> None:
        for one in self.members:
            one._keeps_all = True

    def __exit__(self, *error: object) -> None:
        for one in self.members:
            one._keeps_all = False


def _tensors(outputs: Tensor | Mapping[str, Tensor]) -> list[Tensor]:
    return [outputs] if isinstance(outputs, Tensor) else list(chain(outputs.values()))


def _distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy to the teacher's classes at temperature 1; of single numbers, the squared difference."""
    if student.shape[-1] == 1:
        return F.mse_loss(student, teacher)
    return F.cross_entropy(student, teacher.softmax(-1))

"""What is measured on a part of the data: numbers from outputs and targets, added up batch by batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch

from nasdsl.training.losses import Loss

Extra: TypeAlias = Callable[[torch.Tensor, torch.Tensor], float]
"""(outputs, targets) of a whole part -> number."""


def classification(output: torch.Tensor, target: torch.Tensor, loss: Loss) -> dict[str, float]:
    """accuracy (share of right answers) and loss. output (n, classes), target (n,)."""
    right = int((output.argmax(1) == target).sum())
    return {"accuracy": right / len(target), "loss": float(loss(output, target))}


def multilabel(output: torch.Tensor, target: torch.Tensor, loss: Loss) -> dict[str, float]:
    """macro_f1 and loss. output and target (n, labels)."""
    return {"macro_f1": macro_f1(output, target), "loss": float(loss(output, target))}


def regression(
    output: torch.Tensor, target: torch.Tensor, loss: Loss, deviation: torch.Tensor
) -> dict[str, float]:
    """r2, mae and loss, averaged over the predicted numbers; all arrays (n, k), standardized.

    r2 is one minus the squared error over that of the best constant; of targets that are constant here
    it is 1 for a perfect answer and 0 otherwise. mae is in the units of the data, loss in standard ones.
    """
    error, spread = (output - target).square().sum(0), (target - target.mean(0)).square().sum(0)
    constant = spread == 0
    r2 = torch.where(constant, (error == 0).float(), 1 - error / spread.masked_fill(constant, 1.0))
    mae = ((output - target).abs() * deviation).mean()
    return {"r2": float(r2.mean()), "mae": float(mae), "loss": float(loss(output, target))}


def next_token(right: int, loss_sum: float, count: int) -> dict[str, float]:
    """Of `count` positions: accuracy, mean loss in nats, and the same in bits, where a symbol is a byte."""
    loss = loss_sum / count
    return {"accuracy": right / count, "loss": loss, "bits_per_byte": loss / math.log(2)}


def segmentation(agreement: torch.Tensor, loss_sum: float) -> dict[str, float]:
    """accuracy, mean_iou and loss of positions. agreement (classes, classes): how often a class of the first axis was
    answered by one of the second. A class that is neither there nor ever answered is left out of mean_iou."""
    counts = agreement.double()
    right, either = counts.diag(), counts.sum(0) + counts.sum(1) - counts.diag()
    there = either > 0
    total = float(counts.sum())
    iou = float((right[there] / either[there]).mean())
    return {"accuracy": float(right.sum()) / total, "mean_iou": iou, "loss": loss_sum / total}


def agreement(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """(classes, classes): of positions, by their class and by what was answered. output (n, classes, *positions)."""
    classes = output.shape[1]
    pairs = target.flatten() * classes + output.argmax(1).flatten()
    return torch.bincount(pairs, minlength=classes * classes).view(classes, classes)


def balanced_accuracy(output: torch.Tensor, target: torch.Tensor) -> float:
    """The mean over classes of the share found of each; classes without a sample here count for nothing."""
    truth, found = _hits(output, target)
    there = truth > 0
    return float((found[there] / truth[there]).mean())


def macro_f1(output: torch.Tensor, target: torch.Tensor) -> float:
    """F1 of each class, or of each label (answered from probability 0.5 on), averaged.

    A class that is neither there nor ever answered is left out; as in scikit-learn, 0 where one is missed.
    """
    if target.ndim == 2:
        answered = (output > 0).float()
        found = (answered * target).sum(0)
        both = answered.sum(0) + target.sum(0)
    else:
        truth, found = _hits(output, target)
        both = truth + torch.bincount(output.argmax(1), minlength=output.shape[1])
    there = both > 0
    return float((2 * found[there] / both[there]).mean())


def _hits(output: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How often each class is there, and how often it is found."""
    classes = output.shape[1]
    return (
        torch.bincount(target, minlength=classes).double(),
        torch.bincount(target[output.argmax(1) == target], minlength=classes).double(),
    )


def ece(output: torch.Tensor, target: torch.Tensor) -> float:
    """Expected calibration error over 15 bins of confidence (Naeini et al. 2015; Guo et al. 2017, eq. 3)."""
    confidence, answers = output.softmax(1).max(1)
    bins = (confidence * 15).ceil().long().clamp(1, 15) - 1
    gaps = torch.zeros(15, dtype=torch.float64, device=output.device)
    right = (answers == target).double()
    gaps.index_add_(0, bins, right - confidence.double())
    return float(gaps.abs().sum() / len(target))


def rankme(features: torch.Tensor, target: torch.Tensor) -> float:
    """The effective rank of features (n, k), between 1 and min(n, k): exp of the entropy of the singular values'
    shares (Garrido et al. 2023, arXiv 2210.02885, eq. 1). 0 where all features are 0. A collapsed classifier has
    one less than it has classes, so more is not always better; n should be several times k."""
    z = features.double()
    gram = z.T @ z if z.shape[1] <= z.shape[0] else z @ z.T
    singular = torch.linalg.eigvalsh(gram).clamp_min(0).sqrt()
    total = singular.sum()
    if not bool(total > 0):
        return 0.0
    shares = singular / total
    return float(torch.exp(-torch.special.xlogy(shares, shares).sum()))


def nc1(features: torch.Tensor, target: torch.Tensor) -> float:
    """tr(S_W) / tr(S_B): the spread within classes over that of the class means, 0 where classes have collapsed
    (Tirer et al. 2023, arXiv 2210.16658). features (n, k), target (n,); every class counts alike."""
    h = features.double()
    present, place = target.unique(return_inverse=True)  # type: ignore[no-untyped-call]
    counts = torch.bincount(place).double()[:, None]
    means = torch.zeros(len(present), h.shape[1], dtype=h.dtype, device=h.device)
    means = means.index_add(0, place, h) / counts
    spread = torch.zeros(len(present), dtype=h.dtype, device=h.device)
    spread = spread.index_add(0, place, (h - means[place]).square().sum(1)) / counts[:, 0]
    within, between = float(spread.mean()), float((means - means.mean(0)).square().sum(1).mean())
    return within / between if between > 0 else math.inf


OF_FEATURES: Mapping[str, Extra] = {"rankme": rankme, "nc1": nc1}
EXTRAS: Mapping[str, Extra] = {
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "ece": ece,
}

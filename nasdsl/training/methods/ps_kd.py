"""Progressive self-knowledge distillation (Kim et al. 2021, arXiv 2006.12000, equations 4 and 5).

The target of a sample in epoch e is (1 - a) label + a answer of epoch e - 1, where a rises from nothing to
`alpha` in the last epoch. In the first epoch the answer is the label itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.fitting import need_classes
from nasdsl.training.methods.mixup import shares
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers
from nasdsl.training.target_store import TargetStore


@dataclass(frozen=True)
class SelfDistillation:
    """Softens targets by what `remember` kept an epoch ago."""

    answers: TargetStore
    alpha: float
    classes: Mapping[str, int]

    def __call__(self, batch: Batch, course: Course) -> Batch:
        labels = shares(batch, self.classes)
        share = self.alpha * (course.epoch + 1) / course.n_epochs
        if course.epoch == 0:
            return replace(batch, targets=labels)
        soft = {n: (1 - share) * y + share * self.answers[n][batch.index] for n, y in labels.items()}
        return replace(batch, targets=soft)

    def remember(self, batch: Batch, outputs: Tensors, course: Course) -> None:
        """Each sample is seen once an epoch, so what is read is always of the last one."""
        self.answers.blend(batch.index, {name: z.softmax(1) for name, z in outputs.items()}, 0.0)


def make(spec: Spec, setup: Setup) -> Parts:
    """Raises DataError for tasks without classes."""
    need_classes(setup, "ps_kd")
    store = TargetStore(setup)
    # A sample that an epoch left out (a lone last one) has no answer yet: its own label stands in.
    store.fill(shares(Batch({}, setup.data.targets, setup.rows), setup.widths))
    method = SelfDistillation(store, numbers(spec)["alpha"], setup.widths)
    return Parts(retarget=(method,), observers=(method.remember,))

"""Mixup whose shares are learned for each pair (Guo et al. 2019, arXiv 1809.02499, sections 3 and 4).

A policy looks at a pair and answers with a stretch a .. a + d of shares, from which one is drawn. What keeps it off
real samples is a second judge on the network's features: it tells mixed samples from real ones, and its loss falls
where the policy leaves what could be real. Policy, judge and network minimize one sum: the loss of mixed samples,
the loss of real ones, and `intrusion` times the judge's. Both read the features that the network gives to its last
layer, so that they fit any architecture; those for the policy carry no gradient back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from nasdsl.language.network import Spec
from nasdsl.training.batch import Batch, Tensors
from nasdsl.training.errors import DataError
from nasdsl.training.fitting import need_classes, need_numbers
from nasdsl.training.layers import Features, head
from nasdsl.training.losses import training_loss
from nasdsl.training.measuring import outputs_of
from nasdsl.training.methods.mixup import shares
from nasdsl.training.protocols import Course, Parts, Setup
from nasdsl.training.settings import numbers

_HIDDEN = 100  # of the policy, as in the paper


@dataclass
class AdaMixup:
    """State of a step: the real batch whose mixture the network is just shown."""

    setup: Setup
    intrusion: float
    features: Features
    policy: nn.Module
    judge: nn.Linear
    rng: np.random.Generator
    real: Batch = field(init=False)

    def mix(self, batch: Batch, course: Course) -> Batch:
        """Each sample with another of its batch, by a share of its own. Gradients reach the policy through it."""
        self.real = batch
        n, device = len(batch.index), batch.index.device
        partner = torch.from_numpy(self.rng.permutation(n)).to(device)
        share = self.share(batch, partner)
        return replace(
            batch,
            inputs={name: _lerp(x[partner], x, share) for name, x in batch.inputs.items()},
            targets={n: _lerp(y[partner], y, share) for n, y in shares(batch, self.setup.widths).items()},
        )

    def share(self, batch: Batch, partner: torch.Tensor) -> torch.Tensor:
        """Of the first of each pair, (n,), in a .. a + d."""
        drawn = torch.from_numpy(self.rng.random((2, len(partner)), dtype=np.float32)).to(partner.device)
        between = {name: _lerp(x[partner], x, drawn[0]) for name, x in batch.inputs.items()}
        module = self.setup.module
        was_training = module.training
        with torch.no_grad():
            module.eval()  # the policy only looks: statistics of norms stay as they are
            outputs_of(module, replace(batch, inputs=between))
            module.train(was_training)
        region: torch.Tensor = self.policy(self.features.flat()).softmax(1)
        return region[:, 0] + region[:, 1] * drawn[1]

    def term(self, batch: Batch, outputs: Tensors, course: Course) -> torch.Tensor:
        """The losses of the real batch and of the judge. The network has just run on the mixed one."""
        mixed = self.judge(self.features.flat()).flatten()
        answers = outputs_of(course.module, self.real)
        real = self.judge(self.features.flat()).flatten()
        loss = training_loss(self.setup.settings, self.setup.kind, self.setup.counts)
        losses = [loss(answers[name], y) for name, y in self.real.targets.items()]
        found = functional.binary_cross_entropy_with_logits(
            torch.cat([real, mixed]), torch.cat([torch.ones_like(real), torch.zeros_like(mixed)])
        )
        return torch.stack([*losses, self.intrusion * found]).sum()


def _lerp(a: torch.Tensor, b: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    return torch.lerp(a, b, share.view(-1, *[1] * (a.dim() - 1)))


def make(spec: Spec, setup: Setup) -> Parts:
    """Raises DataError for other tasks than classes of numbers, and for a network without a layer to judge by."""
    need_classes(setup, "adamixup")
    need_numbers(setup, "adamixup")
    last = head(setup.module)
    if last is None:
        raise DataError(
            "`adamixup` looks at the features of a network, and this one has no layer with weights"
        )
    features = Features()
    last.register_forward_pre_hook(features.keep)
    width = _width(setup, features)
    rng = setup.chance("adamixup")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        policy = nn.Sequential(nn.Linear(width, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 3)).to(setup.device)
        judge = nn.Linear(width, 1).to(setup.device)
    method = AdaMixup(setup, numbers(spec)["intrusion"], features, policy, judge, rng)
    return Parts(mix=(method.mix,), terms=(method.term,), weights=(*policy.parameters(), *judge.parameters()))


def _width(setup: Setup, features: Features) -> int:
    """How many features a sample has."""
    module = setup.module
    was_training = module.training
    with torch.no_grad():
        module.eval()
        outputs_of(module, setup.data.batch(setup.rows[:2].to(setup.device)))
        module.train(was_training)
    return features.flat().shape[1]

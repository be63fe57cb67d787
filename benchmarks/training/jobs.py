"""What is trained: small networks on digits and MNIST, as text of a space, and their settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nasdsl
from compiler.plan import Plan, plan_of
from nasdsl.language.network import Spec
from nasdsl.training import Dataset, open_data

_MLP = "flatten; linear({0}); relu; dropout(0.1); linear({1}); relu; dropout(0.1); linear(outputs)"
_CNN = "conv2d(8, 3); relu; max_pool(2); conv2d(16, 3); relu; max_pool(2); flatten; linear(outputs)"


@dataclass(frozen=True)
class Job:
    """`asked`: the ratio to the baseline that is asked for on two cores. `group`: members trained as one."""

    name: str
    data: str
    network: str
    batch_size: int
    epochs: int
    group: int
    asked: float


JOBS = (
    Job("digits MLP, batch 32", "digits", _MLP.format(64, 32), 32, 4, 8, 8.0),
    Job("MNIST-5k MLP, batch 32", "mnist5k", _MLP.format(128, 64), 32, 1, 8, 3.5),
    Job("MNIST-5k MLP, batch 128", "mnist5k", _MLP.format(128, 64), 128, 1, 8, 3.0),
    Job("MNIST-5k CNN, batch 32", "mnist5k", _CNN, 32, 1, 4, 1.6),
)


@cache
def opened(job: Job) -> tuple[Plan, Dataset]:
    space = nasdsl.parse(f"task classification on {job.data}\nnetwork {{ {job.network} }}\n")
    assert space.task is not None
    data = open_data(space.task, Path("."), None)
    space = space.with_task(data.shapes, data.outputs)
    return plan_of(space.decided(space.sample(0))), data


def settings(job: Job, candidate: int) -> dict[str, Any]:
    """Candidates differ in rate and decay."""
    rate, decay = 1e-3 * (1 + candidate % 5), 0.01 * (candidate % 3)
    optimizer = Spec("adamw", {"lr": rate, "weight_decay": decay})
    return {"epochs": job.epochs, "batch_size": job.batch_size, "optimizer": optimizer}

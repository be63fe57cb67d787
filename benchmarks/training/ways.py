"""Ways to train candidates, each a function (job, how many) that returns when all are trained.

baseline   Optuna proposes, a plain DataLoader without workers feeds, torch uses its default threads: what people write today
baseline1  the same on one torch thread, which its writer may have found to be faster
tight      the trainer of this package, one thread
processes  the same in two warm processes
fused      groups in one process, one thread
engine     groups in two warm processes, where the probe of the engine finds that a group pays; else one at a time
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor
from functools import cache
from typing import TypeAlias

import torch
from torch import nn

from benchmarks.training.jobs import Job, opened, settings
from compiler.build import build
from nasdsl.training import Dataset, train
from nasdsl.training.fused.probe import seconds_a_step
from nasdsl.training.fused.train import Candidate, train_group

Way: TypeAlias = Callable[[Job, int], None]
_ORDER = 7  # one order of samples for a group, as siblings of a search have it


def baseline(job: Job, count: int) -> None:
    _baseline(job, count, os.cpu_count() or 1)


def baseline1(job: Job, count: int) -> None:
    _baseline(job, count, 1)


def _baseline(job: Job, count: int, threads: int) -> None:
    import optuna

    torch.set_num_threads(threads)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    plan, data = opened(job)
    plain = Plain(data)

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("lr", 1e-4, 1e-2, log=True)
        decay = trial.suggest_float("weight_decay", 1e-5, 0.1, log=True)
        dropped = trial.suggest_float("dropout", 0.0, 0.5)
        module = build(plan)
        for layer in module.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = dropped
        return plain.accuracy(module, rate, decay, job.batch_size, job.epochs)

    optuna.create_study(direction="maximize").optimize(objective, n_trials=count)


class Plain:
    """Training as people write it: a DataLoader, AdamW, a loop."""

    def __init__(self, data: Dataset) -> None:
        from torch.utils.data import TensorDataset

        x = torch.from_numpy(next(iter(data.inputs.values())).copy())
        y = torch.from_numpy(next(iter(data.targets.values())).copy())
        fold = data.folds[0]
        scale = next(iter(fold.inputs.values()), None)
        if scale is not None:
            x = (x - torch.from_numpy(scale.mean)) / torch.from_numpy(scale.deviation)
        self._train, self._valid = (TensorDataset(x[rows], y[rows]) for rows in (fold.train, fold.valid))

    def accuracy(self, module: nn.Module, rate: float, decay: float, batch_size: int, epochs: int) -> float:
        """On the validation part, after the last epoch; measured after each, as people do."""
        from torch.utils.data import DataLoader

        optimizer = torch.optim.AdamW(module.parameters(), rate, weight_decay=decay)
        loss_of = nn.CrossEntropyLoss()
        right = 0
        for _ in range(epochs):
            module.train()
            for inputs, targets in DataLoader(self._train, batch_size, shuffle=True):
                optimizer.zero_grad()
                loss_of(module(inputs), targets).backward()
                optimizer.step()
            module.eval()
            with torch.no_grad():
                right = sum(int((module(a).argmax(1) == b).sum()) for a, b in DataLoader(self._valid, 512))
        return right / len(self._valid)


def tight(job: Job, count: int) -> None:
    torch.set_num_threads(1)
    plan, data = opened(job)
    for candidate in range(count):
        train(build(plan, seed=candidate), plan, settings(job, candidate), data, candidate)


def fused(job: Job, count: int) -> None:
    torch.set_num_threads(1)
    plan, data = opened(job)
    for first in range(0, count, job.group):
        members = [
            Candidate(build(plan, seed=k), settings(job, k), k, _ORDER)
            for k in range(first, min(count, first + job.group))
        ]
        assert len(list(train_group(members, plan, data))) == len(members)


def engine(job: Job, count: int) -> None:
    (fused if pays(job) else tight)(job, count)


@cache
def pays(job: Job) -> bool:
    """What the engine's probe says in this process."""
    plan, data = opened(job)
    members = [Candidate(build(plan, seed=k), settings(job, k), k, _ORDER) for k in range(job.group)]
    together, alone = seconds_a_step(members, plan, data, torch.device("cpu"))
    return together < alone


def in_processes(executor: Executor, way: Way, n: int) -> Way:
    """The way in `n` processes at once, each with its share."""

    def run(job: Job, count: int) -> None:
        for future in [executor.submit(way, job, count // n) for _ in range(n)]:
            future.result()

    return run

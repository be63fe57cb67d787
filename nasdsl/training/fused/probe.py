"""Whether a group pays: a few steps both ways, by the clock. The winner changes with the shapes."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from nasdsl.training.dataset import Dataset
from nasdsl.training.fused.train import Candidate, group_of
from nasdsl.training.session import session
from nasdsl.training.trainer import one_thread

if TYPE_CHECKING:
    from compiler.plan import Plan

_WARM, _TIMED, _ROUNDS = 2, 5, 2


def seconds_a_step(
    candidates: Sequence[Candidate], plan: Plan, dataset: Dataset, device: torch.device
) -> tuple[float, float]:
    """Of all candidates together, and of all one after the other; on copies, which nothing remembers.

    Raises Unfusable where they cannot train together.
    """
    copies = [replace(one, module=copy.deepcopy(one.module)) for one in candidates]
    devices = [device] if device.type == "cuda" else []
    with one_thread(device), torch.random.fork_rng(devices=devices):
        group = group_of(copies, plan, dataset, 1, device)
        orders = [one.batches() for one in group.sessions]
        first = candidates[0]
        alone = session(
            copy.deepcopy(first.module), plan, first.settings, dataset, 0, first.seed, 1, device, first.order
        )
        rows = alone.batches()
        alone.course.module.train()
        group.train()

        def together(step: int) -> None:
            group.step([own[step % len(own)] for own in orders])

        def one(step: int) -> None:
            alone.step(rows[step % len(rows)])

        for step in range(_WARM):
            together(step)
            one(step)
        times = [(_timed(together, device), _timed(one, device)) for _ in range(_ROUNDS)]
    return min(t for t, _ in times), min(t for _, t in times) * len(group.sessions)


def _timed(step: Callable[[int], None], device: torch.device) -> float:
    began = time.perf_counter()
    for number in range(_TIMED):
        step(number)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - began) / _TIMED

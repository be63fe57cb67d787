"""Training a group of candidates as one program, each to its own end."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import nn

from nasdsl.training.dataset import Dataset
from nasdsl.training.errors import Diverged
from nasdsl.training.fused.group import Group
from nasdsl.training.measuring import means
from nasdsl.training.session import Session, chance_of, session
from nasdsl.training.settings import Settings, whole
from nasdsl.training.trainer import Trained, check_fits, kept_state, one_thread

if TYPE_CHECKING:
    from compiler.plan import Plan

OnEpoch: TypeAlias = Callable[[int, int, Mapping[str, float]], bool]
"""(place of the candidate, epochs done, measures) -> whether its training goes on."""


@dataclass(frozen=True)
class Candidate:
    """One of a group: its network, initialised by its own seed, and what it is trained with.

    order: the seed of the order of samples, where it is not `seed`; with one for all, the members see the
    same batches, which is faster, and a fairer comparison.
    """

    module: nn.Module
    settings: Settings
    seed: int
    order: int | None = None


def group_of(
    candidates: Sequence[Candidate],
    plan: Plan,
    dataset: Dataset,
    n_epochs: int,
    device: torch.device,
    measures: Sequence[str] = (),
) -> Group:
    """The candidates, each with one network for each fold, in training together.

    Raises Unfusable where they cannot be, and DataError where settings or data do not fit.
    """
    sessions: list[Session] = []
    seeds: list[int] = []
    for one in candidates:
        modules = [one.module, *(copy.deepcopy(one.module) for _ in dataset.folds[1:])]
        for fold, module in enumerate(modules):
            sessions.append(
                session(
                    module,
                    plan,
                    one.settings,
                    dataset,
                    fold,
                    one.seed,
                    n_epochs,
                    device,
                    one.order,
                    tuple(measures),
                )
            )
            seeds.append(chance_of(one.seed, fold))
    return Group(sessions, seeds)


def train_group(
    candidates: Sequence[Candidate],
    plan: Plan,
    dataset: Dataset,
    *,
    epochs: int | None = None,
    device: str | torch.device = "cpu",
    on_epoch: OnEpoch | None = None,
    measures: Sequence[str] = (),
) -> Iterator[tuple[int, Trained | Diverged]]:
    """Train candidates of one structure in place; gives (place, what came of it) as each ends.

    Each gets what `trainer.train` gives it alone, within rounding. A candidate that is stopped or diverges leaves the group
    at the end of the epoch. `seconds` are the candidate's share of the wall time. Raises Unfusable before the
    first step.
    """
    device = torch.device(device)
    check_fits(plan, dataset)
    n_epochs = whole(candidates[0].settings, "epochs") if epochs is None else epochs
    with one_thread(device):
        group = group_of(candidates, plan, dataset, n_epochs, device, measures)
    n_folds = len(dataset.folds)
    states = {place: _State([], 0.0) for place in range(len(candidates))}
    for epoch in range(1, n_epochs + 1):
        began = time.perf_counter()
        with one_thread(device):
            found = group.epoch()
        share = (time.perf_counter() - began) / len(states)
        left: list[int] = []
        for index, (place, state) in enumerate(list(states.items())):
            state.seconds += share
            mine = found[index * n_folds : (index + 1) * n_folds]
            error = state.note(epoch, mine)
            goes_on = error is None and (on_epoch is None or on_epoch(place, epoch, state.measures))
            if goes_on and epoch < n_epochs:
                left += range(index * n_folds, (index + 1) * n_folds)
                continue
            del states[place]
            yield place, error or state.trained(candidates[place].module, group.refused)
        if not states:
            return
        if len(left) < len(found):
            group.keep(left)


@dataclass
class _State:
    """How far one candidate is."""

    curve: list[dict[str, float]]
    seconds: float

    def note(self, epoch: int, folds: Sequence[dict[str, float] | Diverged]) -> Diverged | None:
        """Take the measures of all folds; the first divergence, if there was one."""
        measured: list[dict[str, float]] = []
        for one in folds:
            if isinstance(one, Diverged):
                return one
            measured.append(one)
        self.curve.append({"step": epoch, **means(measured)})
        return None

    @property
    def measures(self) -> dict[str, float]:
        last = self.curve[-1]
        return {name: value for name, value in last.items() if name not in ("step", "train_loss")}

    def trained(self, module: nn.Module, no_graph: str | None) -> Trained:
        return Trained(self.measures, self.curve, self.seconds, kept_state(module), no_graph=no_graph)

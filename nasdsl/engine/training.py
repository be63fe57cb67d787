"""The default evaluation: train the network of a point on the data of the run. Runs in a worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from compiler.build import build
from compiler.plan import Plan, plan_of
from nasdsl.engine import checkpoints
from nasdsl.engine.errors import EngineError
from nasdsl.engine.evaluate import Evaluator, guarded, scored
from nasdsl.engine.grouping import Choices
from nasdsl.engine.isolation import without_memory_limit
from nasdsl.engine.messages import Chose, Done, Group, Job, Result, Setup
from nasdsl.engine.overrides import overridden
from nasdsl.engine.places import GPU_VARIABLE
from nasdsl.engine.probing import asks, measured
from nasdsl.engine.spaces import parse_space
from nasdsl.engine.untrained import Costs, costs_of, with_all_goals
from nasdsl.engine.worker import Channel
from nasdsl.language.errors import Infeasible
from nasdsl.language.network import Goal
from nasdsl.language.point import Point
from nasdsl.language.signatures.measures import MEASURES, asked_beyond, fuses
from nasdsl.training import Dataset, Diverged, Trained, fit_baselines, measure, train
from nasdsl.training.continuing import Stretch
from nasdsl.training.fused.forms import Unfusable
from nasdsl.training.fused.train import Candidate, train_group
from nasdsl.training.settings import whole
from nasdsl.training.step_law import worked_out

if TYPE_CHECKING:
    from torch.fx import GraphModule

    from nasdsl.language.space import Space


_NOTHING: Mapping[str, float] = {}
_PROGRESS = "progress"  # the name of a checkpoint


def trainer(setup: Setup) -> Evaluator:
    """Open the data and the space once for all trials of this worker."""
    assert setup.data_folder is not None and setup.space_text is not None
    _check_device(setup.device)
    dataset = Dataset.open(setup.data_folder)
    space = parse_space(setup.space_text, setup.space_path, trust=True).with_task(
        dataset.shapes, dataset.outputs
    )
    bench = _Bench(space, dataset, setup, Choices(setup.groups))

    def run(job: Job, channel: Channel) -> Result:
        match job.task:
            case "train":
                return bench.train(job, channel)
            case "test":
                return bench.test(job)
            case "baselines":
                goals = [goal.measure for goal in space.goals]
                with without_memory_limit():
                    return Result(score=0.0, measures=fit_baselines(dataset, goals))

    return Evaluator(run, bench.together)


def _check_device(device: str) -> None:
    """Raises EngineError for a GPU that this process cannot use."""
    if device == "cpu" or torch.cuda.is_available():
        return
    seen = os.environ.get(GPU_VARIABLE, "not set")
    raise EngineError(
        f"no GPU can be used: torch {torch.__version__} finds none with {GPU_VARIABLE} = {seen}"
    )


@dataclass(frozen=True)
class _Bench:
    """What all trials of a worker share."""

    space: Space
    dataset: Dataset
    setup: Setup
    choices: Choices

    def together(self, group: Group, channel: Channel) -> Iterator[Done]:
        """Jobs of one structure, or the folds of one job, as one program; nothing where that does not pay."""
        if len(group) * len(self.dataset.folds) == 1 or any(
            job.task != "train" or job.stretch for job in group
        ):
            return
        if asks(self.space) or not fuses(self._measures()):
            return  # each is measured untrained before any is trained; or needs more than its outputs
        networks = [self._network(job) for job in group]
        plan = networks[0][0]
        if len({one.hash for one, _, _ in networks}) > 1:
            return
        members = [
            Candidate(module, settings, job.seed, job.order)
            for (_, module, settings), job in zip(networks, group, strict=True)
        ]
        together, chose = self.choices.choose(members, plan, self.dataset, self.setup.device)
        self._tell(chose, channel)
        if not together:
            return
        try:
            yield from self._train_group(group, members, plan, channel)
        except Unfusable as error:
            self._tell(self.choices.folds_apart(error), channel)

    def _tell(self, chose: Chose | None, channel: Channel) -> None:
        if chose is not None:
            channel.send(chose)

    def _tell_of_graph(self, trained: Trained | Diverged, channel: Channel) -> None:
        """That steps ran without a CUDA graph where one was tried."""
        if isinstance(trained, Trained) and trained.no_graph is not None:
            self._tell(self.choices.without_graph(trained.no_graph), channel)

    def _train_group(
        self, group: Group, members: list[Candidate], plan: Plan, channel: Channel
    ) -> Iterator[Done]:
        told = [self._teller(job, channel) for job in group]
        found = train_group(
            members,
            plan,
            self.dataset,
            epochs=group[0].epochs,
            device=self.setup.device,
            on_epoch=lambda place, epoch, measures: told[place](epoch, measures),
            measures=self._measures(),
        )
        for place, one in found:
            job = group[place]
            seconds = 0.0 if isinstance(one, Diverged) else one.seconds
            self._tell_of_graph(one, channel)
            result = guarded(partial(self._outcome_of, one), job, channel)
            yield Done(job.trial, replace(result, seconds=seconds))

    def _outcome_of(self, trained: Trained | Diverged, job: Job, channel: Channel) -> Result:
        return self._outcome(job, trained)

    def _outcome(
        self, job: Job, trained: Trained | Diverged, found: Mapping[str, float] = _NOTHING
    ) -> Result:
        """`found`: what was measured beside the training. Raises what a training alone would have raised."""
        if isinstance(trained, Diverged):
            raise trained
        costs = costs_of(self.space, Point.from_json(job.point))
        costs = replace(costs, measures={**costs.measures, **found})
        result = self._result(costs, trained, self.space.goals[0])
        return _with_weights(with_all_goals(result, self.setup.goals), trained, job)

    def _teller(self, job: Job, channel: Channel) -> Callable[[int, Mapping[str, float]], bool]:
        goal = self.space.goals[0]

        def on_epoch(epoch: int, measures: Mapping[str, float]) -> bool:
            """Whether training goes on."""
            if goal.measure in measures:
                channel.report(job.trial, epoch, _signed(measures[goal.measure], goal))
            return not channel.should_stop(job.trial)

        return on_epoch

    def train(self, job: Job, channel: Channel) -> Result:
        found = dict(
            measured(self.space, Point.from_json(job.point), job.seed, self.dataset, self.setup.device)
        )  # before training is spent
        plan, module, settings = self._network(job)
        trained = train(
            module,
            plan,
            settings,
            self.dataset,
            job.seed,
            epochs=None if job.stretch else job.epochs,
            device=self.setup.device,
            on_epoch=self._teller(job, channel),
            measures=self._measures(),
            order=job.order,
            stretch=self._stretch(job),
        )
        self._tell_of_graph(trained, channel)
        if trained.progress is not None:
            checkpoints.save(self._checkpoints(job), _PROGRESS, trained.progress)
        found |= _times(trained, self.space.goals)
        return self._outcome(job, trained, found)

    def _stretch(self, job: Job) -> Stretch | None:
        if not job.stretch:
            return None
        assert job.epochs is not None
        return Stretch(job.epochs, checkpoints.load(self._checkpoints(job), _PROGRESS))

    def _checkpoints(self, job: Job) -> Path:
        return checkpoints.folder_of(self.setup.folder, job.trial)

    def test(self, job: Job) -> Result:
        """The kept weights on the test split."""
        from safetensors.torch import load_file

        assert job.weights is not None
        _, module, settings = self._network(job)
        module.load_state_dict(load_file(job.weights, device=self.setup.device))
        measures = measure(
            module, settings, self.dataset, "test", device=self.setup.device, measures=self._measures()
        )
        return Result(score=0.0, measures=measures)

    def _measures(self) -> tuple[str, ...]:
        """What the objectives ask for beyond the usual."""
        goals = self.space.goals
        targets = (goal.target[0] for goal in goals if goal.target is not None)
        return asked_beyond((*(goal.measure for goal in goals), *targets))

    def _network(self, job: Job) -> tuple[Plan, GraphModule, dict[str, Any]]:
        decided = self.space.decided(Point.from_json(job.point))
        plan = plan_of(decided)
        asked = overridden(decided.settings, self.setup.settings)
        settings = dict(worked_out(asked, plan, self.dataset, job.epochs or whole(asked, "epochs")))
        return plan, build(plan, seed=job.seed).to(self.setup.device), settings

    def _result(self, costs: Costs, trained: Trained, goal: Goal) -> Result:
        known = {**costs.measures, "seconds": trained.seconds, **trained.measures}
        if goal.measure not in known:
            raise ValueError(
                f"training gives no measure `{goal.measure}`; it gives {', '.join(sorted(known))}"
            )
        score = _signed(float(known[goal.measure]), goal)
        return costs.added_to(scored(score, measures=trained.measures, curve=tuple(trained.curve)))


def _times(trained: Trained, goals: Sequence[Goal]) -> dict[str, float]:
    """`time_to_target`, where it is an objective. Raises Infeasible where the target was never reached: its time
    is infinite (Dahl et al. 2023)."""
    for goal in goals:
        if goal.target is not None:
            return {goal.measure: _time_to(*goal.target, trained)}
    return {}


def _time_to(name: str, target: float, trained: Trained) -> float:
    sign = 1 if MEASURES[name].larger else -1
    for row in trained.curve:
        if sign * row[name] >= sign * target:
            return row["seconds"]
    best = max(sign * row[name] for row in trained.curve) * sign
    raise Infeasible(f"`{name}` came to {best:.4g} at best, short of its target {target:g}")


def _with_weights(result: Result, trained: Trained, job: Job) -> Result:
    """Write the weights where they are wanted; the parent gives the file its name."""
    if job.weights is None or result.score is None:
        return result
    if job.keep_above is not None and result.score <= job.keep_above:
        return result
    checkpoints.write_tensors(job.weights, trained.state_dict)
    return replace(result, weights=job.weights)


def _signed(value: float, goal: Goal) -> float:
    return value if goal.maximize else -value

"""The default evaluation: train the network of a point on the data of the run. Runs in a worker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from compiler.build import build
from compiler.plan import Plan, plan_of
from nasdsl.engine import checkpoints
from nasdsl.engine.errors import EngineError
from nasdsl.engine.evaluate import Evaluate, scored
from nasdsl.engine.messages import Job, Result, Setup
from nasdsl.engine.overrides import overridden
from nasdsl.engine.places import GPU_VARIABLE
from nasdsl.engine.spaces import parse_space
from nasdsl.engine.untrained import Costs, costs_of, with_all_goals
from nasdsl.engine.worker import Channel
from nasdsl.language.network import Goal
from nasdsl.language.point import Point
from nasdsl.language.signatures.measures import asked_beyond
from nasdsl.training import Dataset, Trained, fit_baselines, measure, train

if TYPE_CHECKING:
    from torch.fx import GraphModule

    from nasdsl.language.space import Space


def trainer(setup: Setup) -> Evaluate:
    """Open the data and the space once for all trials of this worker."""
    assert setup.data_folder is not None and setup.space_text is not None
    _check_device(setup.device)
    dataset = Dataset.open(setup.data_folder)
    space = parse_space(setup.space_text, setup.space_name).with_task(dataset.shapes, dataset.outputs)
    bench = _Bench(space, dataset, setup)

    def run(job: Job, channel: Channel) -> Result:
        match job.task:
            case "train":
                return bench.train(job, channel)
            case "test":
                return bench.test(job)
            case "baselines":
                return Result(score=0.0, measures=fit_baselines(dataset))

    return run


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

    def train(self, job: Job, channel: Channel) -> Result:
        plan, module, settings = self._network(job)
        goal = self.space.goals[0]

        def on_epoch(epoch: int, measures: Mapping[str, float]) -> bool:
            """Whether training goes on."""
            if goal.measure in measures:
                channel.report(job.trial, epoch, _signed(measures[goal.measure], goal))
            return not channel.should_stop(job.trial)

        trained = train(
            module,
            plan,
            settings,
            self.dataset,
            job.seed,
            epochs=job.epochs,
            device=self.setup.device,
            on_epoch=on_epoch,
            measures=self._measures(),
        )
        result = self._result(costs_of(self.space, Point.from_json(job.point)), trained, goal)
        return _with_weights(with_all_goals(result, self.setup.goals), trained, job)

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
        return asked_beyond(tuple(goal.measure for goal in self.space.goals))

    def _network(self, job: Job) -> tuple[Plan, GraphModule, dict[str, Any]]:
        decided = self.space.decided(Point.from_json(job.point))
        plan = plan_of(decided)
        settings = overridden(decided.settings, self.setup.settings)
        return plan, build(plan, seed=job.seed).to(self.setup.device), settings

    def _result(self, costs: Costs, trained: Trained, goal: Goal) -> Result:
        known = {**costs.measures, "seconds": trained.seconds, **trained.measures}
        if goal.measure not in known:
            raise ValueError(
                f"training gives no measure `{goal.measure}`; it gives {', '.join(sorted(known))}"
            )
        score = _signed(float(known[goal.measure]), goal)
        return costs.added_to(scored(score, measures=trained.measures, curve=tuple(trained.curve)))


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

"""The default evaluation: train the network of a point on the data of the run. Runs in a worker."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from compiler.build import build
from compiler.plan import plan_of
from nasdsl.engine import checkpoints
from nasdsl.engine.evaluate import Evaluate, scored
from nasdsl.engine.messages import Job, Result, Setup
from nasdsl.engine.spaces import parse_space
from nasdsl.engine.worker import Channel
from nasdsl.language.network import Goal
from nasdsl.language.point import Point
from nasdsl.training import Dataset, fit_baselines, measure, train

if TYPE_CHECKING:
    from nasdsl.language.space import Space


def trainer(setup: Setup) -> Evaluate:
    """Open the data and the space once for all trials of this worker."""
    assert setup.data_folder is not None and setup.space_text is not None
    dataset = Dataset.open(setup.data_folder)
    space = parse_space(setup.space_text, setup.space_name).with_task(dataset.shapes, dataset.outputs)

    def run(job: Job, channel: Channel) -> Result:
        match job.task:
            case "train":
                return _train(job, channel, setup, space, dataset)
            case "test":
                return _test(job, setup, space, dataset)
            case "baselines":
                return Result(score=0.0, measures=fit_baselines(dataset))

    return run

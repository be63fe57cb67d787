"""Scores at a fixed seed: a change to the trainer changes none of them by accident."""

from pathlib import Path

import pytest

import nasdsl
from compiler.build import build
from nasdsl.language.network import Spec
from nasdsl.training import open_data, train

REGULARIZED = {
    "mixup": Spec("mixup", {"alpha": 0.3}),
    "label_smoothing": Spec("label_smoothing", {"rate": 0.1}),
    "clip": 1.0,
    "schedule": Spec("cosine", {"warmup": 0.1, "floor": 0.0}),
}
# As the first trainer gave them, five epochs each.
LOSSES = {0: 0.46052229, 1: 0.78275120, 2: 0.56122146, 3: 0.38881344}


@pytest.mark.parametrize("seed", LOSSES)
def test_the_loss_of_a_point_is_what_it_was(seed: int) -> None:
    space = nasdsl.load("spaces/wine_mlp.space")
    point = space.sample(seed)
    settings = {**space.decided(point).settings, **(REGULARIZED if seed == 0 else {})}
    plan = nasdsl.plan(space, point)
    data = open_data(space.task, Path("spaces"))
    trained = train(build(plan, seed=seed), plan, settings, data, seed, epochs=5)
    assert trained.measures["loss"] == pytest.approx(LOSSES[seed], rel=1e-4)

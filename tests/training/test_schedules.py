"""Schedules by their formulas, and those that look at the training by what they do to it."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from training_toys import FAST, mlp, run, same

from nasdsl.language.network import Spec
from nasdsl.training.methods.hypergradient import Hypergradient
from nasdsl.training.methods.plateau import Plateau
from nasdsl.training.protocols import Course
from nasdsl.training.schedules import Pace, schedule


def test_wsd_is_level_and_then_falls_as_one_minus_root():
    rate = schedule(Spec("wsd", {"warmup": 0.1, "decay": 0.2}), Pace(100))
    assert [rate(step) for step in (4, 9, 10, 79, 80)] == pytest.approx([0.5, 1, 1, 1, 1])
    assert rate(85) == pytest.approx(1 - math.sqrt(5 / 20))
    assert rate(99) == pytest.approx(1 - math.sqrt(19 / 20))
    assert schedule(Spec("wsd", {"warmup": 0.0, "decay": 0.0}), Pace(10))(9) == 1


def test_power_is_the_law_of_the_tokens_seen():
    spec = Spec("power", {"a": 4.0, "b": -0.51, "decay": 0.0, "warmup": 0.0})
    rate = schedule(spec, Pace(10_000, lr=0.02, batch_size=32, seen=32 * 128))
    step = 9_000
    law = 32 * 4.0 * (9_001 * 32 * 128) ** -0.51
    assert law < 0.02
    assert 0.02 * rate(step) == pytest.approx(law)
    assert rate(0) == 1  # the law is far above the highest rate
    assert rate(9_999) / rate(8_999) == pytest.approx((10 / 9) ** -0.51)


def test_power_warms_up_to_where_its_law_begins():
    spec = Spec("power", {"a": 0.01, "b": -0.5, "decay": 0.5, "warmup": 0.1})
    rate = schedule(spec, Pace(100, lr=1.0))
    start = 0.01 * 11**-0.5
    assert rate(0) == pytest.approx(start / 10)
    assert rate(10) == pytest.approx(start)
    assert rate(75) == pytest.approx(0.01 * 76**-0.5 * 0.5)


def test_plateau_falls_after_its_patience_and_not_before():
    rate = Plateau(factor=0.5, patience=2)
    course = None
    seen = []
    for loss in (1.0, 0.9, 0.9, 0.91, 0.92, 0.93, 0.5, 0.6):
        rate.look(course, {"loss": loss})
        seen.append(rate(0))
    assert seen == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_plateau_moves_the_rate_of_a_training(two_classes):
    plain = run(mlp(), two_classes, FAST)
    patient = run(mlp(), two_classes, {**FAST, "schedule": Spec("plateau", {"patience": 1000})})
    assert same(plain, patient)
    rough = {**FAST, "optimizer": Spec("sgd", {"lr": 5.0, "momentum": 0.9})}
    hasty = run(mlp(), two_classes, {**rough, "schedule": Spec("plateau", {"factor": 0.0, "patience": 1})})
    after_rise = [a["loss"] < b["loss"] for a, b in zip(hasty.curve, hasty.curve[1:], strict=False)]
    assert True in after_rise  # the loss rose once, and from then on nothing moves
    assert hasty.curve[-1]["loss"] == hasty.curve[-2]["loss"]


def _course(weights: list[float], optimizer: type[torch.optim.Optimizer], **options: object) -> Course:
    module = nn.Linear(len(weights), 1, bias=False)
    module.weight.data = torch.tensor([weights])
    made = optimizer(module.parameters(), lr=0.1, **options)
    for group in made.param_groups:
        group["full_lr"] = 0.1
    return Course(module, made, 1, 10, torch.arange(1))


def _turned(rate: Hypergradient, course: Course, gradient: list[float]) -> float:
    course.module.weight.grad = torch.tensor([gradient], dtype=torch.float)
    rate.turn(course)
    course.optimizer.step()
    return rate(0)


def test_hypergradient_moves_by_the_cosine_of_two_gradients():
    rate, course = Hypergradient("sgd", 0.1), _course([0.0, 0.0], torch.optim.SGD)
    assert _turned(rate, course, [1, 0]) == 1  # nothing to compare with
    assert _turned(rate, course, [5, 0]) == pytest.approx(1.1)
    assert _turned(rate, course, [0, 3]) == pytest.approx(1.1)
    assert _turned(rate, course, [3, -3]) == pytest.approx(1.1 * (1 - 0.1 / math.sqrt(2)))
    assert course.optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * rate(0))


def test_hypergradient_of_adam_compares_with_its_last_direction():
    rate, course = Hypergradient("adam", 0.1), _course([0.0, 0.0], torch.optim.Adam)
    assert _turned(rate, course, [1, 0]) == 1
    assert _turned(rate, course, [-2, 0]) == pytest.approx(0.9)
    state = course.optimizer.state[course.module.weight]
    u = (state["exp_avg"] / (state["exp_avg_sq"].sqrt() + 1e-8)).flatten()
    g = torch.tensor([1.0, 1.0])
    cosine = float(g @ u / (g.norm() * u.norm()))
    assert _turned(rate, course, [1, 1]) == pytest.approx(0.9 * (1 + 0.1 * cosine), rel=1e-5)


def test_additive_hypergradient_moves_by_the_product_of_two_gradients():
    # Baydin et al. 2018, algorithm 4, with a beta of 0.002; rates count in full ones of 0.1.
    rate, course = Hypergradient("sgd", 0.02, additive=0.002 / 0.1), _course([0.0, 0.0], torch.optim.SGD)
    assert _turned(rate, course, [1, 0]) == 1
    assert _turned(rate, course, [5, 1]) == pytest.approx(1 + 0.02 * 5)
    assert _turned(rate, course, [-2, 3]) == pytest.approx(1.1 + 0.02 * (-10 + 3))
    assert course.optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * rate(0))


def test_additive_hypergradient_of_adam_takes_moments_freed_of_their_start():
    # Algorithm 5: after one step m / (1 - beta1) is the gradient, and the root of v / (1 - beta2) its size.
    rate, course = Hypergradient("adam", 0.02, additive=0.01), _course([0.0, 0.0], torch.optim.Adam)
    assert _turned(rate, course, [3, -0.5]) == 1
    assert _turned(rate, course, [2, 4]) == pytest.approx(1 + 0.01 * (2 - 4), rel=1e-5)


def test_the_published_betas_of_additive_hypergradients_change_little_and_a_large_one_much(two_classes):
    low = {**FAST, "optimizer": Spec("sgd", {"lr": 0.002}), "epochs": 15}

    def lost(**arguments):
        schedule = Spec("hypergradient", arguments)
        return run(mlp(), two_classes, {**low, "schedule": schedule}).curve[-1]["train_loss"]

    plain = run(mlp(), two_classes, low).curve[-1]["train_loss"]
    assert lost(additive=1e-6) == pytest.approx(plain, rel=0.05)
    assert lost(additive=1e-3) < 0.9 * plain


@pytest.mark.parametrize("sign", [1, -1])
def test_hypergradient_stays_within_a_factor_of_ten(sign):
    rate, course = Hypergradient("sgd", 0.5), _course([0.0], torch.optim.SGD)
    for number in range(60):
        _turned(rate, course, [float(sign**number)])
    assert rate(0) == pytest.approx(10.0**sign)


def test_hypergradient_rescues_a_rate_that_is_far_too_small(two_classes):
    low = {**FAST, "optimizer": Spec("sgd", {"lr": 0.002}), "epochs": 15}
    plain = run(mlp(), two_classes, low).curve[-1]["train_loss"]
    moved = run(mlp(), two_classes, {**low, "schedule": Spec("hypergradient")}).curve[-1]["train_loss"]
    assert moved < 0.9 * plain
    assert np.isfinite(moved)

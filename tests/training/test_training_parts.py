"""Schedules, mixup, measures, baselines: each by its definition."""

import math

import numpy as np
import pytest
import torch

from nasdsl.language.network import Spec, Task
from nasdsl.training import UserData, fit_baselines, open_data
from nasdsl.training.baselines import _models
from nasdsl.training.batch import Batch
from nasdsl.training.measures import regression
from nasdsl.training.methods.mixup import Mixup
from nasdsl.training.schedules import Pace, schedule


def test_cosine_rises_then_falls_to_its_floor():
    rate = schedule(Spec("cosine", {"warmup": 0.1, "floor": 0.2}), Pace(100))
    assert [rate(step) for step in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert rate(10) == pytest.approx(1.0)
    assert rate(55) == pytest.approx(0.6)  # half way down
    assert rate(99) == pytest.approx(0.2, abs=1e-3)
    assert all(rate(step) >= rate(step + 1) for step in range(10, 99))


def test_constant_stays_after_its_warmup():
    rate = schedule(Spec("constant", {"warmup": 0.5}), Pace(10))
    assert [rate(step) for step in range(7)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 1])


def test_a_warmup_of_everything_only_rises():
    rate = schedule(Spec("cosine", {"warmup": 1.0, "floor": 0.0}), Pace(4))
    assert [rate(step) for step in range(4)] == pytest.approx([0.25, 0.5, 0.75, 1])


def test_mixup_mixes_inputs_and_targets_by_one_share():
    x = torch.arange(12.0).reshape(6, 2)
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    mixed = Mixup(0.5, {"b": 3}, np.random.default_rng(0))(Batch({"a": x}, {"b": y}, torch.arange(6)), None)
    rng = np.random.default_rng(0)
    share, partner = rng.beta(0.5, 0.5), rng.permutation(6)
    one_hot = torch.eye(3)[y]
    torch.testing.assert_close(mixed.inputs["a"], share * x + (1 - share) * x[partner])
    torch.testing.assert_close(mixed.targets["b"], share * one_hot + (1 - share) * one_hot[partner])
    torch.testing.assert_close(mixed.targets["b"].sum(1), torch.ones(6))


def test_mixup_of_numbers_keeps_their_form():
    y = torch.arange(4.0)[:, None]
    mixed = Mixup(0.5, None, np.random.default_rng(0))(Batch({"a": y}, {"b": y}, torch.arange(4)), None)
    torch.testing.assert_close(mixed.targets["b"], mixed.inputs["a"])


def test_r2_of_constant_targets():
    flat, loss = torch.ones(5, 1), torch.nn.functional.mse_loss
    assert regression(flat, flat, loss, torch.ones(1))["r2"] == 1
    assert regression(flat + 1, flat, loss, torch.ones(1))["r2"] == 0


def test_baselines_learn_what_can_be_learned():
    x = np.random.default_rng(0).normal(size=(300, 3))
    linear = open_data(Task("regression", None, {}, 1), None, UserData.from_arrays((x, x @ [1, 2, 3])))
    found = fit_baselines(linear)
    assert set(found) == {"linear/r2", "linear/valid_r2", "boosting/r2", "boosting/valid_r2"}
    assert found["linear/r2"] > 0.999 > found["boosting/r2"] > 0.5
    both = (x[:, 0] * x[:, 1] > 0).astype(int)
    product = open_data(Task("classification", None, {}, 2), None, UserData.from_arrays((x, both)))
    found = fit_baselines(product)
    assert found["boosting/accuracy"] > 0.85 > 0.7 > found["linear/accuracy"]


def test_baselines_are_scored_by_the_goal():
    from sklearn.metrics import balanced_accuracy_score, f1_score, mean_absolute_error

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(400, 3)), rng.choice(4, 400, p=[0.6, 0.2, 0.15, 0.05])
    data = open_data(Task("classification", None, {}, 4), None, UserData.from_arrays((x, y)))
    model = _models(data)["boosting"].fit(
        data.inputs["input"][data.rows("train")], data.targets["output"][data.rows("train")]
    )
    told = model.predict(data.inputs["input"][data.rows("valid")])
    right = data.targets["output"][data.rows("valid")]
    found = fit_baselines(data, ["params", "balanced_accuracy", "accuracy"])
    assert found["boosting/valid_balanced_accuracy"] == pytest.approx(balanced_accuracy_score(right, told))
    assert {name.partition("/")[2] for name in found} == {"balanced_accuracy", "valid_balanced_accuracy"}
    found = fit_baselines(data, ["macro_f1"])
    assert found["boosting/valid_macro_f1"] == pytest.approx(f1_score(right, told, average="macro"))
    assert 0 < fit_baselines(data, ["ece"])["linear/valid_ece"] < 0.3
    assert fit_baselines(data, ["params"]) == {}, "no network, no size"
    numbers = open_data(Task("regression", None, {}, 1), None, UserData.from_arrays((x, x @ [1, 2, 3] + 5)))
    model = _models(numbers)["linear"].fit(
        numbers.inputs["input"][numbers.rows("train")], numbers.targets["output"][numbers.rows("train"), 0]
    )
    error = mean_absolute_error(
        numbers.targets["output"][numbers.rows("valid"), 0],
        model.predict(numbers.inputs["input"][numbers.rows("valid")]),
    )
    assert fit_baselines(numbers, ["mae"])["linear/valid_mae"] == pytest.approx(error)


def test_images_and_several_targets_have_no_baselines():
    x = np.random.default_rng(0).normal(size=(40, 1, 4, 4))
    images = open_data(
        Task("classification", None, {}, 2), None, UserData.from_arrays((x, np.arange(40) % 2))
    )
    assert fit_baselines(images) == {}
    two = open_data(Task("regression", None, {}, 2), None, UserData.from_arrays((x[:, 0, 0], x[:, 0, 1, :2])))
    assert fit_baselines(two) == {}
    assert math.prod(two.targets["output"].shape) == 80

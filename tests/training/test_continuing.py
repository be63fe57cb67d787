"""A training cut into stretches."""

import pytest
import torch
from training_toys import FAST, arrays, cnn, mlp, plan_for, rows

from nasdsl.engine import checkpoints
from nasdsl.language.network import Spec
from nasdsl.training import train
from nasdsl.training.continuing import Stretch
from nasdsl.training.errors import DataError

DATA = arrays("classification", *rows())


def stretch(module, until, state=None, settings=FAST, seed=0):
    return train(module, plan_for(DATA), settings, DATA, seed, stretch=Stretch(until, state))


def test_the_first_stretch_is_the_beginning_of_the_whole_training():
    whole = train(mlp(), plan_for(DATA), FAST, DATA, 0)
    part = stretch(mlp(), 3)
    assert [entry["loss"] for entry in part.curve] == [entry["loss"] for entry in whole.curve[:3]]


@pytest.mark.parametrize(
    "optimizer", [Spec("adamw", {"lr": 0.01}), Spec("sgd", {"lr": 0.05, "momentum": 0.9})]
)
def test_moments_and_steps_are_carried_over(optimizer):
    """With one batch an epoch there is no order to draw: two stretches are the whole, bit by bit."""
    settings = {**FAST, "optimizer": optimizer, "batch_size": 10_000, "schedule": Spec("cosine", {})}
    whole = train(mlp(), plan_for(DATA), settings, DATA, 0)
    first = stretch(mlp(), 3, settings=settings)
    second = stretch(mlp(seed=9), 8, first.progress, settings)
    assert [entry["step"] for entry in second.curve] == [4, 5, 6, 7, 8]
    assert second.curve[-1]["loss"] == pytest.approx(whole.curve[-1]["loss"], abs=1e-6)


def test_a_stretch_goes_on_at_other_settings():
    first = stretch(mlp(), 2)
    low, high = (
        stretch(mlp(), 3, first.progress, {**FAST, "optimizer": Spec("adamw", {"lr": lr})})
        for lr in (1e-9, 0.05)
    )
    assert torch.allclose(low.state_dict["0.weight"], first.state_dict["0.weight"], atol=1e-6)
    assert not torch.allclose(high.state_dict["0.weight"], first.state_dict["0.weight"], atol=1e-3)


def test_a_stretch_with_nothing_left_measures():
    first = stretch(mlp(), 2)
    again = stretch(mlp(seed=5), 2, first.progress)
    assert again.curve == []
    assert again.measures == first.measures


def test_progress_survives_the_disk(tmp_path):
    images = arrays("classification", torch.randn(40, 2, 6, 6).numpy(), [i % 2 for i in range(40)])
    first = train(cnn(), plan_for(images), FAST, images, 0, stretch=Stretch(1))
    checkpoints.save(tmp_path, "progress", first.progress)
    state = checkpoints.load(tmp_path, "progress")
    one, other = (
        train(cnn(), plan_for(images), FAST, images, 1, stretch=Stretch(2, given))
        for given in (first.progress, state)
    )
    assert one.measures == other.measures


def test_another_network_is_refused():
    first = stretch(mlp(), 1)
    with pytest.raises(DataError, match="of another network"):
        stretch(torch.nn.Sequential(torch.nn.Linear(2, 2)), 2, first.progress)


def test_what_remembers_more_is_refused():
    with pytest.raises(DataError, match="cannot go on from a checkpoint"):
        stretch(mlp(), 1, settings={**FAST, "schedule": Spec("plateau", {"factor": 0.5, "patience": 2})})

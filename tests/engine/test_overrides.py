"""`--set`: what is fixed before a search, and what is said of values that mean nothing."""

from __future__ import annotations

import pytest

import nasdsl
from nasdsl.engine.errors import EngineError
from nasdsl.engine.overrides import apply, overridden
from nasdsl.language.errors import Infeasible
from nasdsl.language.network import Spec

SPACE = nasdsl.parse(
    """
    task classification on wine
    network { linear(8..64); relu; dropout(0.1..0.5)?; linear(outputs) }
    train {
        optimizer = sgd(lr = 0.01..1 log, momentum = 0.9) | adamw(lr = 1e-4..0.01 log)
        batch_size = 16 | 32
        epochs = 5
    }
    require params <= 1000
    """
)


def test_decisions_are_fixed_in_every_point_and_the_rest_become_settings() -> None:
    given = {"network/width": 32, "batch_size": 16, "train/epochs": 1, "optimizer/momentum": 0.5}
    space, settings = apply(SPACE, given)
    assert settings == {"epochs": 1, "optimizer/momentum": 0.5}
    points = [space.sample(seed) for seed in range(20)]
    points += [space.mutate(point, seed) for seed, point in enumerate(points)]
    assert all(point["network/width"] == 32 and point["train/batch_size"] == 16 for point in points)
    assert {point["train/optimizer"] for point in points} == {"sgd", "adamw"}


def test_settings_reach_the_calls_that_have_them() -> None:
    settings = {"optimizer": Spec("sgd", {"lr": 0.1, "momentum": 0.9}), "epochs": 5}
    fixed = {
        "optimizer/momentum": 0.5,
        "optimizer/beta1": 0.8,
        "epochs": 2,
        "schedule": "cosine",
        "mixup": True,
    }
    assert overridden(settings, fixed) == {
        "optimizer": Spec("sgd", {"lr": 0.1, "momentum": 0.5}),
        "epochs": 2,
        "schedule": Spec("cosine"),
        "mixup": Spec("mixup"),
    }
    assert "optimizer" in overridden(settings, {"mixup": False})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"network/widht": 32}, r"no decision `network/widht` can open; did you mean `network/width`\?"),
        ({"train/epoch": 3}, r"did you mean `train/epochs`\?"),
        ({"network/width": 7}, r"`network/width` cannot be 7; it offers 8\.\.58"),
        ({"train/optimizer": "lion"}, "it offers sgd, adamw"),
        ({"network/dropout": "maybe"}, "it offers no, yes|it offers yes, no"),
        ({"epochs": 0}, "`train/epochs` takes a whole number of at least 1, not 0"),
        ({"schedule": "adamw"}, "`train/schedule` takes schedule, not adamw"),
        ({"mixup": 3}, "`mixup` is 3; it takes yes or no"),
        ({"optimizer/bete": 3}, "`optimizer` has no argument of that name|did you mean"),
    ],
)
def test_what_means_nothing_is_refused_with_a_remedy(given: dict[str, int | str], said: str) -> None:
    with pytest.raises(EngineError, match=said):
        apply(SPACE, given)


def test_answers_that_no_point_has_together_are_refused() -> None:
    with pytest.raises((EngineError, Infeasible), match=r"no point has|never opens|cannot be"):
        apply(SPACE, {"train/optimizer": "adamw", "train/optimizer/lr": 0.5})

"""Objectives and `require` lines over what is measured of untrained networks, of features, and of the training."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import nasdsl
from nasdsl.engine.records import Record
from nasdsl.language.signatures.measures import PROXIES

TEXT = (
    "task classification on digits\nnetwork { flatten; linear(8 | 16); batch_norm; relu; linear(outputs) }\n"
)


def records(text: str, folder: Path, budget: int = 2, **how: object) -> tuple[Record, ...]:
    space = nasdsl.parse(TEXT + text)
    run = nasdsl.search(space, searcher="random", budget=budget, workers=1, run=folder / "run", **how)
    return run.records


def test_every_proxy_may_be_an_objective_beside_what_training_gives(tmp_path: Path) -> None:
    goals = "".join(f"maximize {name}\n" for name in PROXIES if name not in ("ntk_cond", "chi"))
    more = "minimize ntk_cond\nminimize chi\nminimize latency_ms\nmaximize rankme\nminimize nc1\nminimize aspect\n"
    found = records("train { epochs = 1 }\nmaximize accuracy\n" + goals + more, tmp_path)
    for record in found:
        assert record.error is None
        assert {*PROXIES, "latency_ms", "rankme", "nc1", "aspect", "accuracy"} <= set(record.measures)
    small, large = sorted(found, key=lambda record: record.params or 0)
    assert small.measures["synflow"] < large.measures["synflow"]
    assert small.measures["aspect"] == pytest.approx(2 / 8) and large.measures["aspect"] == pytest.approx(
        2 / 16
    )


def test_a_proxy_of_require_ends_a_point_before_it_is_trained(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="no trial succeeded"):
        (record,) = records("train { epochs = 1 }\nrequire synflow >= 100\n", tmp_path, budget=1)
    assert record.reason == "infeasible" and not record.curve
    assert "`require synflow >= 100` does not hold: synflow is" in (record.error or "")


def test_what_a_proxy_cannot_say_is_the_error_of_the_trial(tmp_path: Path) -> None:
    text = TEXT.replace("batch_norm", "layer_norm") + "train { epochs = 1 }\nmaximize zen\n"
    with pytest.warns(UserWarning, match="no trial succeeded"):
        run = nasdsl.search(nasdsl.parse(text), searcher="random", budget=1, workers=1, run=tmp_path / "run")
    assert "`zen` knows batch norm alone, and this network has LayerNorm" in (run.records[0].error or "")


def test_aspect_is_known_before_anything_is_built() -> None:
    space = nasdsl.parse(TEXT + "require aspect <= 0.2\n")
    assert {space.quantities(space.sample(n))["aspect"] for n in range(10)} == {2 / 16}


def test_time_to_target_is_that_of_the_first_epoch_that_reaches_it(tmp_path: Path) -> None:
    found = records(
        "train { epochs = 6 }\nminimize time_to_target(accuracy = 0.3)\nmaximize accuracy", tmp_path
    )
    for record in found:
        reached = next(row for row in record.curve if row["accuracy"] >= 0.3)
        assert record.score == -record.measures["time_to_target"] == -reached["seconds"]
        seconds = [row["seconds"] for row in record.curve]
        assert seconds == sorted(seconds) and seconds[0] > 0 and seconds[-1] <= record.seconds


def test_a_target_that_is_never_reached_takes_for_ever(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="no trial succeeded"):
        (record,) = records("train { epochs = 1 }\nminimize time_to_target(ece = 1e-9)", tmp_path, budget=1)
    assert record.reason == "infeasible" and "`ece` came to" in (record.error or "")
    assert "short of its target 1e-09" in (record.error or "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("minimize time_to_target", "needs its target"),
        ("minimize time_to_target(0.9)", "takes one measure and the number it must reach"),
        ("minimize time_to_target(accurcy = 0.9)", "did you mean `accuracy`?"),
        ("minimize time_to_target(synflow = 3)", "is not measured after each epoch"),
        ("maximize rankmee", "did you mean `rankme`?"),
        ("require synflo >= 3", "did you mean `synflow`?"),
        ("require accuracy >= 0.9", "is known of trained networks alone"),
        ("require nc1 <= 0.9", "make it an objective, `minimize nc1`"),
    ],
)
def test_mistakes_are_told_at_check(line: str, said: str) -> None:
    with pytest.raises(nasdsl.SpaceError, match="error") as error:
        nasdsl.parse(TEXT + line)
    assert said in str(error.value)


def test_a_target_may_be_negative() -> None:
    text = "task regression on diabetes\nnetwork { linear(outputs) }\n"
    (goal,) = nasdsl.parse(text + "minimize time_to_target(r2 = -0.5)").goals
    assert goal.target == ("r2", -0.5)


def test_untrained_measures_of_a_custom_evaluation(tmp_path: Path) -> None:
    (record,) = records(
        "train { epochs = 1 }\nrequire chi >= 1e-6\nmaximize accuracy\nmaximize naswot\n",
        tmp_path,
        1,
        evaluate=one,
    )
    assert record.score == 1.0 and math.isfinite(record.measures["naswot"]) and record.measures["chi"] > 0


def one(trial: object) -> float:
    return 1.0

"""The default path, from a `.space` file to a trained network, in real processes on small budgets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nasdsl
from nasdsl.engine.errors import EngineError
from nasdsl.engine.events import Event, PhaseStarted
from nasdsl.engine.run import Run
from nasdsl.engine.trial import Trial

SPACES = Path(__file__).parents[2] / "spaces"

TABLE = """
task {task}
network {{ linear(4 | 8); relu; linear(outputs) }}
train {{ epochs = 2 ; batch_size = 32 ; optimizer = adamw(lr = 1e-3..1e-1 log) }}
"""


def table(task: str, name: str = "table.space") -> nasdsl.Space:
    return nasdsl.parse(TABLE.format(task=task), name)


def search(space: nasdsl.Space, folder: Path, **more: Any) -> Run:
    fields: dict[str, Any] = {"searcher": "random", "budget": 2, "workers": 1} | more
    return nasdsl.search(space, run=folder, **fields)


@pytest.mark.parametrize(
    ("name", "fixed", "measure"),
    [
        ("digits_cnn", {"network/width": 16, "network/repeat": 1}, "accuracy"),
        ("mnist1d", {"network/family": "linear_model"}, "accuracy"),
    ],
)
def test_shipped_spaces_train_and_test_their_winner(
    tmp_path: Path, name: str, fixed: dict[str, Any], measure: str
) -> None:
    space = nasdsl.load(SPACES / f"{name}.space")
    run = search(space, tmp_path / "run", set={**fixed, "epochs": 1, "train/batch_size": 128})
    assert run.ended == "budget" and run.best is not None and run.best.error is None
    assert all(record.point[path] == answer for record in run.records for path, answer in fixed.items())
    assert all(len(record.curve) == 1 for record in run.records), "one epoch, as set"
    assert run.best.measures[measure] == run.best.score
    assert run.best.params == nasdsl.plan(run.space, run.best.point).params
    assert run.meta["test"]["trial"] == run.best.trial == run.meta["winner"]
    assert 0 <= run.meta["test"]["measures"][measure] <= 1
    assert not run.meta["baselines"], "images and signals are no tables"


def test_a_run_is_confirmed_resumed_and_tested_once(tmp_path: Path) -> None:
    """Weights kept are those of the best; the test split is looked at again only for another winner."""
    space = nasdsl.load(SPACES / "wine_mlp.space")
    events: list[Event] = []
    first = search(space, tmp_path / "run", set={"epochs": 2}, confirm=2)
    assert len(first.meta["confirmed"]) == 2 and len(first.meta["confirmed"][0]["scores"]) == 2
    assert set(first.meta["baselines"]) == {"linear", "boosting"}
    run = search(space, tmp_path / "run", budget=7, resume=True, on_event=events.append)
    assert [record.trial for record in run.records] == list(range(7))
    assert run.meta["settings"] == {"epochs": 2} and len(run.records[-1].curve) == 2, (
        "a resume keeps what is set"
    )
    assert all((run.weights(record.trial) is not None) == (record in run.top(5)) for record in run.records)
    assert run.meta["test"]["trial"] == run.meta["winner"]
    tested = [event for event in events if isinstance(event, PhaseStarted) and event.phase == "test"]
    assert len(tested) == (run.meta["winner"] != first.meta["winner"])
    with pytest.raises(EngineError, match=r"other answers set \(epochs=2\)"):
        search(space, tmp_path / "run", resume=True, set={"epochs": 3})


def test_regression_with_baselines(tmp_path: Path) -> None:
    run = search(table("regression on diabetes"), tmp_path / "run", budget=1)
    assert run.goals[0].measure == "r2" and run.best is not None
    assert run.best.score == run.best.measures["r2"] and run.best.measures["mae"] > 0
    assert 0.2 < run.meta["baselines"]["linear"]["r2"] < 1


def write_csv(path: Path, rows: int = 60) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=rows), rng.normal(size=rows)
    lines = [f"{x:.3f},{y:.3f},{'yes' if x + y > 0 else 'no'}" for x, y in zip(a, b, strict=True)]
    path.write_text("\n".join(["a,b,label", *lines]) + "\n")


def built_inputs(trial: Trial) -> float:
    """Scores a network by the numbers that its first layer reads."""
    return float(next(trial.build().parameters()).shape[1])


def test_files_lie_beside_the_space_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    write_csv(tmp_path / "mine" / "points.csv")
    (tmp_path / "mine" / "my.space").write_text(
        TABLE.format(task='classification on csv("points.csv", target = "label")')
    )
    monkeypatch.chdir(tmp_path)
    space = nasdsl.load("mine/my.space")
    run = search(space, tmp_path / "run", budget=1)
    assert run.meta["data"]["outputs"] == 2 and run.meta["data"]["inputs"] == {"input": [[2], "vector"]}
    custom = search(space, tmp_path / "custom", budget=1, evaluate=built_inputs)
    assert custom.best is not None and custom.best.score == 2.0, "shapes of the file, also for evaluate"


def test_arrays_from_python_take_the_place_of_the_data(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 3)).astype("float32")
    run = search(
        table("classification on wine"), tmp_path / "run", budget=1, data=(x, (x[:, 0] > 0).astype(int))
    )
    assert run.meta["data"]["inputs"] == {"input": [[3], "vector"]} and run.best is not None


def test_the_start_point_is_trial_0_and_a_small_space_is_exhausted(tmp_path: Path) -> None:
    text = """
    task classification on wine
    network { linear(4 | 8 | 12); relu; linear(outputs) }
    train { epochs = 1 }
    start { network/width = 12 }
    """
    run = search(nasdsl.parse(text), tmp_path / "run", budget=9, searcher=None)
    assert run.ended == "exhausted"
    assert sorted(json.loads(record.point.to_json())["network/width"] for record in run.records) == [4, 8, 12]
    (first,) = (record for record in run.records if record.trial == 0)
    assert first.point["network/width"] == 12


def test_a_space_whose_every_network_fails_to_train_ends_early(tmp_path: Path) -> None:
    space = nasdsl.parse(
        "task classification on wine\n"
        "network { linear(4..64); relu; linear(outputs) }\n"
        "train { epochs = 1 ; optimizer = sgd(lr = 1e30) }\n",
        "diverging.space",
    )
    with pytest.warns(UserWarning, match="10 of 10 failed alike: "):
        run = search(space, tmp_path / "run", budget=40)
    assert run.ended == "failing" and run.best is None and len(run.records) == 10
    assert run.why is not None and "the first 10 trials all failed alike: " in run.why

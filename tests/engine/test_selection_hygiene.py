"""The test part plays no role in a search: it is measured once, for the winner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nasdsl
from nasdsl.engine.events import Event, PhaseStarted
from nasdsl.training import Dataset, UserData, open_data

SPACE = """
task classification on shape(3, classes = 2)
network { linear(4 | 8); relu; linear(outputs) }
train { epochs = 2; batch_size = 32 }
"""


def samples() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    return x, (x.sum(1) > 0).astype(int)


def test_what_the_test_rows_hold_changes_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers that are none stand in the test rows: any use of them during the search would spread."""
    space = nasdsl.parse(SPACE, "hygiene.space")
    fields = {"searcher": "random", "budget": 3, "workers": 1, "data": samples()}
    plain = nasdsl.search(space, run=tmp_path / "plain", **fields)

    def poisoned(*arguments: object) -> Dataset:
        data = open_data(*arguments)
        data.inputs["input"][data.rows("test")] = np.nan
        return data

    monkeypatch.setattr("nasdsl.training.open_data", poisoned)
    events: list[Event] = []
    run = nasdsl.search(space, run=tmp_path / "poisoned", on_event=events.append, **fields)
    kept = Dataset.open(run.folder / "data")
    assert np.isnan(kept.inputs["input"][kept.rows("test")]).all()
    assert [record.curve for record in run.records] == [record.curve for record in plain.records]
    assert run.meta["winner"] == plain.meta["winner"]
    tested = [event for event in events if isinstance(event, PhaseStarted) and event.phase == "test"]
    assert len(tested) == 1
    assert plain.meta["test"]["trial"] == plain.meta["winner"]


def test_scales_are_those_of_the_training_rows_alone() -> None:
    x, y = samples()
    task = nasdsl.parse(SPACE, "hygiene.space").task
    before = open_data(task, Path(), UserData.from_arrays((x, y)))
    other = x.copy()
    other[before.test] *= 100
    other[before.rows("valid")] += 7
    after = open_data(task, Path(), UserData.from_arrays((other, y)))
    for a, b in zip(before.folds, after.folds, strict=True):
        np.testing.assert_array_equal(a.inputs["input"].mean, b.inputs["input"].mean)
        np.testing.assert_array_equal(a.inputs["input"].deviation, b.inputs["input"].deviation)

"""Weights and checkpoints on disk: whole, few, without pickle."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nasdsl.engine import checkpoints
from nasdsl.engine.messages import Result
from nasdsl.engine.records import Record
from nasdsl.engine.run import weights_path
from nasdsl.engine.weights import Keeper
from nasdsl.language.point import Point


def test_the_best_two_keep_their_weights(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, 2)
    thresholds = []
    for trial, score in enumerate([1.0, 3.0, 2.0, 0.5]):
        thresholds.append(keeper.threshold())
        partial = keeper.partial(trial)
        checkpoints.write_tensors(partial, {"w": torch.full((2,), score)})
        keeper.keep(trial, Result(score=score, weights=partial))
        keeper.note(Record(trial, Point({"x": trial}), score))
    assert thresholds == [None, None, 1.0, 2.0]
    assert sorted(path.name for path in (tmp_path / "weights").iterdir()) == [
        "trial-00001.safetensors",
        "trial-00002.safetensors",
    ]


def test_what_a_killed_worker_left_half_written_is_cleared(tmp_path: Path) -> None:
    half = Keeper(tmp_path, 2).partial(5)
    half.write_bytes(b"half")
    Keeper(tmp_path, 2)
    assert not half.exists() and not weights_path(tmp_path, 5).exists()


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    state = {"a": shared, "b": shared.T, "epoch": 3, "name": "x", "history": [0.5, 0.25]}
    checkpoints.save(tmp_path / "c", "last", state)
    loaded = checkpoints.load(tmp_path / "c", "last")
    assert loaded is not None and set(loaded) == set(state)
    assert torch.equal(loaded["a"], shared) and torch.equal(loaded["b"], shared.T)
    assert (loaded["epoch"], loaded["name"], loaded["history"]) == (3, "x", [0.5, 0.25])
    assert checkpoints.load(tmp_path / "c", "first") is None


def test_other_things_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="tensors, arrays and JSON values only"):
        checkpoints.save(tmp_path, "x", {"f": object()})
    with pytest.raises(ValueError, match="a checkpoint's name"):
        checkpoints.save(tmp_path, "../x", {})

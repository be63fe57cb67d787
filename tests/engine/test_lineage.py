"""Trials that continue earlier ones, in a run: checkpoints travel, lineages are stored, a resume goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

import nasdsl
from compiler.build import build
from nasdsl.engine.trial import Trial
from nasdsl.training import Dataset, train
from nasdsl.training.continuing import Stretch

SPACE = nasdsl.parse("let rate = 0.001..1.0 log\nlet other = 1 | 2")


def stretch(trial: Trial) -> float:
    """Goes on from what an earlier trial saved."""
    before = trial.load("state") or {"steps": 0, "value": 0.0}
    value = before["value"] + (1 - before["value"]) * max(0.0, 0.5 - abs(float(trial.point["rate"]) - 0.1))
    trial.save("state", {"steps": before["steps"] + 1, "value": value})
    assert trial.budget == before["steps"] + 1
    return float(value)


def test_a_population_trains_in_stretches_and_a_resume_knows_its_lineages(tmp_path: Path) -> None:
    run = nasdsl.search(
        SPACE, searcher="pbt", evaluate=stretch, budget=14, workers=2, run=tmp_path / "run", seed=0
    )
    assert all(record.error is None for record in run.records)
    run = nasdsl.search(
        SPACE, evaluate=stretch, budget=34, workers=2, run=tmp_path / "run", resume=True, seed=0
    )
    records = {record.trial: record for record in run.records}
    assert all(record.error is None for record in records.values())
    assert {record.measures["member"] for record in records.values()} == set(map(float, range(10)))
    continued = [record for record in records.values() if "parent" in record.measures]
    assert len(continued) == 24
    for record in continued:
        parent = records[int(record.measures["parent"])]
        assert record.measures["budget"] == parent.measures["budget"] + 1
        assert record.score >= parent.score


def test_halving_gives_budgets_and_trains_the_best_on(tmp_path: Path) -> None:
    def evaluate(trial: Trial) -> float:
        before = trial.load("state")
        trial.save("state", {"steps": trial.budget or 27})
        assert (before is None) == (trial.budget == 1)
        return float(trial.point["rate"]) * (trial.budget or 27)

    run = nasdsl.search(
        SPACE, searcher="random", fidelity="halving", evaluate=evaluate, budget=40, workers=2,
        run=tmp_path / "run",
    )  # fmt: skip
    assert all(record.error is None for record in run.records)
    budgets = [record.measures.get("budget") for record in sorted(run.records, key=lambda r: r.trial)]
    assert budgets == [1.0] * 27 + [3.0] * 9 + [9.0] * 3 + [None]
    assert run.best is not None and run.best.trial == 39


TRAINED = """
task classification on wine
network {{ linear(8); relu; linear(outputs) }}
train {{ optimizer = adamw(lr = 1e-4..0.3 log, weight_decay = 1e-3..0.1 log); batch_size = 32; epochs = 6 {more} }}
"""


def test_the_default_training_goes_on_and_is_replayed_by_its_line(tmp_path: Path) -> None:
    space = nasdsl.parse(TRAINED.format(more=""))
    run = nasdsl.search(space, searcher="pbt", budget=42, workers=1, run=tmp_path / "run")
    assert all(record.error is None for record in run.records)
    line = max((run.line(record.trial) for record in run.records), key=len)
    assert len(line) > 3
    assert [record.measures["budget"] for record in line] == [1 + i for i in range(len(line))]
    assert len({record.point for record in line}) > 1, "nobody explored"
    assert [len(record.curve) for record in line] == [1] * len(line)
    assert [record.curve[0]["step"] for record in line] == [1 + i for i in range(len(line))]
    data = Dataset.open(tmp_path / "run" / "data")
    bound, state = space.with_task(data.shapes, data.outputs), None
    for number, record in enumerate(line):
        plan = nasdsl.plan(bound, record.point)
        module, settings = build(plan, seed=record.seed), bound.settings(record.point)
        trained = train(module, plan, settings, data, record.seed, stretch=Stretch(number + 1, state))
        state = trained.progress
        assert trained.measures["loss"] == record.curve[0]["loss"]


def test_a_training_that_remembers_more_than_weights_is_no_population(tmp_path: Path) -> None:
    space = nasdsl.parse(TRAINED.format(more="; schedule = plateau(factor = 0.5, patience = 2)"))
    with pytest.warns(UserWarning, match="cannot go on from a checkpoint"):
        run = nasdsl.search(space, searcher="pbt", budget=2, workers=1, run=tmp_path / "run")
    assert run.best is None

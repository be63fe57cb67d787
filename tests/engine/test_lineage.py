"""Trials that continue earlier ones, in a run: checkpoints travel, lineages are stored, a resume goes on."""

from __future__ import annotations

from pathlib import Path

import nasdsl
from nasdsl.engine.trial import Trial

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


def test_pbt_without_an_evaluate_that_saves_is_refused() -> None:
    space = nasdsl.parse("task classification on digits\nnetwork { flatten; linear(outputs) }")
    try:
        nasdsl.search(space, searcher="pbt", budget=1)
    except Exception as error:
        assert "give `evaluate`" in str(error)
    else:
        raise AssertionError("was not refused")

"""Several objectives: the first is the score, the front is told, a missing one is an error of the trial."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import nasdsl
from nasdsl.engine.report import report_html
from nasdsl.engine.result import print_front
from nasdsl.engine.trial import Trial
from nasdsl.engine.untrained import costs_of
from searchers.objectives import objectives

LETS = "let x = 0..9\nmaximize quality\nminimize price"


def priced(trial: Trial) -> dict[str, float]:
    x = float(trial.point["x"])
    return {"score": x if x < 8 else -x, "price": x * x}


def unpriced(trial: Trial) -> float:
    return float(trial.point["x"])


def test_the_front_and_what_searchers_are_told(tmp_path: Path) -> None:
    space = nasdsl.parse(LETS)
    assert [(goal.measure, goal.maximize) for goal in space.goals] == [("quality", True), ("price", False)]
    run = nasdsl.search(space, searcher="grid", budget=10, workers=1, evaluate=priced, run=tmp_path / "run")
    assert run.best.point["x"] == 7
    assert [record.point["x"] for record in run.front] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert objectives(run.best.outcome, space.goals) == (7.0, -49.0)
    assert "Best trade-offs" in report_html(run)
    # Above a price of 49 and a quality of 0: columns of width 1 under 7, 6, 5 ... as deep as 49 - x^2.
    assert run.hypervolume([0, 49]) == sum(49 - x * x for x in range(1, 7))
    box = (7 + 9) * 81  # from the worst, -9 for 81, to the best, 7 for 0
    above = 9 * 81 + sum(81 - x * x for x in range(1, 8))
    assert run.hypervolume() == pytest.approx(above / box)
    assert f"Hypervolume {above / box:.4f} of the box" in report_html(run)
    said = io.StringIO()
    print_front(run, said)
    assert f"hypervolume {above / box:.4f} of the box" in said.getvalue()


def test_an_objective_that_is_not_measured_fails_the_trial(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="no trial succeeded"):
        run = nasdsl.search(
            nasdsl.parse(LETS), searcher="grid", budget=1, workers=1, evaluate=unpriced, run=tmp_path / "run"
        )
    assert run.best is None and "`price` among its objectives" in (run.records[0].error or "")


def test_costs_of_the_network_are_objectives() -> None:
    space = nasdsl.parse(
        "task classification on digits\nnetwork { flatten; linear(8 | 16); linear(outputs) }\n"
        "maximize accuracy; minimize depth; minimize params"
    )
    point = space.default()
    costs = costs_of(space, point)
    assert costs.measures == {"depth": 2.0, "params": float(costs.params or 0)}

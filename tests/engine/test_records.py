"""Records: best, front, seeds."""

from __future__ import annotations

import subprocess
import sys

from nasdsl.engine.records import Record, best_of, pareto_front, seed_of
from nasdsl.language.network import Goal
from nasdsl.language.point import Point


def record(trial: int, score: float | None, params: int | None = None) -> Record:
    point = Point({"x": trial})
    if score is None:
        return Record(trial, point, error="no", reason="failed")
    return Record(trial, point, score, params=params)


def test_best_is_the_earliest_of_the_highest() -> None:
    assert best_of([record(0, None), record(5, 2.0), record(3, 2.0), record(1, 1.0)]) == record(3, 2.0)
    assert best_of([record(0, None)]) is None


def test_front_holds_what_nothing_dominates() -> None:
    goals = (Goal("accuracy", True), Goal("params", False))
    records = [
        record(0, 0.9, 100),
        record(1, 0.8, 50),
        record(2, 0.7, 60),
        record(3, 0.95, 500),
        record(4, None),
    ]
    assert [r.trial for r in pareto_front(records, goals)] == [3, 0, 1]
    assert [r.trial for r in pareto_front(records, goals[:1])] == [3]


def test_trial_seeds_differ_and_do_not_depend_on_the_process() -> None:
    seeds = [seed_of(0, trial) for trial in range(100)]
    assert len(set(seeds)) == 100 and all(0 <= seed < 2**31 for seed in seeds)
    code = "from nasdsl.engine.records import seed_of; print(seed_of(0, 99))"
    output = subprocess.check_output([sys.executable, "-c", code], env={"PYTHONHASHSEED": "7"}, text=True)
    assert int(output) == seeds[99]

"""`latency_ms` in `require`: measured before training is spent, and infeasible where it does not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

import nasdsl
from nasdsl.engine.trial import Trial

TEXT = "task classification on digits\nnetwork { flatten; linear(8 | 16); linear(outputs) }\ntrain { epochs = 1 }\n"


def one(trial: Trial) -> float:
    return 1.0


@pytest.mark.parametrize("evaluate", [None, one])
def test_a_network_that_is_too_slow_is_infeasible(tmp_path: Path, evaluate: object) -> None:
    space = nasdsl.parse(TEXT + "require latency_ms(device = cpu, batch = 2, threads = 1) <= 1e-6")
    with pytest.warns(UserWarning, match="no trial succeeded"):
        run = nasdsl.search(
            space, searcher="random", budget=1, workers=1, evaluate=evaluate, run=tmp_path / "run"
        )
    (record,) = run.records
    assert record.reason == "infeasible" and record.score is None
    assert "latency_ms(device = cpu, batch = 2, threads = 1) is" in (record.error or "")


def test_what_is_fast_enough_is_trained_and_tells_its_latency(tmp_path: Path) -> None:
    space = nasdsl.parse(TEXT + "require latency_ms(batch = 1) <= 10k")
    run = nasdsl.search(space, searcher="random", budget=1, workers=1, run=tmp_path / "run")
    assert run.best is not None and 0 < run.best.measures["latency_ms"] <= 10_000
    assert space.contains(run.best.point) and space.count_valid().at_least == space.count()

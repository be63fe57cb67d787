"""The clock of the wall may jump, by hours and backwards: limits and durations do not follow it."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from engine_toys import Draws, Numbers, tenth

from nasdsl.engine.search import search
from nasdsl.engine.trial import Trial


def jumpy(trial: Trial) -> float:
    time.time = lambda: -1e9
    return tenth(trial)


def test_a_run_under_a_jumping_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = itertools.cycle([0.0, 1e10, -1e6])
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    space: Any = Numbers()
    options: dict[str, Any] = {"workers": 2, "run": tmp_path / "run", "time": 600.0, "trial_time": 60.0}
    run = search(space, Draws(space), budget=6, evaluate=jumpy, **options)
    run = search(space, Draws(space), budget=12, evaluate=jumpy, resume=True, **options)
    assert run.ended == "budget" and sorted(r.trial for r in run.records) == list(range(12))
    assert all(r.error is None and 0.0 <= r.seconds < 60.0 for r in run.records)

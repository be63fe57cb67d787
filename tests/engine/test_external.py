"""Ask and tell over a stored run, from separate calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_toys import Draws, Numbers

from nasdsl.engine import external, proposing
from nasdsl.engine.errors import RunError
from nasdsl.engine.run import open_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    space = Numbers(size=3)
    monkeypatch.setattr(proposing, "SEARCHERS", {"draws": Draws})
    monkeypatch.setattr(external, "rebuild", lambda meta: space)
    external.begin(tmp_path / "run", space, "draws", seed=5)  # type: ignore[arg-type]
    return tmp_path / "run"


def test_asked_points_are_told_in_any_order_until_nothing_is_left(run: Path) -> None:
    asked = [external.ask(run) for _ in range(4)]
    assert [None if ask is None else ask[0] for ask in asked] == [0, 1, 2, None]
    external.tell(run, 2, score=0.5)
    external.tell(run, 0, error="diverged")
    external.tell(run, 1, score=float("nan"))
    records = open_run(run).records
    assert [(r.trial, r.score, r.error) for r in records] == [
        (2, 0.5, None),
        (0, None, "diverged"),
        (1, None, "the score is nan"),
    ]
    assert asked[2] is not None and open_run(run).best.point == asked[2][1]  # type: ignore[union-attr]


def test_tells_that_fit_no_trial_are_refused(run: Path) -> None:
    external.ask(run)
    external.tell(run, 0, score=1.0)
    with pytest.raises(RunError, match="has an outcome already"):
        external.tell(run, 0, score=2.0)
    with pytest.raises(RunError, match="was never asked for"):
        external.tell(run, 9, score=2.0)
    with pytest.raises(ValueError, match="either a score or an error"):
        external.tell(run, 0)
    with pytest.raises(RunError, match="is not a run folder"):
        external.ask(run / "nowhere")

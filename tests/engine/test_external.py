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


def test_scores_on_the_way_are_answered_by_whether_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, run = Numbers(size=9), tmp_path / "run"
    monkeypatch.setattr(proposing, "SEARCHERS", {"draws": Draws})
    monkeypatch.setattr(external, "rebuild", lambda meta: space)
    external.begin(run, space, "draws", fidelity="asha")  # type: ignore[arg-type]
    for _ in range(6):
        external.ask(run)
    # Rungs at 1 and 3, a third goes on; the first two have too few beside them to be judged.
    assert [external.report(run, trial, 1, 1.0 - 0.1 * trial) for trial in range(4)] == [
        False,
        False,
        True,
        True,
    ]
    assert external.report(run, 0, 3, 2.0) is False
    external.tell(run, 0, score=2.5)
    assert external.report(run, 4, 1, 0.1) is True
    assert external.report(run, 5, 1, float("nan")) is True
    with pytest.raises(RunError, match="has an outcome already"):
        external.report(run, 4, 3, 0.1)
    with pytest.raises(ValueError, match="above 0"):
        external.report(run, 1, 0, 0.1)
    told = {r.trial: (r.reason, r.score, [entry["step"] for entry in r.curve]) for r in open_run(run).records}
    assert told == {
        0: ("complete", 2.5, [1, 3]),
        2: ("stopped", 0.8, [1]),
        3: ("stopped", pytest.approx(0.7), [1]),
        4: ("stopped", 0.1, [1]),
        5: ("failed", None, []),
    }
    assert external.ask(run) is not None  # replays what was stopped with its rungs


def test_without_fidelity_nothing_is_stopped_and_the_curve_is_kept(run: Path) -> None:
    external.ask(run)
    assert [external.report(run, 0, step, -float(step)) for step in (1, 2)] == [False, False]
    assert external.tell(run, 0, score=1.0).curve == ({"step": 1, "score": -1.0}, {"step": 2, "score": -2.0})

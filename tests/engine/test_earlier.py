"""`--warm`: what earlier runs know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nasdsl.engine.errors import EngineError, RunError
from nasdsl.engine.events import Event, Notice
from nasdsl.engine.run import Run, open_run
from nasdsl.engine.search import search
from nasdsl.engine.trial import Trial
from nasdsl.language.point import Point
from nasdsl.language.reading import parse
from searchers import MCTS, PBT, SMBO, Evolution, Outcome
from searchers.budgets import in_full

OLD = "let a = 0..9\nlet b = low | high\n"
EDITED = "let a = 0..12\nlet b = low | high\nlet c = x | y\n"


def height(trial: Trial) -> float:
    point = trial.point
    return (
        float(point["a"]) + (5.0 if point["b"] == "high" else 0.0) + (0.5 if point.get("c") == "y" else 0.0)
    )


def run_of(folder: Path, text: str = OLD, budget: int = 12, **more: Any) -> Run:
    fields: dict[str, Any] = {"workers": 1, "evaluate": height, "seed": 3}
    return search(parse(text, "toy"), run=folder, budget=budget, **fields | more)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(tmp_path_factory.mktemp("warm") / "before", budget=8)


def test_the_best_are_evaluated_again_and_the_rest_is_not_repeated(before: Run, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", warm=before.folder)
    points = [record.point for record in sorted(run.records, key=lambda record: record.trial)]
    best = [record.point for record in before.top(3)]
    assert points[:3] == best
    assert not {*points[3:]} & {record.point for record in before.records}


def test_a_run_of_an_edited_space_is_carried_over(before: Run, tmp_path: Path) -> None:
    events: list[Event] = []
    run = run_of(tmp_path / "run", EDITED, warm=[before.folder], on_event=events.append)
    first = min(run.records, key=lambda record: record.trial)
    assert first.point["a"] == before.best.point["a"] and first.point["b"] == before.best.point["b"]
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert notices == [
        f"warm start: 8 trials of {before.folder}, 8 as hearsay; the best 3 are evaluated again"
    ]
    assert all(entry["doubt"] == pytest.approx(1 / 3) for entry in run.meta["earlier"]["told"])


def test_what_was_learned_counts(before: Run, tmp_path: Path) -> None:
    """Twelve trials in a space of 520 points, most of them wasted on random ones without the earlier run."""
    long = run_of(tmp_path / "long", budget=16)
    run = run_of(tmp_path / "run", EDITED, warm=[long.folder], budget=10)
    assert run.best.score >= 17.0
    assert before.best.score < 17.0


def test_a_resume_does_not_need_the_earlier_run(before: Run, tmp_path: Path) -> None:
    whole = run_of(tmp_path / "whole", EDITED, warm=before.folder)
    moved = run_of(tmp_path / "moved", budget=8)
    cut = run_of(tmp_path / "cut", EDITED, warm=moved.folder, budget=5)
    moved.folder.rename(tmp_path / "elsewhere")
    resumed = run_of(cut.folder, EDITED, resume=True)
    assert [record.point for record in resumed.records] == [record.point for record in whole.records]


def test_a_resume_from_other_runs_is_refused(before: Run, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", budget=2)
    with pytest.raises(RunError, match="was begun with what nothing knew"):
        run_of(run.folder, warm=before.folder, resume=True)


def test_another_goal_is_refused(before: Run, tmp_path: Path) -> None:
    goal = "task classification on wine\nnetwork { linear(4 | 8); linear(outputs) }\nminimize loss\n"
    with pytest.raises(EngineError, match="for more score, this search is for less loss"):
        run_of(tmp_path / "run", goal, warm=before.folder)
    assert not (tmp_path / "run").exists()


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nowhere"):
        run_of(tmp_path / "run", warm=tmp_path / "nowhere")


@pytest.mark.parametrize("kind", ["evolution", "mcts", "pbt"])
def test_every_searcher_begins_from_it(before: Run, tmp_path: Path, kind: str) -> None:
    run = run_of(tmp_path / "run", EDITED, searcher=kind, warm=before.folder, budget=5)
    assert len(run.records) == 5
    assert min(run.records, key=lambda record: record.trial).point["a"] == before.best.point["a"]


def test_hearsay_is_weighed_by_those_who_can() -> None:
    assert SMBO.weighs_hearsay and MCTS.weighs_hearsay
    assert not hasattr(Evolution, "weighs_hearsay") and not hasattr(PBT, "weighs_hearsay")


def test_hearsay_may_be_tried_and_is_shifted_by_what_was_tried() -> None:
    space = parse("let a = 0..9\n", "toy")
    searcher = SMBO(space, 0)
    for a in range(10):
        searcher.tell(a - 10, Point({"a": a}), Outcome(score=float(a), budget=0.0, doubt=0.2))
    assert not searcher.history.has_seen(Point({"a": 9}))
    searcher.tell(0, Point({"a": 9}), Outcome(score=109.0))
    assert searcher.history.has_seen(Point({"a": 9}))
    told = in_full(searcher.history.results(), searcher.history.at_budget)
    assert [estimate.score for estimate in told] == [100.0 + a for a in range(10)] + [109.0]
    assert [estimate.doubt for estimate in told] == [pytest.approx(0.95)] * 10 + [0.0]
    assert searcher.ask(1) is not None


def test_the_earlier_run_is_left_as_it_was(before: Run, tmp_path: Path) -> None:
    run_of(tmp_path / "run", warm=before.folder, budget=4)
    assert open_run(before.folder).records == before.records

"""`search` as a whole, in real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_toys import Draws, Numbers, tenth, zoo

from nasdsl.engine.errors import EngineError, PoolError, RunError
from nasdsl.engine.events import Ended, Event, PhaseStarted, Started
from nasdsl.engine.functions import arrive
from nasdsl.engine.records import Record
from nasdsl.engine.run import open_run
from nasdsl.engine.search import search
from nasdsl.engine.store import Store
from nasdsl.engine.trial import Trial
from nasdsl.language.reading import parse


def numbers(folder: Path, **more: Any) -> Any:
    space = Numbers()
    fields: dict[str, Any] = {"searcher": Draws(space), "budget": 12, "workers": 1, "evaluate": tenth}
    return search(space, run=folder, **fields | more)  # type: ignore[arg-type]


def test_a_run_is_what_was_asked_for_and_confirms_its_best(tmp_path: Path) -> None:
    events: list[Event] = []
    run = numbers(tmp_path / "run", confirm=2, on_event=events.append)
    assert run.ended == "budget" and len(run.records) == 12
    assert run.best.score == run.best.point["x"] / 10 == max(r.score for r in run.records)
    confirmed = run.meta["confirmed"]
    assert [entry["trial"] for entry in confirmed] == [record.trial for record in run.top(2)]
    assert confirmed[0]["mean"] == run.best.score and confirmed[0]["spread"] == 0.0
    assert run.meta["winner"] == run.best.trial and run.meta["seed"] == 0
    assert isinstance(events[0], Started) and events[0].finished == 0
    assert PhaseStarted("confirm", 4) in events and isinstance(events[-1], Ended)
    assert open_run(tmp_path / "run").records == run.records


def test_the_same_seed_gives_the_same_records(tmp_path: Path) -> None:
    first, second = numbers(tmp_path / "a"), numbers(tmp_path / "b")

    def facts(run: Any) -> list[Any]:
        return [(r.trial, r.point, r.score, r.seed) for r in run.records]

    assert facts(first) == facts(second)


def test_points_do_not_depend_on_the_hash_seed_of_the_process(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests/engine')\n"
        "from engine_toys import Draws, Numbers, tenth\n"
        "from nasdsl.engine.search import search\n"
        "space = Numbers()\n"
        "run = search(space, Draws(space), budget=4, workers=1, run=sys.argv[1], evaluate=tenth)\n"
        "import json; print(json.dumps([[r.trial, r.point.key(), r.seed] for r in run.records]))"
    )
    outputs = {
        subprocess.check_output(
            [sys.executable, "-c", code, str(tmp_path / hash_seed)], env={"PYTHONHASHSEED": hash_seed}
        )
        for hash_seed in ("1", "2")
    }
    (only,) = outputs
    assert [trial for trial, _, _ in json.loads(only)] == [0, 1, 2, 3]


def test_a_non_empty_folder_needs_resume_and_the_same_space(tmp_path: Path) -> None:
    numbers(tmp_path / "run", budget=2)
    with pytest.raises(RunError, match="go on with --resume"):
        numbers(tmp_path / "run", budget=3)
    other = Numbers(size=7)
    with pytest.raises(RunError, match="a run of another space"):
        search(other, Draws(other), run=tmp_path / "run", evaluate=tenth, resume=True)  # type: ignore[arg-type]
    assert len(numbers(tmp_path / "run", budget=3, resume=True).records) == 3
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(RunError, match="holds something else"):
        numbers(tmp_path / "mine", resume=True)


def test_resume_without_a_budget_keeps_the_stored_one(tmp_path: Path) -> None:
    numbers(tmp_path / "run", budget=3)
    assert len(numbers(tmp_path / "run", budget=None, resume=True).records) == 3


def test_fresh_runs_get_fresh_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    space = Numbers()
    folders = [search(space, Draws(space), budget=1, workers=1, evaluate=tenth).folder for _ in range(2)]  # type: ignore[arg-type]
    assert [str(folder) for folder in folders] == ["runs/numbers1000-1", "runs/numbers1000-2"]


def test_bad_requests_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(EngineError, match="budget is -1"):
        numbers(folder, budget=-1)
    with pytest.raises(EngineError, match="no network to train"):
        numbers(folder, evaluate=None)
    with pytest.raises(EngineError, match="no searcher is called `best`"):
        numbers(folder, searcher="best")
    assert not folder.exists()


def test_an_evaluate_that_cannot_be_imported_is_an_error_of_the_run(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="no_such_function"):
        numbers(tmp_path / "run", evaluate="engine_toys:no_such_function")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no_such_module:score", "no module is called `no_such_module`"),
        ("os.nothing:score", "`os.nothing`"),
        (".os:score", "no name of a module"),
        ("os:no_such", "has no attribute 'no_such'"),
        ("os", "package.module:function"),
        ("os:sep", "os:sep is no function"),
    ],
)
def test_a_mistaken_name_of_evaluate_is_told_without_a_traceback(name: str, told: str) -> None:
    with pytest.raises(EngineError) as caught:
        arrive(name)
    assert told in str(caught.value)


@pytest.mark.parametrize("budget", [2.5, "many"])
def test_a_budget_that_is_no_number_of_trials_is_refused(budget: Any, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="budget is a number of trials"):
        numbers(tmp_path / "run", budget=budget)
    assert not (tmp_path / "run").exists()


def test_data_that_are_no_pair_are_refused(tmp_path: Path) -> None:
    space = parse("task classification on wine\nnetwork { linear(outputs) }")
    with pytest.raises(EngineError, match=r"a pair of arrays \(X, y\), not list"):
        search(space, data=[[1.0], [2.0]], budget=1, run=tmp_path / "run")


def test_bad_trials_are_records_and_the_searcher_goes_on(tmp_path: Path) -> None:
    space = Numbers(size=5)

    class InOrder(Draws):
        def ask(self, trial: int) -> Any:
            from nasdsl.language.point import Point

            return Point({"x": trial}) if trial < 5 else None

    run = search(space, InOrder(space), budget=5, workers=2, run=tmp_path / "run", evaluate=zoo)  # type: ignore[arg-type]
    by_trial = {record.trial: record for record in run.records}
    assert [by_trial[x].score for x in range(5)] == [1.0, None, None, None, None]
    assert "no such luck" in (by_trial[4].traceback or "")


def test_asha_stops_what_falls_behind(tmp_path: Path) -> None:
    def steps(trial: Trial) -> float:
        import time

        score = float(trial.number % 5)
        for step in range(1, 10):
            trial.report(step, score)
            time.sleep(0.05)
            if trial.should_stop():
                break
        return score

    run = numbers(tmp_path / "run", evaluate=steps, fidelity="asha", budget=10)
    reasons = {record.trial: record.reason for record in run.records}
    assert reasons[5] == "stopped" and reasons[4] == "complete"


def never(trial: Trial) -> float:
    raise RuntimeError(f"no such column in trial {trial.number}")


@pytest.mark.parametrize(("budget", "ended"), [(10, "budget"), (30, "failing")])
def test_an_evaluation_that_always_fails_is_said_to_a_caller_who_watches_nothing(
    tmp_path: Path, budget: int, ended: str
) -> None:
    with pytest.warns(UserWarning, match="10 of 10 failed alike: RuntimeError: no such column in trial 0"):
        run = numbers(tmp_path / "run", evaluate=never, budget=budget)
    assert run.best is None and run.ended == ended
    assert run.why == run.meta["ended"]["why"]


def test_a_full_disk_in_the_middle_of_a_search_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: Any
) -> None:
    finish = Store.finish

    def filling(store: Store, records: Sequence[Record]) -> None:
        if len(store.records()) == 3:
            (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
            store._connection.execute(f"PRAGMA max_page_count = {pages}")
            many = {f"m{i}": float(i) for i in range(10_000)}
            records = [replace(record, measures=many) for record in records]
        finish(store, records)

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(Store, "finish", filling)
        with pytest.raises(RunError, match=f"the disk of {folder} is full; everything stored so far is kept"):
            numbers(folder)
    kept = open_run(folder).records
    assert len(kept) == 3
    resumed = numbers(folder, resume=True)
    assert resumed.records[:3] == kept and len(resumed.records) == 12

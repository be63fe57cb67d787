"""Jobs of one structure trained as one program in a worker: the same outcomes, choices kept, falling apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nasdsl
from nasdsl.engine.evaluate import outcomes
from nasdsl.engine.events import Notice
from nasdsl.engine.messages import Apart, Chose, Done, Job, Report, Setup
from nasdsl.engine.report import report_html
from nasdsl.engine.training import trainer
from nasdsl.training import open_data

DENSE = """task classification on wine
network { linear(8 | 16); relu; dropout(0.1); linear(outputs) }
train { epochs = 3; optimizer = adamw(lr = 1e-3 | 1e-2) }
"""
RECURRENT = """task classification on wine
network { to_sequence; gru(4, keep = last); linear(outputs) }
train { epochs = 1 }
"""


class Ears:
    """A channel that remembers what was said, and stops the trials it is told to."""

    def __init__(self, stop: dict[int, int] | None = None) -> None:
        self.said: list[Any] = []
        self._stop = stop or {}
        self._epochs: dict[int, float] = {}

    def send(self, message: Any) -> None:
        self.said.append(message)

    def report(self, trial: int, step: float, score: float) -> None:
        self._epochs[trial] = step
        self.send(Report(trial, step, score))

    def should_stop(self, trial: int) -> bool:
        return self._epochs.get(trial, 0) >= self._stop.get(trial, 10**9)


def bench(folder: Path, text: str, folds: int = 1, groups: dict[str, bool] | None = None) -> Any:
    space = nasdsl.parse(text, name="inline.space")
    assert space.task is not None
    data = open_data(space.task, None, None)
    if folds > 1:
        rows = np.arange(120)
        fold = data.folds[0]
        data = replace(
            data,
            folds=tuple(
                replace(fold, train=rows[rows % folds != k], valid=rows[rows % folds == k])
                for k in range(folds)
            ),
        )
    if not (folder / "data").exists():
        data.save(folder / "data")
    setup = Setup(
        folder, space_text=text, data_folder=folder / "data", groups=groups or {}, goals=space.goals
    )
    return trainer(setup), space


def jobs(space: Any, n: int) -> tuple[Job, ...]:
    point = space.sample(0).to_json()
    return tuple(Job(trial, point, seed=trial) for trial in range(n))


def known(chosen: list[Any], together: bool) -> dict[str, bool]:
    return {one.structure: together for one in chosen if isinstance(one, Chose)}


def test_a_group_has_the_outcomes_of_its_jobs_alone_and_a_choice_is_kept_to(tmp_path: Path) -> None:
    ears = Ears()
    how, space = bench(tmp_path, DENSE)
    group = jobs(space, 3)
    list(outcomes(how, group, ears))
    (structure,) = known(ears.said, True)
    results = {}
    for together in (True, False):
        again = Ears()
        how, _ = bench(tmp_path, DENSE, groups={structure: together})
        messages = list(outcomes(how, group, again))
        assert not any(isinstance(one, Chose) for one in again.said)
        if not together:
            assert messages == [Apart()]
            messages = [m for job in group for m in outcomes(how, (job,), again)]
        results[together] = {done.trial: done.result for done in messages if isinstance(done, Done)}
    for trial, one in results[False].items():
        mine = results[True][trial]
        assert mine.score == pytest.approx(one.score, abs=0.03) and mine.params == one.params
        assert [step["step"] for step in mine.curve] == [1, 2, 3]
        assert mine.measures["loss"] == pytest.approx(one.measures["loss"], abs=1e-4)


def test_a_stopped_member_ends_early_and_says_so(tmp_path: Path) -> None:
    ears = Ears()
    how, space = bench(tmp_path, DENSE)
    list(outcomes(how, jobs(space, 2), ears))
    how, _ = bench(tmp_path, DENSE, groups=known(ears.said, True))
    done = list(outcomes(how, jobs(space, 2), Ears(stop={1: 1})))
    assert [(d.trial, d.result.reason, len(d.result.curve)) for d in done] == [
        (1, "stopped", 1),
        (0, "complete", 3),
    ]


def test_what_does_not_fuse_is_said_and_given_back(tmp_path: Path) -> None:
    ears = Ears()
    how, space = bench(tmp_path, RECURRENT)
    assert list(outcomes(how, jobs(space, 2), ears)) == [Apart()]
    (chose,) = ears.said
    assert not chose.together and "Recurrent does not fuse" in chose.why


@pytest.mark.parametrize("text", [DENSE, RECURRENT])
def test_folds_of_one_job(tmp_path: Path, text: str) -> None:
    how, space = bench(tmp_path, text, folds=4)
    ears = Ears()
    (job,) = jobs(space, 1)
    (done,) = outcomes(how, (job,), ears)
    alone = how.one(job, Ears())
    assert done.result.measures["loss"] == pytest.approx(alone.measures["loss"], abs=1e-4)
    told = [f"{one.what}: {one.why}" for one in ears.said if isinstance(one, Chose)]
    assert told == ([] if text is DENSE else ["the folds of a candidate: Recurrent does not fuse"])


def test_seeds_of_confirm_train_together(tmp_path: Path) -> None:
    said: list[Any] = []
    run = nasdsl.search(
        nasdsl.parse(DENSE, name="inline.space"),
        budget=3,
        confirm=2,
        workers=2,
        run=tmp_path / "run",
        on_event=said.append,
    )
    assert len(run.meta["confirmed"]) == 2
    assert all(len(entry["scores"]) == 2 and None not in entry["scores"] for entry in run.meta["confirmed"])
    stored = run.meta["groups"]
    assert all(why in report_html(run) for _, why, _ in stored.values())
    assert stored and sum("one program" in e.text for e in said if isinstance(e, Notice)) == len(stored)

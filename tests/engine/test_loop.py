"""The loop, with workers that answer at once: order, budget, resume, ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine_toys import Draws, Numbers

from nasdsl.engine.ending import fails_alike
from nasdsl.engine.events import Ended, Event, TrialFinished, TrialStarted
from nasdsl.engine.fidelity import Full
from nasdsl.engine.interrupts import Interrupts
from nasdsl.engine.loop import Loop
from nasdsl.engine.messages import Done, Job, News, Result
from nasdsl.engine.records import Ask, Record
from nasdsl.engine.store import Store
from nasdsl.engine.weights import Keeper
from nasdsl.language.point import Point


class Instant:
    """Workers in this process: jobs end one a turn, the youngest first, unless told otherwise."""

    def __init__(self, slots: int, evaluate: Callable[[Job], Result]) -> None:
        self.slots, self.evaluate, self.jobs = slots, evaluate, list[Job]()

    @property
    def free(self) -> int:
        return self.slots - len(self.jobs)

    @property
    def running(self) -> tuple[int, ...]:
        return tuple(job.trial for job in self.jobs)

    def submit(self, *group: Job) -> None:
        assert self.free, "submitted without a free worker"
        self.jobs += group

    def wait(self) -> list[News]:
        job = self.jobs.pop()
        return [Done(job.trial, self.evaluate(job))]

    def retried(self) -> list[int]:
        return []

    def stop(self, trial: int) -> None:
        raise AssertionError("nothing here is stopped")


def x_of(job: Job) -> Result:
    return Result(score=float(Point.from_json(job.point)["x"]))


def session(folder: Path, searcher: Draws, evaluate: Callable[[Job], Result] = x_of, **more: Any) -> Ended:
    fields: dict[str, Any] = {
        "slots": 3,
        "budget": 10,
        "interrupts": Interrupts(),
        "on_event": lambda e: None,
    }
    fields |= {"starts": (), "time_s": None} | more
    with Store(folder) as store:
        loop = Loop(
            store=store,
            searcher=searcher,
            workers=Instant(fields.pop("slots"), evaluate),
            keeper=Keeper(folder, 2),
            seed=0,
            rule=Full(),
            **fields,
        )
        return loop.run()


def stored(folder: Path) -> tuple[Record, ...]:
    with Store(folder) as store:
        return store.records()


def test_the_budget_is_met_exactly_and_tells_are_in_stored_order(tmp_path: Path) -> None:
    searcher = Draws(Numbers())
    events: list[Event] = []
    assert session(tmp_path, searcher, on_event=events.append).by == "budget"
    records = stored(tmp_path)
    assert sorted(record.trial for record in records) == list(range(10))
    assert [record.trial for record in records] != list(range(10)), "the youngest ended first"
    assert [trial for trial, _, _ in searcher.told] == [record.trial for record in records]
    assert sum(isinstance(event, TrialStarted) for event in events) == 10
    last = [event for event in events if isinstance(event, TrialFinished)][-1]
    assert last.finished == 10 and last.best == max(records, key=lambda r: r.score or 0.0)


def test_a_resume_replays_the_records_and_gives_pending_trials_out_again(tmp_path: Path) -> None:
    class Crash(Exception):
        """The driver dies in the middle of a trial."""

    def crashes_at_5(job: Job) -> Result:
        if job.trial == 5:
            raise Crash
        return x_of(job)

    first = Draws(Numbers())
    try:
        session(tmp_path, first, crashes_at_5)
    except Crash:
        before = stored(tmp_path)
    with Store(tmp_path) as store:
        pending = store.pending()
    assert len(before) + len(pending) == 6 and pending

    again = Draws(Numbers())
    assert session(tmp_path, again).by == "budget"
    records = stored(tmp_path)
    assert records[: len(before)] == before, "nothing finished is touched"
    assert again.told[: len(before)] == first.told
    assert sorted(record.trial for record in records) == list(range(10))
    points = {record.trial: record.point for record in records}
    assert all(points[ask.trial] == ask.point for ask in pending)


def test_a_met_budget_ends_at_once_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    session(tmp_path, Draws(Numbers()), budget=4)
    assert session(tmp_path, Draws(Numbers()), budget=4).by == "budget"
    assert len(stored(tmp_path)) == 4
    session(tmp_path, Draws(Numbers()), budget=6)
    assert sorted(record.trial for record in stored(tmp_path)) == list(range(6))


def test_the_start_point_is_trial_0(tmp_path: Path) -> None:
    start = Point({"x": 123})
    session(tmp_path, Draws(Numbers()), starts=[start], budget=3)
    assert {record.trial: record.point for record in stored(tmp_path)}[0] == start


def test_points_that_run_without_being_asked_for_are_given_to_the_searcher(tmp_path: Path) -> None:
    class Told(Draws):
        def __init__(self) -> None:
            super().__init__(Numbers())
            self.points: dict[int, Point] = {}

        def given(self, trial: int, point: Point) -> None:
            assert trial not in self.points and not self.told
            self.points[trial] = point

    start, searcher = Point({"x": 123}), Told()
    session(tmp_path, searcher, starts=[start], budget=0)
    session(tmp_path, searcher, starts=[start], budget=2)
    assert searcher.points == {0: start}
    left, resumed = Ask(2, Point({"x": 7})), Told()
    resumed.told = []
    with Store(tmp_path) as store:
        store.ask([left])
    resumed.tell = lambda *_: None  # type: ignore[method-assign]
    session(tmp_path, resumed, starts=[start], budget=4)
    assert resumed.points == {2: left.point}


def test_a_run_that_only_failed_can_be_resumed_once_mended(tmp_path: Path) -> None:
    def fails(job: Job) -> Result:
        return Result(error="no such file", reason="failed")

    assert session(tmp_path, Draws(Numbers()), fails, budget=50).by == "failing"
    assert session(tmp_path, Draws(Numbers()), fails, budget=50).by == "failing"
    assert session(tmp_path, Draws(Numbers()), budget=40).by == "budget"


def test_an_exhausted_searcher_ends_the_run_cleanly(tmp_path: Path) -> None:
    ended = session(tmp_path, Draws(Numbers(size=4)), budget=None)
    assert ended.by == "exhausted" and "after 4 trials" in ended.why
    assert len(stored(tmp_path)) == 4


def test_failures_are_told_and_count(tmp_path: Path) -> None:
    def odd_fails(job: Job) -> Result:
        return Result(error="odd", reason="failed") if job.trial % 2 else x_of(job)

    searcher = Draws(Numbers())
    assert session(tmp_path, searcher, odd_fails, budget=12).by == "budget"
    assert sum(outcome.error == "odd" for _, _, outcome in searcher.told) == 6


def test_ten_first_failures_alike_end_the_run_and_say_why(tmp_path: Path) -> None:
    def fails(job: Job) -> Result:
        return Result(error=f"ValueError: width {job.trial} is odd", reason="failed")

    ended = session(tmp_path, Draws(Numbers()), fails, budget=50)
    assert ended.by == "failing" and "ValueError: width" in ended.why
    assert len(stored(tmp_path)) == 10


def test_failing_in_different_ways_goes_on() -> None:
    def failed(trial: int, error: str) -> Record:
        return Record(trial, Point({"x": trial}), error=error, reason="failed")

    assert fails_alike([failed(i, f"no file '{i}'") for i in range(10)])
    assert not fails_alike([failed(i, "even" if i % 2 else "odd") for i in range(10)])
    assert not fails_alike([failed(i, "odd") for i in range(9)])


def test_an_interrupt_keeps_what_is_finished(tmp_path: Path) -> None:
    interrupts = Interrupts()

    def interrupted_at_4(job: Job) -> Result:
        if job.trial == 4:
            interrupts.count = 1
        return x_of(job)

    ended = session(tmp_path, Draws(Numbers()), interrupted_at_4, interrupts=interrupts)
    assert ended.by == "interrupted" and "--resume" in ended.why
    kept = stored(tmp_path)
    assert 4 in {record.trial for record in kept} and len(kept) < 10
    session(tmp_path, Draws(Numbers()))
    assert stored(tmp_path)[: len(kept)] == kept and len(stored(tmp_path)) == 10


def test_no_time_left_asks_nothing(tmp_path: Path) -> None:
    assert session(tmp_path, Draws(Numbers()), budget=None, time_s=0.0).by == "time"
    assert stored(tmp_path) == ()

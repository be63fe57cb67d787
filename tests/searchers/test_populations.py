"""Trials that continue earlier ones: population based training and successive halving."""

import random

from benchmarks.search.coded_space import CodedSpace, names
from nasdsl.language.decisions import Reals
from nasdsl.language.point import Point
from searchers import PBT, Outcome, RandomSearch, Searcher, SuccessiveHalving

SPACE = CodedSpace(
    lambda ask: [ask("op", names("conv", "pool")), ask("lr", Reals(1e-3, 1.0, log=True), kind="number")]
)


def trained(point: Point, state: float) -> float:
    """One stretch of a made-up training: a rate near 0.1 brings the state nearest to 1."""
    rate = float(point["lr"])
    return state + (1 - state) * max(0.0, 0.5 - abs(rate - 0.1))


class Runner:
    """Runs trials as an engine would: the state of a trial begins as that of its parent."""

    def __init__(self, searcher: PBT) -> None:
        self.searcher = searcher
        self.states: dict[int, float] = {}
        self.running: dict[int, Point] = {}

    def start(self, trial: int) -> bool:
        point = self.searcher.ask(trial)
        if point is None:
            return False
        self.running[trial] = point
        return True

    def end(self, trial: int) -> None:
        lineage = self.searcher.lineage(trial)
        before = 0.0 if lineage.parent is None else self.states[lineage.parent]
        point = self.running.pop(trial)
        self.states[trial] = trained(point, before)
        self.searcher.tell(trial, point, Outcome(score=self.states[trial], measures=lineage.measures()))


def test_a_population_shares_what_is_no_number_and_improves_by_copying() -> None:
    runner = Runner(PBT(SPACE, 0, population=6, interval=2))
    for trial in range(60):
        assert runner.start(trial)
        runner.end(trial)
    searcher = runner.searcher
    schedule = searcher.schedule(59)
    assert len({point["op"] for _, point in schedule}) == 1
    assert all(budget == 2 for budget, _ in schedule)
    assert searcher.lineage(59).budget == 2 * len(schedule) >= 20
    state = 0.0
    for _, point in schedule:
        state = trained(point, state)
    assert state == runner.states[59], "the schedule replays the winner"
    members = {trial: searcher.lineage(trial).member for trial in range(60)}
    copies = [t for t in range(6, 60) if members[searcher.lineage(t).parent or 0] != members[t]]
    assert copies, "somebody copied from a better member"


def test_members_train_at_the_same_time_and_never_twice_at_once() -> None:
    runner = Runner(PBT(SPACE, 1, population=4))
    assert [runner.start(trial) for trial in range(5)] == [True, True, True, True, False]
    runner.end(2)
    assert runner.start(4)
    assert runner.searcher.lineage(4).member == 2
    assert not runner.start(5)


def test_a_population_goes_on_after_a_replay() -> None:
    whole = Runner(PBT(SPACE, 2, population=5))
    rng = random.Random(0)
    for trial in range(30):
        while not whole.start(trial):
            whole.end(rng.choice(sorted(whole.running)))
        if len(whole.running) > 2:
            whole.end(rng.choice(sorted(whole.running)))
    resumed = PBT(SPACE, 2, population=5)
    for trial in whole.searcher._history.arrivals:
        result = whole.searcher._history.of(trial)
        resumed.tell(trial, result.point, result.outcome)
    for trial, point in sorted(whole.running.items()):
        resumed.inherit(trial, whole.searcher.lineage(trial))
        resumed.given(trial, point)
    assert resumed.ask(30) == whole.searcher.ask(30)
    assert resumed.lineage(30) == whole.searcher.lineage(30)


def test_failed_members_start_from_the_best() -> None:
    searcher = PBT(SPACE, 0, population=4)
    points = [searcher.ask(trial) for trial in range(4)]
    for trial, point in enumerate(points):
        assert point is not None
        outcome = Outcome(error="diverged") if trial == 1 else Outcome(score=float(trial))
        searcher.tell(trial, point, outcome)
    for trial in range(4, 8):
        searcher.ask(trial)
    assert searcher.lineage(5).parent == 3


def halve(searcher: Searcher, n: int) -> list[tuple[int | None, float | None]]:
    """(parent, budget) of n trials, run one after another; the score of a point is its rate."""
    lineages = []
    for trial in range(n):
        point = searcher.ask(trial)
        assert point is not None
        lineage = searcher.lineage(trial)  # type: ignore[attr-defined]
        lineages.append((lineage.parent, lineage.budget))
        searcher.tell(trial, point, Outcome(score=float(point["lr"]), measures=lineage.measures()))
    return lineages


def test_a_bracket_promotes_its_best_third_to_three_times_the_budget() -> None:
    searcher = SuccessiveHalving(RandomSearch(SPACE, 0), first=2, eta=3, rungs=3)
    lineages = halve(searcher, 26)
    assert [budget for _, budget in lineages[:13]] == [2.0] * 9 + [6.0] * 3 + [None]
    rates = {trial: float(searcher._points[trial]["lr"]) for trial in range(13)}
    assert [parent for parent, _ in lineages[9:12]] == sorted(range(9), key=lambda t: -rates[t])[:3]
    assert lineages[12][0] == max(range(9, 12), key=lambda t: rates[t])
    assert [budget for _, budget in lineages[13:]] == [budget for _, budget in lineages[:13]]


def test_a_rung_waits_for_its_last_outcome() -> None:
    searcher = SuccessiveHalving(RandomSearch(SPACE, 0), eta=3, rungs=2)
    points = [searcher.ask(trial) for trial in range(3)]
    assert searcher.ask(3) is None
    for trial, point in enumerate(points):
        assert point is not None
        searcher.tell(trial, point, Outcome(score=1.0))
    assert searcher.ask(3) == points[0]


def test_brackets_go_on_after_a_replay() -> None:
    whole = SuccessiveHalving(RandomSearch(SPACE, 3), eta=3, rungs=3)
    halve(whole, 11)
    resumed = SuccessiveHalving(RandomSearch(SPACE, 3), eta=3, rungs=3)
    for trial in range(11):
        point = whole._points[trial]
        measures = whole.lineage(trial).measures()
        resumed.tell(trial, point, Outcome(score=float(point["lr"]), measures=measures))
    assert resumed.ask(11) == whole.ask(11)
    assert resumed.lineage(11) == whole.lineage(11)

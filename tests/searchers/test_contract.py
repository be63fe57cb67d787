"""The contract of every searcher. A new one joins by its line in `SEARCHERS`."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.search.coded_space import Ask, CodedSpace, first, names, scale
from nasdsl.language.decisions import Integers, Options, Reals
from nasdsl.language.moves import follow
from nasdsl.language.point import Point
from searchers import (
    MCTS,
    SEARCHERS,
    SMBO,
    UCT,
    Evolution,
    Grid,
    LocalSearch,
    Outcome,
    RandomSearch,
    Searcher,
)

ROOT = Path(__file__).parents[2]
ROUNDS = 45  # beyond every searcher's founding phase


def tree_program(ask: Ask) -> None:
    """A small conditional space with every kind of domain."""
    count = ask("net/repeat", Integers(1, 4), kind="count")
    for i in range(int(count)):
        if ask(f"net/repeat[{i}]/op", names("conv", "pool", "skip")) == "conv":
            ask(f"net/repeat[{i}]/op/kernel", scale(1, 3, 5))
            ask(f"net/repeat[{i}]/op/width", Integers(8, 64, step=8, log=True), kind="number")
    if ask("opt", Options(("sgd", "adam"), (3.0, 1.0))) == "sgd":
        ask("opt/lr", Reals(1e-4, 1.0, log=True, centre=0.1), kind="number")
    ask("flip", Options((False, True), (1.0, 1.0)), kind="optional")


TREE = CodedSpace(tree_program)
GRID = CodedSpace(lambda ask: [ask(f"d{i}", scale(0, 1, 2)) for i in range(2)])


def score_of(point: Point) -> float:
    """A smooth function with an interaction; about one trial in nine fails."""
    convs = sum(answer == "conv" for answer in point.values())
    return convs - 0.3 * convs**2 + (2.0 if point.get("opt") == "sgd" and point.get("flip") else 0.0)


def outcome_of(trial: int, point: Point) -> Outcome:
    if trial % 9 == 4:
        return Outcome(error="out of memory")
    return Outcome(score=score_of(point))


def drive(searcher: Searcher, trials: range) -> list[Point]:
    points = []
    for trial in trials:
        point = searcher.ask(trial)
        assert point is not None
        searcher.tell(trial, point, outcome_of(trial, point))
        points.append(point)
    return points


# A population trains the same points further and further: tests/searchers/test_populations.py.
CONTRACT = {name: make for name, make in SEARCHERS.items() if name != "pbt"}
every_searcher = pytest.mark.parametrize("make", CONTRACT.values(), ids=CONTRACT)
Make = Callable[[CodedSpace, int], Searcher]


def unanswered(decision: object) -> str:
    raise AssertionError(f"{decision} is not answered")


@every_searcher
def test_points_are_valid_and_new(make: Make) -> None:
    points = drive(make(TREE, 0), range(ROUNDS))
    assert all(follow(TREE, point, unanswered) == point for point in points)
    assert len(set(points)) == len(points)


@every_searcher
def test_the_seed_decides(make: Make) -> None:
    points = drive(make(TREE, 0), range(ROUNDS))
    assert points == drive(make(TREE, 0), range(ROUNDS))
    if make is not Grid:  # its order is that of the space
        assert points != drive(make(TREE, 1), range(ROUNDS))


@every_searcher
def test_resuming_by_replay_continues_with_the_same_proposals(make: Make) -> None:
    whole = make(TREE, 3)
    points = drive(whole, range(ROUNDS))
    resumed = make(TREE, 3)
    for trial, point in enumerate(points):
        resumed.tell(trial, point, outcome_of(trial, point))
    assert drive(resumed, range(ROUNDS, ROUNDS + 6)) == drive(whole, range(ROUNDS, ROUNDS + 6))


@every_searcher
def test_the_process_does_not_matter(make: Make, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    here = [dict(point) for point in drive(make(TREE, 5), range(ROUNDS))]
    script = (
        "import json; from tests.searchers.test_contract import *;"
        f"print(json.dumps([dict(p) for p in drive(SEARCHERS[{name!r}](TREE, 5), range(ROUNDS))]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == here


@every_searcher
def test_workers_in_any_order(make: Make) -> None:
    searcher = make(TREE, 0)
    rng = random.Random(0)
    pending: dict[int, Point] = {}
    proposed = []
    for trial in range(ROUNDS):
        point = searcher.ask(trial)
        assert point is not None
        proposed.append(point)
        pending[trial] = point
        if len(pending) == 8:
            done = rng.choice(sorted(pending))
            searcher.tell(done, pending.pop(done), outcome_of(done, proposed[done]))
    assert len(set(proposed)) == ROUNDS


@every_searcher
def test_asking_again_for_a_pending_trial_gives_the_same_point(make: Make) -> None:
    searcher = make(TREE, 0)
    assert searcher.ask(0) == searcher.ask(0)


@every_searcher
def test_a_point_that_runs_unasked_is_not_proposed_and_is_what_its_trial_has(make: Make) -> None:
    searcher = make(GRID, 0)
    running = Point({"d0": 1, "d1": 1})
    searcher.given(0, running)  # type: ignore[attr-defined]
    assert searcher.ask(0) == running
    assert running not in {searcher.ask(trial) for trial in range(1, 9)}
    assert searcher.ask(9) is None


@every_searcher
def test_resuming_with_trials_pending_continues_with_the_same_proposals(make: Make) -> None:
    """Arrival order and what is pending are the same, so is what follows."""
    whole = make(TREE, 4)
    points = {trial: whole.ask(trial) for trial in range(3)}
    told = []
    for trial in range(3, ROUNDS):
        done = trial - 3 if trial % 2 else trial - 1  # not in the order of asking
        done = done if done not in told else trial - 2
        if done in told:
            done = min(set(points) - set(told))
        whole.tell(done, points[done], outcome_of(done, points[done]))
        told.append(done)
        points[trial] = whole.ask(trial)
    resumed = make(TREE, 4)
    for trial in told:
        resumed.tell(trial, points[trial], outcome_of(trial, points[trial]))
    for trial in sorted(set(points) - set(told)):
        resumed.given(trial, points[trial])  # type: ignore[attr-defined]
    assert drive(resumed, range(ROUNDS, ROUNDS + 4)) == drive(whole, range(ROUNDS, ROUNDS + 4))


@every_searcher
def test_failures_alone_do_not_stop_it(make: Make) -> None:
    searcher = make(TREE, 0)
    failures = [
        Outcome(error="diverged"),
        Outcome(),
        Outcome(score=float("nan")),
        Outcome(score=float("-inf")),
    ]
    points = []
    for trial in range(ROUNDS):
        point = searcher.ask(trial)
        assert point is not None
        points.append(point)
        searcher.tell(trial, point, failures[trial % 4])
    assert len(set(points)) == ROUNDS


@every_searcher
def test_points_never_asked_for_are_taken(make: Make) -> None:
    searcher = make(TREE, 0)
    given = [TREE.sample(seed) for seed in range(ROUNDS)]
    for trial, point in enumerate(given):
        searcher.tell(trial, point, outcome_of(trial, point))
    assert not set(drive(searcher, range(ROUNDS, ROUNDS + 5))) & set(given)


@every_searcher
def test_tells_are_keyed_by_trial_and_budget(make: Make) -> None:
    told_once, told_often = make(TREE, 0), make(TREE, 0)
    for trial in range(ROUNDS):
        point = TREE.sample(trial)
        final = outcome_of(trial, point)
        told_once.tell(trial, point, final)
        told_often.tell(trial, point, Outcome(score=100.0))
        told_often.tell(trial, point, final)
        told_often.tell(trial, point, final)
    assert drive(told_once, range(ROUNDS, ROUNDS + 5)) == drive(told_often, range(ROUNDS, ROUNDS + 5))


@every_searcher
def test_a_partial_result_does_not_replace_a_full_one(make: Make) -> None:
    told_full, told_late = make(TREE, 0), make(TREE, 0)
    for trial in range(ROUNDS):
        point = TREE.sample(trial)
        told_full.tell(trial, point, Outcome(score=1.0, budget=1))
        told_full.tell(trial, point, outcome_of(trial, point))
        told_late.tell(trial, point, outcome_of(trial, point))
        told_late.tell(trial, point, Outcome(score=1.0, budget=1))
    assert drive(told_full, range(ROUNDS, ROUNDS + 5)) == drive(told_late, range(ROUNDS, ROUNDS + 5))


@every_searcher
def test_a_finite_space_is_used_up_exactly(make: Make) -> None:
    searcher = make(GRID, 0)
    points = set(drive(searcher, range(9)))
    assert points == set(GRID.enumerate())
    assert searcher.ask(9) is None


@every_searcher
def test_a_finite_space_larger_than_the_founding_phase_is_used_up(make: Make) -> None:
    space = CodedSpace(lambda ask: [ask(f"d{i}", scale(0, 1, 2)) for i in range(3)])
    searcher = make(space, 0)
    assert set(drive(searcher, range(27))) == set(space.enumerate())
    assert searcher.ask(27) is None


@every_searcher
def test_the_last_points_may_be_pending(make: Make) -> None:
    searcher = make(GRID, 0)
    points = {searcher.ask(trial) for trial in range(9)}
    assert len(points) == 9
    assert None not in points
    assert searcher.ask(9) is None


@pytest.mark.parametrize("kind", [RandomSearch, Evolution])
def test_duplicates_may_be_allowed(kind: type[RandomSearch] | type[Evolution]) -> None:
    points = drive(kind(GRID, 0, duplicates="allow"), range(40))
    assert len(set(points)) < len(points)


@pytest.mark.parametrize("kind", [RandomSearch, Evolution])
def test_the_caller_says_what_is_the_same(kind: type[RandomSearch] | type[Evolution]) -> None:
    searcher = kind(GRID, 0, same=lambda point: point["d0"])
    points = drive(searcher, range(3))
    assert {point["d0"] for point in points} == {0, 1, 2}
    assert searcher.ask(3) is None


@pytest.mark.parametrize("kind", [RandomSearch, Evolution, LocalSearch, MCTS, SMBO, UCT])
def test_a_searcher_that_skips_duplicates_ends_rather_than_repeat_itself(kind: Make) -> None:
    searcher = kind(GRID, 0, duplicates="skip")
    points = []
    for trial in range(40):
        point = searcher.ask(trial)
        if point is None:
            break
        searcher.tell(trial, point, Outcome(score=float(point["d0"])))
        points.append(point)
    assert len(set(points)) == len(points) <= 9


# The tree of UCT and the model of SMBO grow in the order of arrival, which a resume repeats.
@pytest.mark.parametrize("kind", [RandomSearch, Evolution, LocalSearch, Grid])
def test_the_order_of_tells_does_not_matter_where_nothing_is_fitted(kind: Make) -> None:
    points = [TREE.sample(seed) if kind is not Grid else p for seed, p in enumerate(first(GRID, 6))]
    space = GRID if kind is Grid else TREE
    forward, shuffled = kind(space, 0), kind(space, 0)
    order = list(range(6))
    random.Random(1).shuffle(order)
    for trial in range(6):
        forward.tell(trial, points[trial], outcome_of(trial, points[trial]))
    for trial in order:
        shuffled.tell(trial, points[trial], outcome_of(trial, points[trial]))
    assert drive(forward, range(6, 9)) == drive(shuffled, range(6, 9))


def test_what_failed_is_no_incumbent() -> None:
    searcher = SMBO(TREE, 0)
    drive(searcher, range(20))
    before = searcher.surrogate.belief(searcher.history)
    best = before.results[before.scored[0]].trial
    for trial, score in enumerate([float("nan"), float("inf"), None], 20):
        searcher.tell(trial, TREE.sample(trial), Outcome(score=score, error=None if score else "died"))
    after = searcher.surrogate.belief(searcher.history)
    assert after.results[after.scored[0]].trial == best
    assert not {20, 21, 22} & {after.results[i].trial for i in after.scored}


def test_answers_of_closed_decisions_play_no_part() -> None:
    """Nothing but what is open reaches the features, hence the kernel."""
    searcher = SMBO(TREE, 0)
    drive(searcher, range(20))
    closed = {"opt/lr": 0.5, "net/repeat[3]/op": "conv", "net/repeat[3]/op/kernel": 3}
    adam = follow(
        TREE, {"net/repeat": 1, "net/repeat[0]/op": "pool", "opt": "adam", "flip": True}, unanswered
    )
    proposer, rng = searcher.proposer, random.Random(0)
    drafts = [proposer.walked({**adam, **extra}, rng) for extra in ({}, closed, {**closed, "opt/lr": 0.001})]
    means, deviations = searcher.surrogate.belief(searcher.history).predict(drafts)
    assert len(set(means)) == len(set(deviations)) == 1

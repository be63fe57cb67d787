"""What searchers make of priors and of evaluations that were not run in full."""

import random

import pytest

from benchmarks.search.coded_space import CodedSpace, names, scale
from nasdsl.language.decisions import Options, Reals
from nasdsl.language.moves import trace
from nasdsl.language.point import Point
from searchers import SMBO, Outcome
from searchers.budgets import in_full
from searchers.drafts import Draft, Opened
from searchers.feasibility import Feasibility
from searchers.history import History
from searchers.prior import log_prior

RATES = CodedSpace(
    lambda ask: [
        ask("op", Options(("a", "b"), (3.0, 1.0))),
        ask("lr", Reals(1e-4, 1.0, log=True, centre=1e-2)),
    ]
)


def test_the_prior_is_relative_to_the_likeliest_answers() -> None:
    def of(op: str, lr: float) -> float:
        point = Point({"op": op, "lr": lr})
        return float(log_prior([Draft(dict(point), Opened(trace(RATES, point)))])[0])

    assert of("a", 1e-2) == pytest.approx(0.0)
    assert of("b", 1e-2) == pytest.approx(-1.0986, abs=1e-3)
    assert of("a", 1e-1) < of("a", 2e-2) < 0


def test_a_wrong_prior_is_outgrown() -> None:
    wrong = CodedSpace(lambda ask: [ask(f"d{i}", Options((0, 1, 2), (50.0, 1.0, 1.0))) for i in range(4)])
    searcher = SMBO(wrong, 0)
    for trial in range(40):
        point = searcher.ask(trial)
        assert point is not None
        searcher.tell(trial, point, Outcome(score=float(sum(point.values()))))
    best = max(result.score for result in searcher.history.finished())
    assert best == 8.0


def test_partial_scores_are_brought_to_the_full_budget_by_what_went_on() -> None:
    history = History(Point.key)
    rng = random.Random(0)
    for trial in range(20):
        quality = rng.random()
        point = Point({"q": quality})
        history.tell(trial, point, Outcome(score=quality / 2, budget=1))
        if trial % 2:
            history.tell(trial, point, Outcome(score=quality + 10, budget=None))
    estimates = in_full(history.results(), history.at_budget)
    for estimate in estimates:
        assert estimate.score == pytest.approx(estimate.result.point["q"] + 10, abs=0.2)
        assert (estimate.doubt == 0.0) == bool(estimate.result.trial % 2)


def test_partial_scores_that_say_nothing_are_not_believed() -> None:
    history = History(Point.key)
    rng = random.Random(0)
    for trial in range(60):
        point = Point({"q": trial})
        history.tell(trial, point, Outcome(score=rng.random(), budget=1))
        if trial < 40:
            history.tell(trial, point, Outcome(score=rng.random(), budget=9))
    doubts = [estimate.doubt for estimate in in_full(history.results(), history.at_budget)]
    assert max(doubts[:40]) == 0.0
    assert min(doubts[40:]) > 0.7


def test_smbo_learns_from_low_rungs() -> None:
    """Only two of ten trials are run in full; what the others reached early points the way."""
    space = CodedSpace(
        lambda ask: [ask(f"d{i}", scale(*range(5))) for i in range(3)] + [ask("op", names("x", "y"))]
    )

    def quality(point: Point) -> float:
        return -sum((int(point[f"d{i}"]) - 3) ** 2 for i in range(3)) + (2.0 if point["op"] == "y" else 0.0)

    searcher = SMBO(space, 0)
    for trial in range(40):
        point = searcher.ask(trial)
        assert point is not None
        searcher.tell(trial, point, Outcome(score=quality(point) / 3, budget=1))
        if trial % 5 == 0:
            searcher.tell(trial, point, Outcome(score=quality(point)))
    tried = [quality(result.point) for result in searcher.history.results()]
    assert max(tried) == 2.0


def test_what_breaks_a_measured_limit_is_proposed_less_and_less() -> None:
    """The better half by score is infeasible; a draw of the space breaks the limit in two of five cases."""
    space = CodedSpace(lambda ask: [ask(f"d{i}", scale(*range(6))) for i in range(6)])
    searcher = SMBO(space, 0)
    broken = []
    for trial in range(70):
        point = searcher.ask(trial)
        assert point is not None
        total = sum(point.values())
        broken.append(total > 15)
        told = Outcome(error="too slow", infeasible=True) if broken[-1] else Outcome(score=float(total))
        searcher.tell(trial, point, told)
    assert sum(broken[-45:]) <= 45 // 4
    assert max(result.score for result in searcher.history.finished()) == 15.0


def test_the_chance_to_keep_limits_is_learned_from_the_verdicts() -> None:
    limits, history = Feasibility(RATES), History(Point.key)
    for trial in range(30):
        point = RATES.sample(trial)
        slow = point["op"] == "b"
        outcome = Outcome(error="too slow", infeasible=True) if slow else Outcome(score=point["lr"])
        history.tell(trial, point, outcome)
    log_chance = limits.log_chance(history)
    assert log_chance is not None

    def draft(op: str) -> Draft:
        point = Point({"op": op, "lr": 1e-2})
        return Draft(dict(point), Opened(trace(RATES, point)))

    fast, slow_one = log_chance([draft("a"), draft("b")])
    assert fast > -0.1
    assert slow_one < -1.0

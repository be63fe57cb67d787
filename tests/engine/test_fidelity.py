"""Stopping what falls behind."""

from __future__ import annotations

from nasdsl.engine.fidelity import Halving, rank_correlation, rule_of
from nasdsl.engine.messages import Report
from nasdsl.engine.records import Record
from nasdsl.language.network import Goal
from nasdsl.language.point import Point


def test_the_first_trials_go_on_and_later_ones_must_be_in_the_best_third() -> None:
    halving = Halving(eta=3)
    stops = [
        halving.should_stop(Report(trial, 1, score)) for trial, score in enumerate([1.0, 3.0, 2.0, 4.0, 2.5])
    ]
    assert stops == [False, False, True, False, True]


def test_a_trial_is_compared_once_at_each_rung_with_those_of_that_rung() -> None:
    halving = Halving(eta=2)
    assert not halving.should_stop(Report(0, 1, 0.1)) and not halving.should_stop(Report(0, 2, 0.9))
    assert not halving.should_stop(Report(1, 1, 0.5)), "compared with 0.1 of the first rung, not with 0.9"
    assert not halving.should_stop(Report(1, 1, 0.0)), "the first report at a rung counts"
    assert halving.should_stop(Report(1, 2, 0.6))


def test_none_never_stops() -> None:
    assert not rule_of("none").should_stop(Report(0, 1, -1e9))


def test_shares_of_the_data_are_rungs_too() -> None:
    halving = Halving(eta=3)
    for trial in range(3):
        assert not halving.should_stop(Report(trial, 0.1, float(trial)))
    assert halving.should_stop(Report(3, 0.1, 0.5))
    record = Record(
        2, Point({}), 2.0, curve=tuple({"step": s, "score": s} for s in (0.1, 0.2, 0.3, 0.9, 1.0))
    )
    assert [round(o.budget or -1, 3) for o in halving.outcomes(record)] == [0.1, 0.3, 0.9, -1]


def test_searchers_are_told_every_rung_and_a_stopped_trial_never_counts_as_run_in_full() -> None:
    rule = rule_of("asha", Goal("loss", maximize=False))
    curve = tuple({"step": step, "loss": 1.0 / step} for step in range(1, 5))
    stopped = Record(0, Point({}), -0.25, reason="stopped", curve=curve)
    rule.learn(stopped)
    told = rule.outcomes(stopped)
    assert [(outcome.budget, outcome.score) for outcome in told] == [(1, -1.0), (3, -1.0 / 3)]
    complete = Record(1, Point({}), -0.25, curve=curve)
    assert [outcome.budget for outcome in rule.outcomes(complete)] == [1, 3, None]


def _curve(early: float, late: float) -> tuple[dict[str, float], ...]:
    return ({"step": 1, "score": early}, {"step": 4, "score": late})


def test_a_rung_in_the_second_half_of_a_full_training_stops_nobody() -> None:
    halving = Halving(eta=3, first=1)
    for trial in range(3):
        curve = tuple({"step": step, "score": float(trial)} for step in range(1, 11))
        halving.learn(Record(trial, Point({}), float(trial), curve=curve))
    assert halving.should_stop(Report(7, 3, -1.0))
    halving.should_stop(Report(8, 3, 2.5))
    assert not halving.should_stop(Report(8, 9, -1.0))


def test_a_rung_that_does_not_rank_as_the_end_does_stops_nobody_any_more() -> None:
    halving = Halving(eta=3)
    for trial in range(20):  # early scores are the reverse of the final ones
        record = Record(trial, Point({}), -float(trial), curve=_curve(float(trial), -float(trial)))
        halving.learn(record)
    assert not halving.should_stop(Report(99, 1, -5.0))
    honest = Halving(eta=3)
    for trial in range(20):
        honest.learn(Record(trial, Point({}), float(trial), curve=_curve(float(trial), float(trial))))
    assert honest.should_stop(Report(99, 1, -5.0))


def test_rank_correlation() -> None:
    assert rank_correlation([(1, 1), (2, 2), (3, 3)]) == 1.0
    assert rank_correlation([(1, 3), (2, 2), (3, 1)]) == -1.0

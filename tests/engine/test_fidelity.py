"""Stopping what falls behind."""

from __future__ import annotations

from nasdsl.engine.fidelity import Halving, stopping_rule
from nasdsl.engine.messages import Report


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
    assert not stopping_rule("none")(Report(0, 1, -1e9))

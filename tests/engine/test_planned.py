"""What counts as the same for the searcher of a run: equal networks under equal settings."""

from __future__ import annotations

import pytest

import nasdsl
from nasdsl.engine.planned import same_training
from nasdsl.engine.proposing import searcher_of
from nasdsl.language.point import Point

# Identity may stand before or behind the convolution: two points, one network.
TWINS = """
task classification on shape(1, 8, 8, classes = 3)
network { conv2d(4, kernel = 3) | identity; conv2d(4, kernel = 3) | identity; global_avg_pool; linear(outputs) }
train { epochs = 1 ; optimizer = adamw(lr = 1e-3 | 1e-2) }
"""


def the_same_but_for_names(evaluate: str | None) -> int:
    """Points that a search of the whole space proposes."""
    space = nasdsl.parse(TWINS)
    searcher = searcher_of({"searcher": "random", "seed": 0, "evaluate": evaluate}, space)
    trial = 0
    while searcher.ask(trial) is not None:
        trial += 1
    return trial


def test_networks_that_are_equal_are_proposed_once() -> None:
    assert nasdsl.parse(TWINS).count() == 8
    assert the_same_but_for_names(None) == 6


def test_an_evaluate_of_the_users_own_may_tell_them_apart() -> None:
    assert the_same_but_for_names("own:evaluate") == 8


def test_the_settings_of_training_count() -> None:
    space = nasdsl.parse(TWINS)
    same = same_training(space)
    points = sorted(space.enumerate(), key=Point.key)
    keys = {point: same(point) for point in points}
    for point in points:
        twins = [other for other in points if keys[other] == keys[point]]
        assert {other["train/optimizer/lr"] for other in twins} == {point["train/optimizer/lr"]}
        assert len(twins) == (2 if "identity" in point.values() and "conv2d" in point.values() else 1)


@pytest.mark.parametrize("name", ["smbo", "evolution", "grid", "local", "mcts"])
def test_every_searcher_takes_it(name: str) -> None:
    searcher = searcher_of({"searcher": name, "seed": 0, "evaluate": None}, nasdsl.parse(TWINS))
    asked = [searcher.ask(trial) for trial in range(7)]
    assert asked[6] is None and None not in asked[:6]


def test_a_space_without_a_network_counts_points() -> None:
    assert same_training(nasdsl.parse("let x = 1..9\nmaximize y")) is Point.key

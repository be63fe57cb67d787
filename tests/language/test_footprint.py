"""A limit on `train_memory` prunes: what a walk knows of it is never more than what the finished network takes."""

import random
from itertools import islice

import pytest
from least_memory import least
from space_texts import space_text

from nasdsl.language.configuration import Dead
from nasdsl.language.decisions import Answer, Decision, draw
from nasdsl.language.errors import SpaceError
from nasdsl.language.reading import load, parse

PERCEPTRON = """task classification on digits
network { flatten; linear(32..256 step 32); relu; repeat 1..4 { linear(w: 32 | 64 | 128 | 256); relu }; linear(outputs) }
train { batch_size = 64 | 256; optimizer = sgd(lr = 0.1) | adamw(lr = 1e-3) }
"""
LEARNING = PERCEPTRON.replace("flatten; linear(32..256 step 32)", "conv2d(4); flatten")


@pytest.mark.parametrize("seed", range(0, 60, 2))
def test_no_network_takes_less(seed: int) -> None:
    try:
        space = parse(space_text(seed))
    except SpaceError:
        pytest.skip("nothing fits")
    for index in range(0, space.count(), max(1, space.count() // 12)):
        point = space.unrank(index)
        assert least(space, point) <= space.quantities(point)["train_memory"]


@pytest.mark.parametrize(
    "name", ["deepconv", "nas_bench_201", "darts", "widenet", "tiny_lm", "fcnet", "mnist1d", "fine_tuning"]
)
def test_no_network_of_the_library_takes_less(name: str) -> None:
    space = load(f"spaces/{name}.space")
    for seed in range(3):
        try:
            point = space.sample(seed)
            takes = space.quantities(point)["train_memory"]
        except Dead:
            continue
        assert 0 < least(space, point) <= takes


def test_every_point_that_is_proposed_holds_the_limit_and_all_that_do_are_reached() -> None:
    space = parse(f"{LEARNING}require train_memory <= 600k\n")
    free = parse(LEARNING)
    valid = {p for p in free.enumerate() if free.quantities(p)["train_memory"] <= 600_000}
    assert 0 < len(valid) < free.count() // 4
    assert set(space.samples(3_000)) <= valid
    assert {space.sample(seed, "points") for seed in range(30)} <= valid
    for point in islice(sorted(valid, key=repr), 20):
        assert space.decide(lambda decision, p=point: p[decision.path]) == point  # type: ignore[misc]


def test_few_walks_turn_back() -> None:
    """The same limit where nothing is known beforehand asks far more often."""
    one_way = LEARNING.replace("64 | 256;", "256;").replace("sgd(lr = 0.1) | ", "")
    asked = [0, 0]
    for place, line in enumerate(("train_memory <= 2M", "train_memory <= 2M or depth < 0")):
        space, rng = parse(f"{one_way}require {line}\n"), random.Random(0)

        def choose(decision: Decision, place: int = place, rng: random.Random = rng) -> Answer:
            asked[place] += 1
            return draw(decision.domain, rng)

        for _ in range(100):
            space.decide(choose)
    assert 1.5 * asked[0] < asked[1]


def test_a_limit_that_no_network_holds_is_an_error_of_the_check() -> None:
    with pytest.raises(SpaceError, match="no network of this space takes less than") as caught:
        parse(f"{PERCEPTRON}require train_memory <= 10k\n")
    assert [one.code for one in caught.value.diagnostics] == ["unsatisfiable"]


def test_the_number_of_valid_points_is_bounded_above() -> None:
    space = parse(f"{LEARNING.replace('1..4', '1..9')}require train_memory <= 400k\n")
    found = space.count_valid()
    assert 0 == found.at_least < found.at_most < space.count() // 2

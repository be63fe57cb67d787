"""Several objectives: fronts, volumes, and searchers that trade one goal for another."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.search.coded_space import CodedSpace, scale
from nasdsl.language.network import Goal
from nasdsl.language.point import Point
from searchers import SMBO, Evolution, Outcome, Searcher
from searchers.pareto import crowding, fronts, hypervolume

GOALS = (Goal("accuracy", True), Goal("params", False))
SPACE = CodedSpace(lambda ask: [ask(f"d{i}", scale(*range(8))) for i in range(4)])
vectors = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=12)


def params(point: Point) -> float:
    return float(1 + point["d0"] + point["d1"])


def accuracy(point: Point) -> float:
    """More parameters help, the other two decisions have a best answer."""
    off = (point["d2"] - 3) ** 2 + (point["d3"] - 5) ** 2
    return 1 - 0.8 / params(point) - 0.01 * off


@given(vectors)
def test_front_zero_is_what_nothing_dominates(points: list[tuple[int, int, int]]) -> None:
    def dominated(a: tuple[int, ...]) -> bool:
        return any(b != a and all(y >= x for x, y in zip(a, b, strict=True)) for b in points)

    assert [rank == 0 for rank in fronts(points)] == [not dominated(point) for point in points]


@given(vectors)
def test_hypervolume_counts_unit_cubes(points: list[tuple[int, int, int]]) -> None:
    cubes = {(i, j, k) for a, b, c in points for i in range(a) for j in range(b) for k in range(c)}
    assert hypervolume(points, (0, 0, 0)) == len(cubes)


def test_the_ends_of_a_front_and_what_stands_alone_are_least_crowded() -> None:
    line = [(0.0, 9.0), (1.0, 8.0), (2.0, 7.0), (8.0, 1.0), (9.0, 0.0)]
    room = crowding(line, fronts(line))
    assert room[0] == room[-1] == math.inf
    assert room[3] > room[1]


def front_volume(searcher: Searcher, n: int, tells_cost: bool) -> float:
    told = []
    for trial in range(n):
        point = searcher.ask(trial)
        assert point is not None
        measures = {"params": params(point)} if tells_cost else {}
        searcher.tell(trial, point, Outcome(score=accuracy(point), measures=measures))
        told.append((accuracy(point), -params(point)))
    return hypervolume(told, (-1.0, -16.0))


@pytest.mark.parametrize("kind", [Evolution, SMBO])
@pytest.mark.parametrize("known", [True, False])
def test_two_goals_give_a_wider_front_than_one(kind: type[Evolution] | type[SMBO], known: bool) -> None:
    measure = (lambda point: {"params": params(point)}) if known else None
    one = sum(front_volume(kind(SPACE, seed), 60, True) for seed in range(3))
    both = sum(
        front_volume(kind(SPACE, seed, goals=GOALS, measure=measure), 60, not known) for seed in range(3)
    )
    assert both > one


def test_known_costs_are_worked_out_once_per_point() -> None:
    asked: list[Point] = []

    def measure(point: Point) -> dict[str, float]:
        asked.append(point)
        return {"params": params(point)}

    front_volume(SMBO(SPACE, 0, goals=GOALS, measure=measure), 20, False)
    assert len(asked) == len(set(asked))

"""The tree of the default `MCTS`: its arrays agree with what they stand for, and it can be drawn."""

from collections import Counter

import pytest

from benchmarks.search.problems import synthetic_problem
from nasdsl.language.moves import is_open, trace
from searchers import MCTS, Outcome
from searchers.mcts import back_up, expand
from searchers.told import COARSE, Cell, Told, Vocabulary, cell_of

PROBLEM = synthetic_problem(3)
POINTS = [PROBLEM.space.sample(seed) for seed in range(60)]
REWARDS = [PROBLEM.true(point) for point in POINTS]


def cells(i: int, parts: int) -> dict[str, Cell]:
    """The slow, clear version."""
    opened = [d for d in trace(PROBLEM.space, POINTS[i]) if is_open(d.domain)]
    return {d.path: cell_of(d, POINTS[i][d.path], parts) for d in opened}


@pytest.fixture
def told() -> Told:
    vocabulary = Vocabulary()
    rows = [
        vocabulary.row([d for d in trace(PROBLEM.space, point) if is_open(d.domain)], point)
        for point in POINTS
    ]
    return Told.of(vocabulary, rows, REWARDS, [0.0] * len(POINTS))


def test_the_statistics_of_a_move_are_those_of_the_results_that_made_it(told: Told) -> None:
    members = list(range(0, 60, 2))
    counts, totals = told.statistics(members)
    expected = Counter((path, cell) for i in members for path, cell in cells(i, COARSE).items())
    for (path, cell), count in expected.items():
        move = told.vocabulary.move(path, cell)
        assert move is not None
        assert counts[move] == count
        total = sum(REWARDS[i] for i in members if cells(i, COARSE).get(path) == cell)
        assert totals[move] == pytest.approx(total)


def test_a_node_splits_by_the_answers_that_explain_the_most(told: Told) -> None:
    members, parts = list(range(60)), 3
    mean = sum(REWARDS) / 60

    def explained(path: str) -> float:
        groups: dict[Cell, list[float]] = {}
        for i in members:
            groups.setdefault(cells(i, parts)[path], []).append(REWARDS[i] - mean)
        return sum((sum(off) / (len(off) + 2)) ** 2 * len(off) / 60 for off in groups.values())

    found = told.parted(members, parts)
    assert found is not None
    path, groups = found
    shared = set.intersection(*(set(cells(i, parts)) for i in members))
    assert path == max(shared, key=explained)
    assert all(cells(i, parts)[path] == cell for cell, group in groups.items() for i in group)
    assert sorted(i for group in groups.values() for i in group) == members


def test_results_that_agree_in_all_they_share_are_not_parted(told: Told) -> None:
    assert told.parted([0, 0, 0, 0], 2) is None
    node = back_up(told, [0, 0, 0, 0])
    expand(told, node)
    assert node.path is None
    assert not node.children


def test_the_tree_is_drawn_with_visits_and_values() -> None:
    searcher = MCTS(PROBLEM.space, 0)
    assert searcher.tree() == ""
    for trial, (point, reward) in enumerate(zip(POINTS, REWARDS, strict=True)):
        searcher.tell(trial, point, Outcome(score=reward))
    lines = searcher.tree().splitlines()
    top = [line for line in lines if not line.startswith(" ")]
    assert sum(int(line.split(": ")[1].split(" ")[0]) for line in top) == len(POINTS)
    assert any(line.startswith("  ") for line in lines)

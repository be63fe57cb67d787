"""Edits of points: always valid, never stuck, every answer within reach."""

import random

import pytest

from benchmarks.search.coded_space import Ask, CodedSpace, DeadEnd, names, scale
from nasdsl.language.decisions import Integers, Reals
from nasdsl.language.moves import crossover, edit_copies, follow, mutate, neighbours, trace, under
from nasdsl.language.point import Point
from nasdsl.language.reading import parse


def layers(ask: Ask) -> None:
    """1 to 4 copies, each a convolution with a kernel or a pool; then an optimizer."""
    count = ask("net/repeat", Integers(1, 4), kind="count")
    for i in range(int(count)):
        if ask(f"net/repeat[{i}]/op", names("conv", "pool")) == "conv":
            ask(f"net/repeat[{i}]/op/kernel", scale(1, 3, 5))
    if ask("opt", names("sgd", "adam")) == "sgd":
        ask("opt/lr", Reals(1e-4, 1.0, log=True), kind="number")


def even(ask: Ask) -> None:
    """Two digits with an even sum: half of all walks meet a dead end."""
    if (int(ask("a", scale(0, 1, 2))) + int(ask("b", scale(0, 1, 2)))) % 2:
        raise DeadEnd


SPACES = {"layers": CodedSpace(layers), "even": CodedSpace(even)}


def contains(space: CodedSpace, point: Point) -> bool:
    return follow(space, point, lambda decision: pytest.fail(f"{decision.path} is not answered")) == point


@pytest.mark.parametrize("name", SPACES)
def test_edits_stay_inside_the_space(name: str) -> None:
    space = SPACES[name]
    rng = random.Random(0)
    for seed in range(200):
        a, b = space.sample(seed), space.sample(seed + 1000)
        for child in (mutate(space, a, rng), crossover(space, a, b, rng)):
            assert contains(space, child)


def test_mutation_moves_and_reaches_every_point() -> None:
    space = SPACES["even"]
    point, reached = space.sample(0), set()
    rng = random.Random(1)
    for _ in range(400):
        child = mutate(space, point, rng)
        assert child != point
        reached.add(child)
        point = child
    assert reached == set(space.enumerate())


def test_mutation_of_a_space_with_one_point_returns_it() -> None:
    space = CodedSpace(lambda ask: ask("only", names("this")))
    point = space.sample(0)
    assert mutate(space, point, random.Random(0)) == point


def test_mutation_reaches_every_answer_of_an_ordered_decision() -> None:
    space = CodedSpace(lambda ask: ask("width", Integers(0, 9), kind="number"))
    rng = random.Random(0)
    reached = {mutate(space, Point({"width": 0}), rng)["width"] for _ in range(600)}
    assert reached == set(range(1, 10))


def test_copies_are_inserted_deleted_and_swapped_with_their_answers() -> None:
    space = SPACES["layers"]
    point = Point(
        {
            "net/repeat": 2,
            "net/repeat[0]/op": "conv",
            "net/repeat[0]/op/kernel": 5,
            "net/repeat[1]/op": "pool",
            "opt": "adam",
        }
    )
    count = trace(space, point)[0]
    rng = random.Random(0)
    seen = set()
    for _ in range(100):
        wanted = edit_copies(count, 2, point, rng)
        assert wanted is not None
        ops = tuple(str(wanted.get(f"net/repeat[{i}]/op", "new")) for i in range(int(wanted["net/repeat"])))
        seen.add(ops)
        for i, op in enumerate(ops):
            assert (wanted.get(f"net/repeat[{i}]/op/kernel") == 5) == (op == "conv")
    assert {("pool", "conv"), ("conv",), ("pool",), ("conv", "conv", "pool"), ("conv", "new", "pool")} <= seen


def test_neighbours_are_distinct_valid_and_one_edit_away() -> None:
    space = CodedSpace(lambda ask: (ask("a", names(1, 2, 3)), ask("b", scale(1, 2, 3))))
    near = list(neighbours(space, Point({"a": 1, "b": 1})))
    assert [dict(point) for point in near] == [{"a": 2, "b": 1}, {"a": 3, "b": 1}, {"a": 1, "b": 2}]
    tree = SPACES["layers"]
    point = tree.sample(3)
    near = list(neighbours(tree, point))
    assert len(set(near)) == len(near) > 3
    assert point not in near
    assert all(contains(tree, other) for other in near)


def test_crossover_takes_answers_from_both_parents_and_no_others() -> None:
    space = CodedSpace(lambda ask: [ask(f"d{i}", names(*range(9))) for i in range(8)])
    a, b = Point({f"d{i}": 1 for i in range(8)}), Point({f"d{i}": 2 for i in range(8)})
    rng = random.Random(0)
    children = [crossover(space, a, b, rng) for _ in range(50)]
    assert all(set(child.values()) <= {1, 2} for child in children)
    assert any(len(set(child.values())) == 2 for child in children)


def test_a_subtree_moves_between_copies_with_what_it_holds() -> None:
    space = SPACES["layers"]
    pool = Point({"net/repeat": 1, "net/repeat[0]/op": "pool", "opt": "adam"})
    conv = Point(
        {
            "net/repeat": 2,
            "net/repeat[0]/op": "pool",
            "net/repeat[1]/op": "conv",
            "net/repeat[1]/op/kernel": 5,
        }
        | {"opt": "adam"}
    )
    children = [crossover(space, pool, conv, random.Random(seed)) for seed in range(60)]
    moved = [c for c in children if c["net/repeat"] == 1 and c["net/repeat[0]/op"] == "conv"]
    assert moved
    assert all(child["net/repeat[0]/op/kernel"] == 5 for child in moved)


@pytest.mark.parametrize(
    ("root", "path", "expected"),
    [("a", "a", True), ("a", "a/b", True), ("a", "a[0]/b", True), ("a", "ab", False), ("a/b", "a", False)],
)
def test_under_is_about_whole_path_segments(root: str, path: str, expected: bool) -> None:
    assert under(root, path) is expected


def test_copies_of_a_repeat_in_a_file_are_deleted_doubled_and_swapped() -> None:
    text = "task classification on wine\nnetwork { repeat 1..3 { linear(4 | 8); relu }; linear(outputs) }"
    space = parse(text)
    widths = [4, 8]
    point = space.decide(
        lambda d: 2 if d.kind == "count" else widths[int(d.path.split("[")[1][0])]  # the copy's number
    )

    def shown(one: Point) -> list[object]:
        return [one[f"network/repeat[{i}]/width"] for i in range(one["network/repeat"])]  # type: ignore[arg-type]

    near = [shown(one) for one in neighbours(space, point)]
    assert [4] in near and [8] in near  # either copy deleted
    assert [4, 4, 8] in near and [4, 8, 8] in near  # either copy doubled
    assert [8, 4] in near  # both swapped
    assert space.default()["network/repeat"] == 1

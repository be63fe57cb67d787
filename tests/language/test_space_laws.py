"""Laws of spaces, on small random ones whose points can all be listed by brute force."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from space_texts import space_text

from nasdsl.language.check import machine_of
from nasdsl.language.configuration import Dead
from nasdsl.language.decisions import Answer, Decision
from nasdsl.language.errors import AnswerError, Infeasible, SpaceError
from nasdsl.language.fold import answers
from nasdsl.language.point import Point
from nasdsl.language.reading import parse
from nasdsl.language.space import Space

SEEDS = range(24)
MOST = 400


def small_space(seed: int) -> Space:
    """The space of a seed; skips what has no network at all or too many points to list."""
    try:
        space = parse(space_text(seed))
    except SpaceError as error:
        codes = {problem.code for problem in error.diagnostics if problem.severity == "error"}
        assert codes <= {"shape-mismatch", "unsatisfiable", "wrong-output"}, str(error)
        pytest.skip("nothing fits")
    if space.count() > MOST:
        pytest.skip("too many points")
    return space


def every_point(space: Space) -> Iterator[Point]:
    """All points by trying every answer, without counting or pruning: the shapes alone decide."""
    program = space._program
    machine = machine_of(program.statement, program.frame_size, space.task)
    waiting: list[tuple[object, dict[str, Answer]]] = [(machine.start(), {})]
    while waiting:
        configuration, found = waiting.pop()
        try:
            _, ask = machine.run(configuration)  # type: ignore[arg-type]
        except Dead:
            continue
        if ask is None:
            yield Point(found)
            continue
        path = ask.decision(ask.domain).path
        assert path not in found, f"`{path}` is asked twice"
        waiting += [(ask.resume(a), {**found, path: a}) for a in reversed(list(answers(ask.domain)))]


@pytest.mark.parametrize("seed", SEEDS)
def test_count_rank_and_unrank_agree_with_brute_force(seed: int) -> None:
    space = small_space(seed)
    points = list(every_point(space))
    assert space.count() == len(points) == len(set(points))
    step = max(1, len(points) // 40)
    for index in range(0, len(points), step):
        assert space.unrank(index) == points[index]
        assert space.rank(points[index]) == index
    assert list(islice(space.enumerate(), 20)) == points[:20]
    with pytest.raises(IndexError):
        space.unrank(len(points))


# Decisions outside, which a condition, an alternative or `and` opens or leaves closed; and how many points there are.
OPENED_LATER = (
    ("let a = 1..2\nif a > 1 { conv2d(w) }", 3),
    ("let a = 1..2\nif a > 1 { act }", 3),
    ("let a = 1..2\nif a > 1 { permute { relu; gelu } }", 3),
    ("given(w)", 3),
    ("given(2 | 4)", 3),
    ("chosen(2 | 4)", 3),
    ("let a = 1..2\nlet b = 1..3\nif a > 1 and b > 1 { relu }", 4),
    ("let a = 1..2\nlet b = 1..3\nif a > 1 or b > 1 { relu }", 4),
    ("repeat i in 2 tied { if i > 1 { conv2d(w) }; relu? }", 4),
    ("repeat i in 2 tied { if i > 1 { relu? } }", 2),
)


@pytest.mark.parametrize(("body", "points"), OPENED_LATER)
def test_what_opens_a_decision_is_told_apart(body: str, points: int) -> None:
    blocks = "block given(v) {\nlet a = 1..2\nif a > 1 { conv2d(v) }\n}\nblock chosen(v) { conv2d(4 | v) }\n"
    space = parse(
        f"task classification on digits\n{blocks}"
        f"network {{\nlet w = 2 | 4\nlet act = relu | gelu\nconv2d(2)\n{body}\nflatten\nlinear(outputs)\n}}"
    )
    assert space.count() == len(list(every_point(space))) == points
    assert set(space.enumerate()) == set(every_point(space))  # in an order of their own where copies differ
    assert [space.rank(point) for point in space.enumerate()] == list(range(points))
    assert all(space.contains(space.sample(seed)) for seed in range(8))


SIBLINGS = """task classification on digits
network {
    let n = 1..2
    repeat 2 { conv2d(8 | 16) }
    repeat 2 { conv2d(8 | 16) }
    repeat n { conv2d(8 | 16) }
    repeat n { conv2d(8 | 16) }
    if n > 1 { repeat 1 { relu | gelu }; repeat 1 { relu | gelu } } else { repeat 1 { relu | gelu } }
    repeat 1..2 { relu | gelu }
    flatten
    linear(outputs)
}
"""


def test_siblings_have_paths_of_their_own() -> None:
    space = parse(SIBLINGS)
    assert space.count() == 16 * (4 * 2 + 16 * 4) * 6
    for index in range(0, space.count(), 97):
        assert space.rank(space.unrank(index)) == index
    assert [path for path in space.unrank(0) if "#" in path] == [
        "network/repeat#2[0]/filters",
        "network/repeat#2[1]/filters",
        "network/repeat#3[0]/filters",
        "network/repeat#4[0]/filters",
        "network/repeat#5[0]/choice",
        "network/repeat#7",
        "network/repeat#7[0]/choice",
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_points_replay_to_networks(seed: int) -> None:
    space = small_space(seed)
    for point in islice(space.enumerate(), 40):
        decided = space.decided(point)
        assert decided.point == point
        assert list(decided.outputs.values()) == [decided.layers[-1].name]


@pytest.mark.parametrize("seed", SEEDS)
def test_edits_and_samples_hold_what_is_required(seed: int) -> None:
    space = small_space(seed)
    valid = [point for point in space.enumerate() if space.contains(point)]
    if not valid:
        with pytest.raises(Infeasible):
            space.sample(0)
        return
    without_reals = {
        frozenset((p, a) for p, a in point.items() if not isinstance(a, float)) for point in valid
    }
    other = space.sample("other")
    for number in range(8):
        point = space.sample(number)
        for found in (
            point,
            space.sample(number, uniform="points"),
            space.mutate(point, number),
            space.crossover(point, other, number),
            space.default(),
            *islice(space.neighbours(point), 12),
        ):
            assert space.contains(found)
            assert frozenset((p, a) for p, a in found.items() if not isinstance(a, float)) in without_reals


@pytest.mark.parametrize("seed", SEEDS)
def test_the_walk_reaches_every_valid_point(seed: int) -> None:
    space = small_space(seed)
    valid = [point for point in space.enumerate() if space.contains(point)]
    for point in valid[:: max(1, len(valid) // 15)]:

        def choose(decision: Decision, wanted: Point = point) -> Answer:
            return wanted[decision.path]

        assert space.decide(choose) == point


def test_what_is_no_point_is_refused() -> None:
    space = parse(space_text(1))
    point = space.sample(0)
    path = next(iter(point))
    for wrong in (
        {**point, path: "no such answer"},
        {**point, "network/none": 1},
        {p: a for p, a in point.items() if p != path},
    ):
        assert not space.contains(Point(wrong))
        with pytest.raises(AnswerError):
            space.rank(wrong)
        with pytest.raises(AnswerError):
            space.decided(wrong)


_SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from space_texts import space_text
from nasdsl.language.errors import SpaceError
from nasdsl.language.reading import parse
for seed in range(12):
    try:
        space = parse(space_text(seed))
    except SpaceError as error:
        print(error)
        continue
    print(space.hash, space.count())
    point = space.sample(seed)
    print(point.key(), space.mutate(point, 1).key(), space.crossover(point, space.default(), 2).key())
    print([layer.name for layer in space.decided(point).layers])
"""


def test_nothing_depends_on_the_hash_seed() -> None:
    here = Path(__file__).parent
    outputs = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(here.parents[1])}
        run = subprocess.run(
            [sys.executable, "-c", _SCRIPT, str(here)],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        outputs.add(run.stdout)
    assert len(outputs) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_holds_points_of_the_space(seed: int) -> None:
    space = small_space(seed)
    try:
        points = space.samples(30, seed)
    except Infeasible:
        assert not any(space.contains(point) for point in space.enumerate())
        return
    assert len(points) == 30 and all(space.contains(point) for point in points)
    assert points == space.samples(30, seed)
    assert all(space.contains(point) for point in space.samples(3, seed, "points"))


def test_a_batch_is_drawn_as_single_points_are() -> None:
    """Decision by decision, by the weights of the author, and on from a dead end without the answer that led there."""
    space = parse(
        "task classification on digits\n"
        "network { conv2d(2 @ 3 | 4); { conv2d(2 | 4 | 8); relu? } | gelu; global_avg_pool; repeat 0..2 { linear(2..4) }\n"
        "linear(outputs) }\nrequire params <= 400 or depth <= 3"
    )
    n = 2_000
    together = Counter(space.samples(n))
    singly = Counter(space.sample(seed) for seed in range(n))
    chi_square = sum((together[p] - singly[p]) ** 2 / (together[p] + singly[p]) for p in {*together, *singly})
    freedom = len({*together, *singly}) - 1
    assert freedom > 20
    assert abs(chi_square - freedom) <= 6 * (2 * freedom) ** 0.5

"""Fixed answers hold in everything that a space gives."""

from __future__ import annotations

import pytest

import nasdsl
from nasdsl.language.errors import AnswerError
from nasdsl.language.fixing import fix, openings

TREE = nasdsl.parse(
    """
    let model = svm(C = 0.1..10.0 log) | forest(trees = 10..12, depth = 2 | 3)
    let scale = yes | no
    start { model = forest(trees = 11) ; scale = no }
    """
)


def test_all_moves_keep_to_what_is_fixed() -> None:
    space = fix(TREE, {"model/trees": 12, "scale": True})
    points = [space.sample(seed) for seed in range(30)]
    points += [space.sample(seed, uniform="points") for seed in range(10)]
    points += [near for point in points[:5] for near in space.neighbours(point)]
    points += [space.mutate(point, 1) for point in points] + [space.crossover(points[0], points[1], 2)]
    assert all(point["scale"] == "yes" and point.get("model/trees", 12) == 12 for point in points)
    assert {point["model"] for point in points} == {"svm", "forest"}
    assert all(space.contains(point) and TREE.contains(point) for point in points)
    assert not space.contains(TREE.decide(lambda d: "forest" if d.path == "model" else _last(d)))


def _last(decision: nasdsl.language.decisions.Decision) -> object:  # type: ignore[name-defined]
    domain = decision.domain
    return domain.values[-1] if hasattr(domain, "values") else domain.low


def test_a_fixed_real_is_met_by_uniform_points_too() -> None:
    space = fix(TREE, {"model/C": 2})
    drawn = [space.sample(seed, uniform="points") for seed in range(20)]
    assert {point["model/C"] for point in drawn if point["model"] == "svm"} == {2.0}


def test_counting_still_ranges_over_the_whole_tree() -> None:
    assert fix(TREE, {"scale": True}).count() == TREE.count() == (1 + 3 * 2) * 2


def test_what_is_fixed_comes_before_the_start_point() -> None:
    start = fix(TREE, {"model/trees": 12}).start()
    assert start is not None and dict(start) == {
        "model": "forest",
        "model/trees": 12,
        "model/depth": 2,
        "scale": "no",
    }


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(AnswerError) as told:
        fix(TREE, {"model": "tree", "modle": "svm"})
    assert "`model` cannot be tree; it offers svm, forest" in str(told.value)
    assert "no decision `modle` can open; did you mean `model`?" in str(told.value)


def test_an_answer_that_another_rules_out_is_refused() -> None:
    with pytest.raises(AnswerError, match="`model/trees` never opens beside"):
        fix(TREE, {"model": "svm", "model/trees": 11})


def test_openings_name_every_path() -> None:
    assert set(openings(TREE)) == {"model", "model/C", "model/trees", "model/depth", "scale"}

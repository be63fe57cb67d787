"""Turns on which SMBO looks elsewhere."""

from __future__ import annotations

import random
from collections import Counter

from benchmarks.search.coded_space import Ask, CodedSpace, names, scale
from nasdsl.language.decisions import Integers
from nasdsl.language.moves import trace
from nasdsl.language.point import Point
from searchers import SMBO, Outcome
from searchers.rivals import EVERY, rival, turned


def deep(ask: Ask) -> None:
    for i in range(int(ask("net/repeat", Integers(1, 5), kind="count"))):
        ask(f"net/repeat[{i}]/width", scale(1, 2, 3, 4))
    if ask("opt", names("sgd", "adam")) == "sgd":
        ask("opt/momentum", scale(0, 1))


DEEP = CodedSpace(deep)
POINT = Point(
    {"net/repeat": 3, **{f"net/repeat[{i}]/width": 1 for i in range(3)}, "opt": "sgd", "opt/momentum": 0}
)


def test_what_more_hangs_on_is_turned_more_often() -> None:
    rng = random.Random(0)
    branching = [d for d in trace(DEEP, POINT) if d.path in ("net/repeat", "opt")]
    often = Counter(turned(branching, POINT, rng).path for _ in range(400))  # type: ignore[union-attr]
    assert 260 <= often["net/repeat"] <= 340  # three in four
    assert turned([], POINT, rng) is None


def test_a_rival_is_another_answer_the_likelier_the_higher_it_reached() -> None:
    rng = random.Random(0)
    count = trace(DEEP, POINT)[0]
    heights = [({"net/repeat": 2}, 2.0)] * 30 + [({"net/repeat": 5}, -1.0)] * 30
    drawn = Counter(rival(count, 3, heights, rng) for _ in range(300))
    assert set(drawn) <= {1, 2, 4, 5}
    assert drawn[2] > drawn[1] > drawn[5]
    assert rival(trace(CodedSpace(lambda ask: ask("x", scale(1))), Point({"x": 1}))[0], 1, [], rng) is None


def test_every_depth_is_tried_again_though_one_looks_best() -> None:
    searcher, depths = SMBO(DEEP, 0), []
    for trial in range(60):
        point = searcher.ask(trial)
        assert point is not None
        searcher.tell(
            trial,
            point,
            Outcome(
                score=10.0 * (point["net/repeat"] == 2)
                + sum(a for p, a in point.items() if p.endswith("width")) / 20
            ),
        )
        if trial >= 20 and trial % EVERY == EVERY - 1:
            depths.append(point["net/repeat"])
    assert sum(depth != 2 for depth in depths) >= len(depths) // 2

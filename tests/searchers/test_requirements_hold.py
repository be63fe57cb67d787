"""What is proposed holds every `require` and every fixed answer, down to the last point of a small space."""

from __future__ import annotations

import pytest

import nasdsl
from nasdsl.language.fixing import fix
from searchers import SEARCHERS, Outcome

SPACE = nasdsl.parse("let a = 1..4\nlet b = 1..4\nlet c = yes | no\nrequire a * b <= 6")


@pytest.mark.parametrize("name", [name for name in SEARCHERS if name != "pbt"])
@pytest.mark.parametrize(("fixed", "n_points"), [({}, 20), ({"a": 3}, 4)])
def test_a_small_space_is_searched_to_its_end(name: str, fixed: dict[str, int], n_points: int) -> None:
    space = fix(SPACE, fixed)
    searcher = SEARCHERS[name](space, 0)
    seen = set()
    for trial in range(40):
        point = searcher.ask(trial)
        if point is None:
            break
        assert space.contains(point) and point["a"] * point["b"] <= 6
        assert all(point[path] == answer for path, answer in fixed.items())
        seen.add(point)
        searcher.tell(trial, point, Outcome(score=float(point["a"])))
    assert len(seen) == n_points

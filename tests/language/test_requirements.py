"""`require` on random small spaces: what is proposed is exactly what brute force finds valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice, product
from typing import Any

import pytest
from space_texts import space_text

from nasdsl.language.decisions import Answer, Decision
from nasdsl.language.errors import Infeasible, SpaceError
from nasdsl.language.point import Point
from nasdsl.language.reading import parse

Answers = Callable[..., list[Any]]
Holds = Callable[[Answers, Mapping[str, int]], bool]

# Lines, and what they mean, said a second time in Python; `a(name)` are the answers of that name.
LINES: tuple[tuple[str, Holds], ...] = (
    ("require all(unit.kernel) >= 3", lambda a, q: all(k >= 3 for k in a("kernel", "unit"))),
    ("require all(kernel) == 3 or w == 2", lambda a, q: all(k == 3 for k in a("kernel")) or a("w") == [2]),
    ("require not (w == 4 and deep == 2)", lambda a, q: a("w") != [4] or 2 not in a("deep")),
    ("require depth <= 3", lambda a, q: q["depth"] <= 3),
    ("require depth >= 3\nrequire params <= 2k", lambda a, q: q["depth"] >= 3 and q["params"] <= 2000),
    ("require sum(kernel) <= 7", lambda a, q: sum(a("kernel")) <= 7),
    ("require max(kernel) >= 5", lambda a, q: not a("kernel") or max(a("kernel")) >= 5),
    (
        "require min(kernel) <= 3 and max(kernel) <= 3",
        lambda a, q: not a("kernel") or (min(a("kernel")) <= 3 and max(a("kernel")) <= 3),
    ),
    ("require w * deep <= 4", lambda a, q: all(w * d <= 4 for w, d in product(a("w"), a("deep")))),
    ("require kernel <= w + 1", lambda a, q: all(k <= w + 1 for k, w in product(a("kernel"), a("w")))),
    ("require params <= 400 * w", lambda a, q: all(q["params"] <= 400 * w for w in a("w"))),
    ("require params <= 1k or depth <= 2", lambda a, q: q["params"] <= 1000 or q["depth"] <= 2),
    ("require relu\nrequire macs <= 40k", lambda a, q: all(a("relu")) and q["macs"] <= 40_000),
    ("require not relu or w == 2", lambda a, q: not any(a("relu")) or a("w") == [2]),
    ("require sum(kernel) + w <= 9", lambda a, q: not a("kernel") or sum(a("kernel")) + a("w")[0] <= 9),
    ("require w == deep * 2", lambda a, q: all(w == 2 * d for w, d in product(a("w"), a("deep")))),
    ("require rate <= 0.15", lambda a, q: all(r <= 0.15 for r in a("rate"))),
)


def answers_of(point: Point) -> Answers:
    def answers(name: str, owner: str = "") -> list[Any]:
        found = []
        for path, answer in point.items():
            *owners, last = [part.split("[")[0].split("#")[0] for part in path.split("/")]
            if last == name and (not owner or owner in owners):
                found.append(answer)
        return found

    return answers


@pytest.mark.parametrize("number", range(len(LINES)))
@pytest.mark.parametrize("seed", (1, 3, 5, 17, 21, 30))
def test_walks_reach_what_is_valid_and_nothing_else(seed: int, number: int) -> None:
    text = "\n".join(line for line in space_text(seed).split("\n") if not line.startswith("require"))
    try:
        space = parse(text)
    except SpaceError:
        pytest.skip("nothing fits")
    if space.count() > 1000:
        pytest.skip("too many points")
    lines, holds = LINES[number]
    valid = [point for point in space.enumerate() if holds(answers_of(point), space.quantities(point))]
    try:
        constrained = parse(f"{text}\n{lines}\n")
    except SpaceError as error:
        codes = {one.code for one in error.diagnostics if one.severity == "error"}
        assert codes <= {"unknown-name", "bad-require"} or (codes == {"unsatisfiable"} and not valid), error
        return
    assert [point for point in space.enumerate() if constrained.contains(point)] == valid
    if not valid:
        if "rate" not in lines:  # a real range that the middle of is not valid still has valid answers
            with pytest.raises(Infeasible):
                constrained.sample(0)
        return
    for point in valid[:: max(1, len(valid) // 12)]:

        def choose(decision: Decision, wanted: Point = point) -> Answer:
            return wanted[decision.path]

        assert constrained.decide(choose) == point
    for n in range(6):
        drawn = constrained.sample(n)
        assert constrained.contains(drawn) and constrained.contains(constrained.sample(n, "points"))
        assert constrained.contains(constrained.mutate(drawn, n))
        assert constrained.contains(constrained.crossover(drawn, constrained.default(), n))
        assert all(constrained.contains(near) for near in islice(constrained.neighbours(drawn), 6))

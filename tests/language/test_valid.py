"""Counting and drawing the points that hold every `require`, against going through all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import accumulate, product
from math import comb

import pytest

from nasdsl.language import exact, grid
from nasdsl.language import space as space_module
from nasdsl.language.decisions import Answer, Decision, Options
from nasdsl.language.point import Point
from nasdsl.language.reading import parse
from nasdsl.language.valid import Bounds

SPACE = """task classification on digits
network {
    conv2d(4 | 8 | 12, kernel = 1 | 3)
    repeat 1..2 { conv2d(4 | 8, kernel = 3 | 5); relu? }
    flatten
    linear(4)?
    linear(outputs)
}
train { batch_size = 16 | 32 ; optimizer = sgd(lr = 1e-3..1 log) }
"""
Holds = Callable[[Point, Mapping[str, int]], bool]
# Lines, what they mean, and whether their count is exact though no point is gone through.
LINES: tuple[tuple[str, Holds, bool], ...] = (
    ("require params <= 3k", lambda p, q: q["params"] <= 3000, True),
    ("require params >= 8k", lambda p, q: q["params"] >= 8000, True),
    ("require params <= 5k and params >= 3k", lambda p, q: 3000 <= q["params"] <= 5000, True),
    (
        "require params <= 4k\nrequire macs <= 90k",
        lambda p, q: q["params"] <= 4000 and q["macs"] <= 90_000,
        False,
    ),
    ("require depth <= 3\nrequire params <= 5k", lambda p, q: q["depth"] <= 3 and q["params"] <= 5000, True),
    ("require sum(kernel) <= 7", lambda p, q: sum(named(p, "kernel")) <= 7, True),
    (
        "require params <= 5k\nrequire max(kernel) <= 3",
        lambda p, q: q["params"] <= 5000 and max(named(p, "kernel")) <= 3,
        True,
    ),
    ("require params <= 800 * filters", lambda p, q: q["params"] <= 800 * min(named(p, "filters")), False),
)


def named(point: Point, name: str) -> list[int]:
    return [int(answer) for path, answer in point.items() if path.split("/")[-1] == name]


def without_rate(point: Point) -> tuple[tuple[str, object], ...]:
    return tuple((path, answer) for path, answer in point.items() if not path.endswith("/lr"))


@pytest.fixture(scope="module")
def points() -> list[tuple[Point, Mapping[str, int]]]:
    space = parse(SPACE)
    return [(point, space.quantities(point)) for point in space.enumerate()]


@pytest.mark.parametrize(("lines", "holds", "exact"), LINES)
def test_counts_and_draws_agree_with_brute_force(
    lines: str,
    holds: Holds,
    exact: bool,
    points: list[tuple[Point, Mapping[str, int]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    valid = {without_rate(point) for point, quantities in points if holds(point, quantities)}
    space = parse(SPACE + lines)
    assert 0 < len(valid) < len(points) == space.count()
    assert space.count_valid() == Bounds(len(valid), len(valid))  # few enough to be listed
    monkeypatch.setattr(space_module, "_LISTED", 0)
    found = space.count_valid()
    assert found.at_least <= len(valid) <= found.at_most
    assert (found.at_least == found.at_most) is exact
    n_draws = 1500
    drawn = Counter(without_rate(space.sample(n, "points")) for n in range(n_draws))
    assert set(drawn) <= valid
    expected = n_draws / len(valid)
    chi_square = sum((drawn[point] - expected) ** 2 / expected for point in valid)
    freedom = len(valid) - 1  # the mean of chi square; six standard deviations are allowed
    assert abs(chi_square - freedom) <= 6 * (2 * freedom) ** 0.5 + 1


VISION_TRANSFORMER = """task classification on shape(3, 32, 32, classes = 10)
network {
    let width = 192 | 216 | 240
    patch_embed(width, patch = 4)
    repeat 10..12 {
        residual { layer_norm; attention(heads = 3 | 4 | 6) }
        residual { layer_norm; mlp(hidden = 3 * width | 7 * width // 2 | 4 * width) }
    }
    global_avg_pool
    linear(outputs)
}
"""


def test_one_point_in_a_million_is_counted_exactly_where_few_costs_differ() -> None:
    """Parameters depend on the width and on how many layers have which hidden width; so an oracle can count."""
    plain = parse(VISION_TRANSFORMER)

    def params(width: int, layers: int, hidden: tuple[int, ...]) -> int:
        """Those of a network whose first layers have the given hidden widths, the rest the smallest."""

        def choose(decision: Decision) -> Answer:
            *_, last = decision.path.split("/")
            if last in ("width", "repeat"):
                return {"width": width, "repeat": layers}[last]
            place = int(decision.path.split("[")[1].split("]")[0])
            values = decision.domain.values if isinstance(decision.domain, Options) else ()
            return values[hidden[place] if last == "hidden" and place < len(hidden) else 0]

        return plain.quantities(plain.decide(choose))["params"]

    costs: Counter[int] = Counter()
    for width, layers in product((192, 216, 240), (10, 11, 12)):
        least = params(width, layers, ())
        more = [params(width, layers, (way,)) - least for way in (1, 2)]
        for second, third in product(range(layers + 1), repeat=2):
            if second + third <= layers:
                ways = comb(layers, second) * comb(layers - second, third) * 3**layers
                costs[least + second * more[0] + third * more[1]] += ways
    assert sum(costs.values()) == plain.count()
    within = accumulate(costs[cost] for cost in sorted(costs))
    limit = next(c for c, n in zip(sorted(costs), within, strict=True) if n > 1e-6 * plain.count())
    space = parse(f"{VISION_TRANSFORMER}require params <= {limit}")
    valid = sum(count for cost, count in costs.items() if cost <= limit)
    assert space.count_valid() == Bounds(valid, valid)
    for n in range(20):
        assert space.quantities(space.sample(n, "points"))["params"] <= limit


def test_bounds_are_certified_where_costs_are_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "_MOST_COSTS", 0)
    monkeypatch.setattr(grid, "_MOST_STEPS", 20)
    monkeypatch.setattr(space_module, "_LISTED", 0)
    plain = parse(SPACE)
    costs = [plain.quantities(point)["params"] for point in plain.enumerate()]
    for limit in (1500, 3000, 6000, 9000):
        space = parse(f"{SPACE}require params <= {limit}")
        found = space.count_valid()
        assert found.at_least <= sum(cost <= limit for cost in costs) <= found.at_most
        assert all(space.quantities(space.sample(n, "points"))["params"] <= limit for n in range(20))

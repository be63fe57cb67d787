"""`edges`: the wires that the nodes of graphs read, as a quantity that limits can bound."""

from __future__ import annotations

from collections import Counter
from math import comb
from pathlib import Path

import pytest

from nasdsl.language import space as space_module
from nasdsl.language.point import Point
from nasdsl.language.reading import load, parse
from nasdsl.language.valid import Bounds

CELL_101 = Path("examples/spaces/nas_bench_101.space")


def within(body: str, lines: str = "") -> str:
    return f"task classification on digits\nblock two(a: wire, b: wire) {{ dag {{ output = concat from a, b }} }}\nnetwork {{\nconv2d(2)\n{body}\nglobal_avg_pool\nlinear(outputs)\n}}\n{lines}\n"


def read(point: Point) -> int:
    """Wires picked by the decisions of a point."""
    return sum(str(answer).count("+") + 1 for path, answer in point.items() if path.endswith("/from"))


# A body, and the edges of a point in it: what its decisions pick, and what is fixed.
GRAPHS = (
    ("cell(nodes = 4) { relu | gelu }", 6),
    ("cell(inputs = 2, nodes = 4, edges = any(1..2), output = concat) { relu }", 0),
    ("cell(inputs = 2, nodes = 4, edges = any(1), output = concat unused) { relu | conv2d(2) }", 0),
    (
        "dag { a = relu from input; b = gelu from any(1..2, earlier); output = concat from any(1..3, earlier) }",
        1,
    ),
    ("dag { a = relu from input; output = two from any(2, earlier) }", 1 + 2),  # and the two within `two`
    ("repeat 1..3 tied { cell(nodes = 3, edges = any(1..2)) { relu } }", 0),
    ("repeat 1..2 { cell(nodes = 3, edges = any(1..2)) { relu } }", 0),
    ("repeat 2 tied { cell(nodes = 3, edges = any(1..2)) { conv2d(2 | 4) }; conv2d(2) }", 0),
    ("repeat 2..3 tied { conv2d(2 | 3); cell(nodes = 3) { relu } }", 3),
    ("repeat 2 shared { conv2d(2); cell(nodes = 3, edges = any(1..2)) { relu } }", 0),
    ("parallel { relu; gelu }", 0),
)


@pytest.mark.parametrize(("body", "fixed"), GRAPHS)
def test_edges_are_those_that_are_picked_and_those_that_are_fixed(
    body: str, fixed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = parse(within(body))
    edges = {point: read(point) + fixed for point in plain.enumerate()}
    assert all(plain.quantities(point)["edges"] == n for point, n in edges.items())
    monkeypatch.setattr(space_module, "_LISTED", 0)
    for limit in sorted(set(edges.values())):
        for line, valid in (
            (f"require edges <= {limit}", [p for p, n in edges.items() if n <= limit]),
            (f"require edges >= {limit}", [p for p, n in edges.items() if n >= limit]),
        ):
            space = parse(within(body, line))
            assert space.count_valid() == Bounds(len(valid), len(valid))
            assert {space.sample(n) for n in range(20)} <= set(valid)
            assert {space.sample(n, "points") for n in range(20)} <= set(valid)


def test_the_cell_of_nas_bench_101_has_at_most_nine_edges() -> None:
    """Against a count of the ways to pick 1 to k of k wires, k from 1 to 6."""
    ways: Counter[int] = Counter({1: 1})
    for wires in range(2, 7):
        longer: Counter[int] = Counter()
        for edges, n in ways.items():
            for more in range(1, wires + 1):
                longer[edges + more] += n * comb(wires, more)
        ways = longer
    valid = 3**5 * sum(n for edges, n in ways.items() if edges <= 9)
    space = load(str(CELL_101))
    assert space.count() == 3**5 * sum(ways.values())
    assert space.count_valid() == Bounds(valid, valid)

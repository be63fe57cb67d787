"""`max_depth = n`: a block that uses itself stands at most so deep in itself."""

from __future__ import annotations

import pytest

from nasdsl.language.check import check
from nasdsl.language.errors import SpaceError
from nasdsl.language.findings import findings
from nasdsl.language.parser import parse
from nasdsl.language.space import Space


def space(blocks: str, body: str = "tree") -> Space:
    text = f"{blocks}\ntask classification on wine\nnetwork {{\nlinear(4)\n{body}\nlinear(outputs)\n}}\n"
    return Space(check(parse(text)))


def trees(depth: int) -> int:
    """Binary trees of at most so many levels with two kinds of leaf."""
    return 2 if depth == 1 else 2 + trees(depth - 1) ** 2


TREE = "block tree { relu | tanh | { tree(max_depth = %s); tree(max_depth = %s) } }"


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7])
def test_it_is_counted_exactly(depth: int) -> None:
    assert space(TREE % (depth, depth)).count() == trees(depth)


def test_every_point_is_drawn_ranked_and_as_deep_as_it_may_be() -> None:
    found = space(TREE % (3, 3))
    points = list(found.enumerate())
    assert len(set(points)) == len(points) == 38
    assert [found.rank(point) for point in points] == list(range(38))
    assert max(path.count("tree") for point in points for path in point) == 3
    assert found.sample(0) in points


def test_that_it_ends_is_no_dead_alternative() -> None:
    found = space(TREE % (2, 2))
    assert not found.warnings
    assert "dead-answer" not in {one.code for one in findings(found)}


def test_each_use_from_outside_begins_anew() -> None:
    assert space(TREE % (2, 2), "tree; tree").count() == 6**2


def test_the_depth_may_be_decided_or_given() -> None:
    assert space("let n = 1 | 3\n" + TREE % ("n", "n")).count() == 2 + (trees(3) - 2)
    given = "block tree(n) { relu | { tree(n, max_depth = n) } }"
    assert space(given, "tree(2); tree(3)").count() == 2 * 3


def test_within_defaults_it_is_as_deep() -> None:
    tree = "block tree { relu | { linear(4); tree(max_depth = 2) } }"
    assert space(tree, "with(weight = plain | weight_norm) { tree }").count() == 1 + 2


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ("block tree { relu | { tree; tree(max_depth = 2) } }", "unbounded-recursion"),
        ("block tree { relu | tree(max_depth = 0) }", "out-of-range"),
        ("block tree { relu | tree(max_depth = 51) }", "out-of-range"),
        ("block tree { relu | other }\nblock other { tree(max_depth = 3) }", "unbounded-recursion"),
    ],
)
def test_what_does_not_end_is_refused(blocks: str, code: str) -> None:
    with pytest.raises(SpaceError) as caught:
        space(blocks)
    assert code in {d.code for d in caught.value.diagnostics}


def test_it_stands_where_a_block_uses_itself() -> None:
    with pytest.raises(SpaceError) as caught:
        space(TREE % (3, 3), "tree(max_depth = 2)")
    assert [d.code for d in caught.value.diagnostics] == ["unknown-argument"]


def test_a_decided_depth_stands_beside_the_block_that_it_bounds() -> None:
    """It is asked before the block is entered; here 1 never fits, and 2 lets in leaves alone."""
    found = space(TREE % ("3", "1 | 2"))
    points = list(found.enumerate())
    assert found.count() == len(set(points)) == 2 + 2 * 2
    assert {point["network/tree/max_depth"] for point in points if len(point) > 1} == {2}

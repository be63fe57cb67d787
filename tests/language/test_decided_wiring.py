"""Wiring whose numbers and ways are decisions: `nodes`, `inputs`, `edges`, `merge`, `output`, `shortcut`, `any(k, …)`."""

from __future__ import annotations

import pytest

from nasdsl.language.check import check
from nasdsl.language.errors import SpaceError
from nasdsl.language.parser import parse
from nasdsl.language.space import Space


def space(body: str, blocks: str = "", lines: str = "") -> Space:
    text = f"{blocks}\ntask classification on digits\nnetwork {{\n{body}\nglobal_avg_pool\nlinear(outputs)\n}}\n{lines}"
    return Space(check(parse(text)))


def codes(body: str) -> list[str]:
    with pytest.raises(SpaceError) as caught:
        space(body)
    return [d.code for d in caught.value.diagnostics]


CELLS = "block some(n, m = add) { cell(nodes = n, merge = m) { op: identity | relu } }"
DAG = (
    "dag {{ a = relu from input; b = gelu from input; c = conv2d(4) from {}; output = concat from a, b, c }}"
)


# Counts by hand: an edge has two operations, and a complete graph of n nodes has n * (n - 1) / 2 edges.
@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("cell(nodes = 3 | 4) { op: identity | relu }", 2**3 + 2**6),
        ("cell(nodes = 2..4) { op: identity | relu }", 2 + 2**3 + 2**6),
        ("let n = 3 | 4; cell(nodes = n) { op: identity | relu }; if n == 3 { tanh? }", 2 * 2**3 + 2**6),
        ("some(3); some(2 | 4)", 2**3 * (2 + 2**6)),
        ("some(3, m = add | mul)", 2 * 2**3),
        ("cell(nodes = 3, merge = add | mul) { op: identity | relu }", 2**3 * 2),
        ("cell(nodes = 3 | 4, inputs = 1 | 2) { op: identity | relu }", 2**3 + 2**6 + 2**2 + 2**5),
        ("cell(nodes = 3, output = concat | add) { op: identity | relu }", 2 * 2**3),
        ("cell(nodes = 4 | 5, inputs = 2, edges = any(2), output = concat unused) { identity }", 3 + 3 * 6),
        ("cell(nodes = 4, edges = any(1 | 2)) { identity }", 3 * 6),
        ("let k = 1 | 2; cell(nodes = 4, inputs = 2, edges = any(k)) { identity }", 2 * 3 + 3),
        (DAG.format("any(1, a, b)"), 2),
        (DAG.format("any(1..2, a, b)"), 3),
        (DAG.format("input, any(0..1, a, b)"), 3),
        (DAG.format("input, any(0..2, earlier)"), 4),
        (DAG.format("any(1, a, b), any(1, input)"), 2),
        ("let k = 1..3; " + DAG.format("any(k, earlier)"), 7),
        ("let k = 1 | 5; " + DAG.format("any(k, earlier)"), 3),
        ("repeat i in 1..2 { " + DAG.format("any(i, a, b)") + " }", 2 + 2),
    ],
)
def test_what_is_decided_is_counted_and_ranked(body: str, count: int) -> None:
    found = space("conv2d(4); " + body if "dag" not in body else body, CELLS)
    points = list(found.enumerate())
    assert found.count() == count == len(set(points))
    assert [found.rank(point) for point in points] == list(range(count))


def test_a_shortcut_is_asked_only_where_the_shape_changes() -> None:
    found = space("conv2d(4 | 8); residual(shortcut = project | pad) { conv2d(8) }")
    assert found.count() == 3
    assert [len(point) for point in found.enumerate()] == [2, 2, 1]


def test_a_shortcut_that_cannot_be_is_not_offered() -> None:
    assert space("conv2d(8); residual(shortcut = project | pad | error) { conv2d(4) }").count() == 1


def test_the_decision_of_a_wire_has_a_label_and_edges_are_bounded() -> None:
    free = DAG.format("picked: any(1..3, earlier)")
    assert {path for path in space(free).sample(0) if "picked" in path} == {"network/c/picked"}
    assert space(free).count() == 7
    bounded = space(free, lines='require edges <= 7 and picked != "a+b"')
    assert {str(point["network/c/picked"]) for point in map(bounded.sample, range(60))} == {
        "input",
        "a",
        "b",
        "input+a",
        "input+b",
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("cell(nodes = 1) { relu }", ["out-of-range"]),
        ("cell(nodes = 1 | 2, inputs = 2) { relu }", ["bad-range", "out-of-range"]),
        ("cell(nodes = 70) { relu }", ["bad-range"]),
        ("cell(nodes = 3, edges = any(0..1)) { relu }", ["bad-range"]),
        (DAG.format("any(0..2, earlier)"), ["bad-range"]),
        (DAG.format("any(1, a, a)"), ["bad-wire"]),
        (DAG.format("any(1, a, zz)"), ["unknown-name"]),
        (DAG.format("any(1, earlier, a)"), ["bad-wire"]),
        ("cell(nodes = (3)?) { relu }", ["bad-wire"]),
        ("residual(shortcut = pad?) { conv2d(8) }", ["bad-wire"]),
        ("parallel(merge = mul?) { relu; gelu }", ["bad-wire"]),
    ],
)
def test_what_cannot_be_is_said_once(body: str, expected: list[str]) -> None:
    assert codes(body) == expected

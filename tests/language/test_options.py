"""Options by a `let` or a parameter: `let up = nearest | linear`, decided once and used where an argument takes it."""

from __future__ import annotations

import pytest

from nasdsl.language.check import check
from nasdsl.language.errors import SpaceError
from nasdsl.language.parser import parse
from nasdsl.language.space import Space


def space(body: str, blocks: str = "") -> Space:
    return Space(
        check(
            parse(
                f"{blocks}\ntask classification on digits\nnetwork {{\n{body}\nglobal_avg_pool\nlinear(outputs)\n}}\n"
            )
        )
    )


@pytest.mark.parametrize(
    ("body", "answers"),
    [
        (
            "let up = nearest | linear; conv2d(8); upsample(2, mode = up); upsample(2, mode = up)",
            ["nearest", "linear"],
        ),
        ("let p = same | valid; conv2d(8, padding = p)", ["same", "valid"]),
        ("let s = project | pad; residual(shortcut = s) { conv2d(8) }", ["project", "pad"]),
        ("let m = add | mul; parallel(merge = m) { relu; gelu }", ["add", "mul"]),
        ("let m = add | mul; cell(nodes = 3, merge = m, output = m) { relu }", ["add", "mul"]),
        ("let p = valid; conv2d(8, padding = p | same)", ["p", "same"]),
        ("up(nearest | linear)", ["nearest", "linear"]),
    ],
)
def test_an_option_is_decided_once(body: str, answers: list[str]) -> None:
    found = space(body, "block up(mode) { upsample(2, mode = mode) }" if "up(n" in body else "")
    points = list(found.enumerate())
    assert found.count() == len(points) == 2
    assert [list(point.values()) for point in points] == [[answer] for answer in answers]
    assert [found.rank(point) for point in points] == [0, 1]


def test_one_let_joins_wires_and_names_a_way_to_join() -> None:
    found = space(
        "let m = add | mul; dag { a = relu from input; output = m from a, input }; parallel(merge = m) { relu; gelu }"
    )
    assert [dict(point) for point in found.enumerate()] == [{"network/m": "add"}, {"network/m": "mul"}]


def test_an_option_of_another_argument_is_refused() -> None:
    with pytest.raises(SpaceError) as caught:
        space("let p = same | valid; upsample(2, mode = p)")
    assert {d.code for d in caught.value.diagnostics} == {"wrong-kind"}


def test_a_word_that_is_nothing_says_that_texts_have_quotes() -> None:
    with pytest.raises(SpaceError) as caught:
        space('let kind = double | shortcut; if kind == "double" { relu }')
    first = caught.value.diagnostics[0]
    assert first.code == "unknown-name" and '`"double"`' in first.help[0]

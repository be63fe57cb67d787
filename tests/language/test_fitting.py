"""What `check` says of the shapes of all points."""

from __future__ import annotations

import pytest

from nasdsl.language.reading import parse

SOME = """task classification on digits
network {
    repeat 1..6 { conv2d(8 | 16, kernel = 3 | 5 | 9, padding = valid); relu }
    pool: max_pool(2) | max_pool(6) | identity
    flatten
    linear(outputs)
}"""
ALL = "task classification on digits\nnetwork { flatten; linear(8 | 16); linear(outputs) }"
LATER = 'task classification on csv("t.csv", target = "y")\nnetwork { linear(8 | 16); linear(outputs) }'


def test_points_that_shapes_leave_out_are_counted_and_answers_without_any_named() -> None:
    space = parse(SOME)
    written = sum(6**copies * 3 for copies in range(1, 7))
    assert space.fit() == [
        f"shapes: {space.count()} of {written:,} points fit; the others are never drawn",
        "no network fits with `network/repeat = 4`",
        "no network fits with `network/repeat = 5`",
        "no network fits with `network/repeat = 6`",
        "no network fits with `network/repeat[]/kernel = 9`",
    ]
    answers = {(path, answer) for point in space.enumerate() for path, answer in point.items()}
    assert max(answer for path, answer in answers if path == "network/repeat") == 3  # type: ignore[type-var]
    assert not any(answer == 9 for path, answer in answers if path.endswith("kernel"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ALL, ["shapes: every network fits, proved for all points"]),
        (LATER, ["shapes: checked once the data are read"]),
        ("let a = 1..3", []),
    ],
)
def test_what_is_proved_is_said(text: str, said: list[str]) -> None:
    assert parse(text).fit() == said


def test_what_is_out_of_reach_is_said() -> None:
    body = "; ".join(f"conv2d({8 + i}..{40 + i}); max_pool(1 | 2)?" for i in range(40))
    text = f"task classification on shape(3, 64, 64, classes = 2)\nnetwork {{ {body}; flatten; linear(outputs) }}"
    assert parse(text).fit()[0].startswith("shapes: too many points to go through")

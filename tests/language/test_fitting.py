"""What `check` says of the shapes of all points."""

from __future__ import annotations

import pytest

from nasdsl.language.errors import SpaceError
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


def said(text: str) -> list[str]:
    return [one.message for one in parse(text).findings()]


def test_points_that_shapes_leave_out_are_counted_and_answers_without_any_have_their_place() -> None:
    space = parse(SOME)
    written = sum(6**copies * 3 for copies in range(1, 7))
    note, *dead = space.findings()
    assert (
        note.message
        == f"shapes: {space.count()} of {written:,} points fit, counted; the others are never drawn"
    )
    assert note.facts == {"proof": "counted", "points": str(space.count()), "written": str(written)}
    places = [(one.code, one.severity, SOME[one.span.start : one.span.end]) for one in dead]
    assert places == [("dead-answer", "warning", "1..6"), ("dead-answer", "warning", "9")]
    assert dead[0].help[0].startswith("write `1..3`")
    answers = {(path, answer) for point in space.enumerate() for path, answer in point.items()}
    assert max(answer for path, answer in answers if path == "network/repeat") == 3  # type: ignore[type-var]
    assert not any(answer == 9 for path, answer in answers if path.endswith("kernel"))


def test_a_dead_body_has_its_own_place() -> None:
    text = """task classification on digits
network { conv2d(8 | 16); norm: { group_norm(12); relu } | batch_norm | group_norm(3); flatten; linear(outputs) }"""
    _, *dead = parse(text).findings()
    assert [text[one.span.start : one.span.end] for one in dead] == [
        "{ group_norm(12); relu }",
        "group_norm(3)",
    ]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (ALL, ["shapes: every network fits, proved for all points"]),
        (LATER, ["shapes: checked once the data are read"]),
        ("let a = 1..3", []),
    ],
)
def test_what_is_proved_is_said(text: str, messages: list[str]) -> None:
    assert said(text) == messages


def test_what_is_out_of_reach_is_tried_on_points_that_are_drawn() -> None:
    body = "; ".join(f"conv2d({8 + i}..{40 + i}); max_pool(1 | 2)?" for i in range(40))
    text = f"task classification on shape(3, 64, 64, classes = 2)\nnetwork {{ {body}; flatten; linear(outputs) }}"
    (note,) = parse(text).findings()
    facts = note.facts
    assert facts["proof"] == "sampled" and facts["drawn"] > facts["fit"] >= 0  # type: ignore[operator]
    assert f"of {facts['drawn']} drawn without regard to shapes, {facts['fit']} fit" in note.message


def test_a_line_that_only_finished_points_show_is_tried_on_some() -> None:
    *_, note = parse(ALL + "\nrequire params > 9 * macs").findings()
    assert note.facts == {"proof": "finished", "drawn": 20, "held": 0}


LEVELS = """block level(d) {
    conv2d(4)
    if d > 0 { parallel(merge = concat) { identity; { max_pool(2); level(d - 1); upsample(2) } } }
}
"""


@pytest.mark.parametrize(
    "network", ["level(1..2)", "level(1 | 2)", "{ level(1) } | { level(2) }", "level(2)?; level(1)"]
)
def test_what_fits_on_one_branch_and_not_on_another_is_pruned(network: str) -> None:
    """The concat fits at 6 x 6, and not two levels below, at 3 x 3."""
    task = "task segmentation on shape(3, 6, 6, classes = 4)\n"
    found = parse(f"{task}{LEVELS}network {{ {network}; conv2d(outputs, kernel = 1) }}")
    assert found.count() == 1
    assert [one.code for one in found.findings() if one.severity == "warning"] == ["dead-answer"]
    (clash,) = found.warnings
    assert clash.code == "shape-mismatch" and "3 x 3 against 2 x 2" in clash.message


@pytest.mark.parametrize("network", ["level(2)", "conv2d(4) | conv2d(4, kernel = 9, padding = valid)"])
def test_what_no_decision_avoids_or_fits_nowhere_is_an_error(network: str) -> None:
    task = "task segmentation on shape(3, 6, 6, classes = 4)\n"
    with pytest.raises(SpaceError) as caught:
        parse(f"{task}{LEVELS}network {{ {network}; conv2d(outputs, kernel = 1) }}")
    assert [one.code for one in caught.value.diagnostics] == ["shape-mismatch"]


def test_a_start_that_is_no_point_is_an_error_at_its_line() -> None:
    text = ALL + "\nstart {\n    network/width = 12\n    network/foo = 3\n}"
    found = parse(text).findings()
    assert [(one.severity, one.code, text[one.span.start : one.span.end]) for one in found] == [
        ("error", "bad-start", "12"),
        ("error", "bad-start", "3"),
    ]
    (note,) = parse(text.replace("12", "16").replace("network/foo = 3", "")).findings()
    assert note.severity == "note"


def test_a_line_says_that_it_means_the_quantity_where_a_decision_has_its_name() -> None:
    text = (
        "task classification on wine\nnetwork { depth: repeat 1..3 { linear(8) }; linear(outputs) }\nrequire "
    )
    space = parse(text + "depth <= 3")
    assert [one.code for one in space.warnings] == ["shadowed-name"] and space.count_valid().at_most == 2
    assert not parse(text.replace("depth:", "layers:") + "layers <= 3 and depth <= 4").warnings


def test_a_dead_answer_says_what_is_against_it_and_what_would_help() -> None:
    text = "task classification on digits\nnetwork { patch_embed(WIDTH, patch = 2); attention(heads = 4); global_avg_pool; linear(outputs) }"
    (dead,) = [one for one in parse(text.replace("WIDTH", "16 | 18")).findings() if one.code == "dead-answer"]
    assert (
        "4 does not divide 18" in dead.message and "divisor" in dead.help[0] and "padding" not in dead.help[0]
    )

"""Printing: what is printed reads back as the same tree, comments stay, layout is stable."""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from syntax_strategies import files, number_texts, values

from nasdsl.language import syntax as s
from nasdsl.language.lexer import tokenize
from nasdsl.language.parser import parse
from nasdsl.language.printer import print_file, print_value

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
SPACES = sorted((Path(__file__).parents[2] / "spaces").rglob("*.space"))
_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def printed(text: str) -> str:
    return print_file(parse(dedent(text)))


def comments(text: str) -> list[str]:
    return [comment.text for comment in tokenize(parse(text).source)[1]]


@settings(max_examples=120, deadline=None, suppress_health_check=_SLOW)
@given(files)
def test_a_printed_tree_reads_back_as_itself(file: s.File) -> None:
    text = print_file(file)
    assert parse(text) == file
    assert print_file(parse(text)) == text


@settings(max_examples=120, deadline=None, suppress_health_check=_SLOW)
@given(values)
def test_a_printed_value_reads_back_as_itself(value: s.Value) -> None:
    text = print_value(value)
    assert "\n" not in text
    assert parse(f"require ({text})").items == (s.Require(value),)


@settings(max_examples=150, deadline=None)
@given(number_texts)
def test_numbers_keep_their_value_and_unit(text: str) -> None:
    number = parse(f"let x = {text}").items[0].value  # type: ignore[union-attr]
    assert parse(f"let x = {print_value(number)}").items[0].value == number  # type: ignore[union-attr]


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_shipped_spaces_keep_tree_and_comments(path: Path) -> None:
    text = path.read_text()
    again = print_file(parse(text))
    assert parse(again) == parse(text)
    assert comments(again) == comments(text)
    assert print_file(parse(again)) == again


def test_a_short_body_stays_on_its_line() -> None:
    text = """\
    network {
        residual { conv(width) } | { conv(width); max_pool(2) }
        permute { batch_norm; act: relu | gelu }
        repeat 1..3 { relu }
        if depth > 2 { relu } else { gelu }
        pick 1 of { relu; gelu }
        only: repeat 2 { relu }
    }
    start { network/width = 32; train/lr = 0.1 }
    """
    assert printed(text) == dedent(text)


def test_a_body_on_several_lines_stays_on_several() -> None:
    text = "network {\n    residual {\n        relu\n    }\n}\n"
    assert printed(text) == text


def test_a_short_body_that_does_not_fit_is_opened() -> None:
    names = "; ".join(["a_rather_long_operation"] * 5)
    text = printed(f"network {{ residual {{ {names} }} }}")
    assert text.count("a_rather_long_operation\n") == 5
    assert printed(text) == text


def test_an_empty_body_is_one_pair_of_braces() -> None:
    assert printed("network {\n\n}\nstart {\n}") == "network { }\nstart { }\n"
    assert printed("network {\n    # nothing yet\n}\n") == "network {\n    # nothing yet\n}\n"


def test_a_long_choice_stands_one_alternative_a_line() -> None:
    long = " | ".join(f"alternative_number_{i}" for i in range(8))
    text = printed(f"let x = {long}")
    assert text.splitlines()[0] == "let x = alternative_number_0"
    assert text.splitlines()[1:] == [f"    | alternative_number_{i}" for i in range(1, 8)]


COMMENTED = """\
## The doc of the file.

# above the name
space s  # beside the name

# above a let
let x = 16  # small
    # between alternatives
    | 32  # large
    | 64  # largest

## What the block does.
block conv(width) {  # beside the head
    # first in the body
    conv2d(width)  # beside a call

    relu  # beside another
    # last in the body
}

network {
    conv(x) | {  # opens
        relu
    }  # beside a body
        # before the second
        | residual {
            gelu
        }
    if x > 2 {
        relu  # in the branch
    } else {
        # alone in the other
        gelu
    }
}

start {  # beside start
    # above a setting
    network/x = 16  # beside a setting
    # last in start
}
# the end
"""


def test_comments_stay_where_they_are() -> None:
    assert printed(COMMENTED) == COMMENTED


def test_comments_inside_one_statement_are_kept() -> None:
    text = printed(
        "network {\n    conv2d(  # the filters\n        8,  # few\n        kernel = 3\n    )\n    relu\n}\n"
    )
    assert [line.strip() for line in text.splitlines()] == [
        "network {",
        "conv2d(8, kernel = 3)",
        "# the filters",
        "# few",
        "relu",
        "}",
    ]
    assert printed(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "network { # a\n} # b\n",
        "network\t{\r\n relu # a\r\n}\r\n",
        "let x = 1 | # a\n 2 # b\n",
        "let x = ( # a\n 1 # b\n)\n",
        "network {\n if a { b } # one\n # two\n else { c } # three\n}\n",
        "block f( # a\n x, # b\n) { } # c\n",
        "network {\n a = f { # x\n g # y\n } from b, # z\n c\n}",
        "repeat_me: x\n# only a comment with nothing",
        "# only\n\n\n# comments",
        "network {\n label: repeat 2 { # c\n relu } # d\n}",
        "train {\n optimizer = sgd(lr = 0.1) # a\n | # b\n adam # c\n}",
        "network {\n ({ relu # a\n } | gelu # b\n )? # c\n}",
    ],
)
def test_no_comment_is_lost_and_printing_settles(text: str) -> None:
    if text.startswith("repeat_me"):
        text = f"network {{ {text}\n}}"
    again = printed(text)
    assert sorted(comments(again)) == sorted(comments(text))
    assert parse(again) == parse(text)
    assert print_file(parse(again)) == again


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("1e-3..1e-1 log", "1e-3..0.1 log"),
        ("0..20%", "0..20%"),
        ("5%..20", "5..20%"),
        ("1..4k", "1..4k"),
        ("1.5K", "1.5k"),
        ("0.00001", "1e-5"),
        ("100000.0", "1e5"),
        ("((1+2))*3", "(1 + 2) * 3"),
        ("-2^2", "-2^2"),
        ("(-2)^2", "(-2)^2"),
        ("not(a and b)or c", "not (a and b) or c"),
        ("(a|b)?", "(a | b)?"),
        ("a: (b: c)", "a: (b: c)"),
        ("(1..3) | 4", "1..3 | 4"),
        ("relu()", "relu()"),
        ('"a\\"b\\\\n"', '"a\\"b\\\\n"'),
    ],
)
def test_canonical_values(written: str, canonical: str) -> None:
    assert printed(f"let x = {written}") == f"let x = {canonical}\n"


def test_a_long_choice_with_bodies_stands_one_alternative_a_line_where_each_has_room() -> None:
    block = "{ relu; conv2d(width, kernel = 3); batch_norm }"
    text = printed(f"block b {{ op: identity | (three: {block}) | (four: {block}) }}")
    assert text.splitlines()[1:4] == [
        "    op: identity",
        f"        | (three: {block})",
        f"        | (four: {block})",
    ]
    assert printed(text) == text

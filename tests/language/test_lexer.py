"""Tokens: numbers and units, soft keywords, braces, and which newlines end a statement."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdsl.language.errors import Source, SpaceError
from nasdsl.language.lexer import HARD, MAX_FILE, SOFT, tokenize
from nasdsl.language.scanner import Token


def tokens(text: str) -> list[Token]:
    return tokenize(Source("a.space", text))[0]


def kinds(text: str) -> str:
    return " ".join(token.kind for token in tokens(text))


def texts(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


def code(text: str) -> tuple[str, int, int]:
    """The first problem and where it stands."""
    with pytest.raises(SpaceError) as caught:
        tokens(text)
    first = caught.value.diagnostics[0]
    return first.code, first.span.line, first.span.column


@pytest.mark.parametrize(
    "text", ["0", "64", "0.05", "1e-3", "2.5E+6", "1e3", "500k", "500K", "1.5M", "2G", "20%", "1e-3%"]
)
def test_a_number_is_one_token(text: str) -> None:
    assert kinds(text) == "NUMBER"


def test_a_range_does_not_swallow_its_dots() -> None:
    assert texts("1..4") == ["1", "..", "4"]
    assert texts("1e-3..1 log") == ["1e-3", "..", "1", "log"]
    assert texts("0..20%") == ["0", "..", "20%"]
    assert texts("a.b") == ["a", ".", "b"]


@pytest.mark.parametrize("text", ["12abc", "1_000", "0x10", "500kk", "1e", "3px"])
def test_what_is_glued_to_a_number_is_refused(text: str) -> None:
    assert code(f"let x = {text}") == ("bad-number", 1, 9)


@pytest.mark.parametrize("word", sorted(SOFT))
def test_a_soft_keyword_counts_right_after_an_operand_alone(word: str) -> None:
    for operand in ("x", "3", '"s"', "f(1)", "{ a }", "x?", "20%"):
        assert tokens(f"let y = {operand} {word}")[-1].kind == word.upper()
    for before in ("let y = ", "", "a\n", "a; ", "f(", "not ", "1 + ", "x: ", "a | ", "{ ", "[", "1.."):
        closing = {"f(": ")", "{ ": "}", "[": "]"}.get(before, "")
        found = [token for token in tokens(f"{before}{word}{closing}") if token.text == word]
        assert [token.kind for token in found] == ["NAME"]


@pytest.mark.parametrize("word", sorted(HARD))
def test_a_hard_word_is_a_name_before_an_equals_sign_in_a_call_alone(word: str) -> None:
    assert tokens(f"f({word} = 1)")[2].kind == "NAME"
    assert tokens(f"f(a, {word} = 1)")[4].kind == "NAME"
    assert tokens(f"let {word} = 1")[1].kind == word.upper()
    assert tokens(f"f({word} == 1)")[2].kind == word.upper()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", "NAME SEP NAME"),
        ("a;b", "NAME SEP NAME"),
        ("a\r\nb", "NAME SEP NAME"),
        ("a # c\nb", "NAME SEP NAME"),
        ("f(a\n,\nb\n)", "NAME ( NAME , NAME )"),
        ("f(\n{ a\nb }\n)", "NAME ( OPEN NAME SEP NAME } )"),
        ("a |\nb\n| c", "NAME | NAME | NAME"),
        ("a # why\n| b", "NAME | NAME"),
        ("a\n\n\n| b", "NAME | NAME"),
        ("let x =\n1", "LET NAME = NUMBER"),
        ("1 ..\n4", "NUMBER .. NUMBER"),
        ("1 +\n4", "NUMBER + NUMBER"),
        ("1\n+ 4", "NUMBER SEP + NUMBER"),
        ("a and\nb", "NAME AND NAME"),
        ("not\nb", "NOT NAME"),
        ("a = b from\nc", "NAME = NAME FROM NAME"),
        ("from\nc", "NAME SEP NAME"),
        ("a:\nb", "NAME : NAME"),
        ("a @\n2", "NAME @ NUMBER"),
        ("if a { b\n}\nelse { c }", "IF NAME OPEN NAME } ELSE OPEN NAME }"),
        ("a { b }\nc", "NAME CALL_OPEN NAME } SEP NAME"),
        ("a?\nb", "NAME ? SEP NAME"),
    ],
)
def test_a_newline_separates_only_where_it_ends_something(text: str, expected: str) -> None:
    assert kinds(text) == expected


def test_a_semicolon_always_separates() -> None:
    assert kinds("f(a;\nb)") == "NAME ( NAME SEP NAME )"
    assert kinds("a |; b") == "NAME | SEP NAME"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("residual { a }", "NAME CALL_OPEN NAME }"),
        ("f(1) { a }", "NAME ( NUMBER ) CALL_OPEN NAME }"),
        ("{ a }", "OPEN NAME }"),
        ("a | { b }", "NAME | OPEN NAME }"),
        ("repeat n { a }", "REPEAT NAME OPEN NAME }"),
        ("repeat f(n) { g { a } }", "REPEAT NAME ( NAME ) OPEN NAME CALL_OPEN NAME } }"),
        ("if n { f { a } } else { b }", "IF NAME OPEN NAME CALL_OPEN NAME } } ELSE OPEN NAME }"),
        ("repeat (f { a }) { b }", "REPEAT ( NAME CALL_OPEN NAME } ) OPEN NAME }"),
        ("pick 2 of { a }", "PICK NUMBER OF OPEN NAME }"),
    ],
)
def test_a_brace_belongs_to_the_call_on_its_left_unless_a_head_waits(text: str, expected: str) -> None:
    assert kinds(text) == expected


def test_a_number_of_a_sibling_in_a_path_is_no_comment() -> None:
    found, comments = tokenize(Source("", "start {\n network/conv#2/repeat#3[1]/let = 3 # why\n}"))
    assert [token.text for token in found if token.kind == "HASH"] == ["#2", "#3"]
    assert [comment.text for comment in comments] == ["# why"]
    assert [token.kind for token in found if token.text in ("network", "let")] == ["NAME", "NAME"]


def test_outside_start_a_hash_begins_a_comment_whatever_it_says() -> None:
    found, comments = tokenize(Source("", "a#2 = b\nstart { c = d#2 }\ne#3/f"))
    assert [token.text for token in found if token.kind == "HASH"] == ["#2"]
    assert [comment.text for comment in comments] == ["#2 = b", "#3/f"]


def test_comments_are_kept_apart_and_doc_comments_told() -> None:
    _, comments = tokenize(Source("", '## doc\nlet x = "# no" # yes  \n'))
    assert [(c.text, c.alone, c.is_doc) for c in comments] == [
        ("## doc", True, True),
        ("# yes", False, False),
    ]


def test_a_span_is_the_text_that_it_covers() -> None:
    text = "let ab = 1e-3..20%\r\n\tf(x)  # c\n"
    lines = text.split("\n")
    for token in tokens(text):
        span = token.span
        assert text[span.start : span.end] == token.text
        assert lines[span.line - 1][span.column - 1 :].startswith(token.text.strip("\n"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('let x = "abc', ("bad-text", 1, 9)),
        ('let x = "a\\qb"', ("bad-text", 1, 9)),
        ("let é = 1", ("bad-character", 1, 5)),
        ("let x = 1 % 2\nlet y = 5 $ 2", ("bad-character", 1, 11)),
        ("a\0b", ("bad-character", 1, 2)),
        ("a ‘b’", ("bad-character", 1, 3)),
        ("network { (a }", ("unbalanced", 1, 14)),
        ("network { a", ("unbalanced", 1, 9)),
        ("a )", ("unbalanced", 1, 3)),
    ],
)
def test_what_is_no_token_is_said_with_its_place(text: str, expected: tuple[str, int, int]) -> None:
    assert code(text) == expected


def test_a_file_above_the_limit_is_refused_by_its_size() -> None:
    with pytest.raises(SpaceError, match="4,000,000 bytes"):
        tokens("#" * (MAX_FILE + 1))
    assert tokens("#" * MAX_FILE) == []


def test_a_byte_order_mark_is_no_text() -> None:
    assert kinds("\ufeffspace x") == "SPACE NAME"


@given(st.text())
def test_any_text_gives_tokens_in_order_or_a_diagnosis(text: str) -> None:
    try:
        found = tokens(text)
    except SpaceError as error:
        assert error.diagnostics
        return
    assert all(a.span.end <= b.span.start for a, b in itertools.pairwise(found))

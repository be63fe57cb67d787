"""Trees at the nesting limit are read, printed and checked like any other."""

from __future__ import annotations

import sys

import pytest

from nasdsl.language import parser
from nasdsl.language import syntax as s
from nasdsl.language.depth import deep_recursion
from nasdsl.language.errors import SpaceError
from nasdsl.language.printer import print_file, print_value
from nasdsl.language.reading import parse

N = 190
HEAD = "task classification on digits\n"


def network(body: str) -> str:
    return f"{HEAD}network {{\nflatten\n{body}\nlinear(outputs)\n}}\n"


DEEPEST = {
    "bodies": network("residual { " * N + "relu" + " }" * N),
    "bodies on lines": network("residual {\n" * N + "relu # deep\n" + "}\n" * N),
    "blocks": network("{ " * N + "relu" + " }" * N),
    "alternatives": network("{ relu | " * N + "gelu" + " }" * N),
    "repeats": network("repeat 1 { " * N + "relu" + " }" * N),
    "conditions": network("if 2 > 1 { " * (N // 2) + "relu" + " }" * (N // 2)),
    "else if": network("if 2 > 1 { relu }" + " else if 2 > 1 { relu }" * (N // 2)),
    "calls": network("linear(" + "max(1, " * N + "1" + ")" * N + ")"),
    "choices": network("linear(" + "(1 | " * N + "1" + ")" * N + ")"),
    "negations": network("if " + "not " * (N // 2) + "2 > 1 { relu }"),
    "powers": network("linear(" + "1^" * N + "1)"),
    "sums": network("linear(" + "1 + " * N + "1)"),
    "optional": network("relu" + "?" * N),
}


@pytest.mark.parametrize("text", DEEPEST.values(), ids=DEEPEST)
def test_the_deepest_trees_are_printed_and_checked(text: str) -> None:
    printed = print_file(parser.parse(text))
    assert print_file(parser.parse(printed)) == printed
    assert parse(text).hash == parse(printed).hash


@pytest.mark.parametrize("text", DEEPEST.values(), ids=DEEPEST)
def test_the_limit_of_python_is_left_as_it_was(text: str) -> None:
    before = sys.getrecursionlimit()
    parse(text)
    assert sys.getrecursionlimit() == before


def test_a_tree_made_by_hand_may_be_deeper_than_python_allows() -> None:
    value: s.Value = s.Name("x")
    for _ in range(N):
        value = s.Call("f", (s.Argument("a", value),))
    assert print_value(value) == "f(a = " * N + "x" + ")" * N


def test_room_is_given_back_after_an_error() -> None:
    before = sys.getrecursionlimit()
    with pytest.raises(ValueError, match="told"), deep_recursion():
        assert sys.getrecursionlimit() > before
        raise ValueError("told")
    assert sys.getrecursionlimit() == before


def test_threads_that_leave_first_take_no_room_from_those_inside() -> None:
    before = sys.getrecursionlimit()
    first, second = deep_recursion(), deep_recursion()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert sys.getrecursionlimit() > before
    second.__exit__(None, None, None)
    assert sys.getrecursionlimit() == before


@pytest.mark.parametrize("opened", ["residual { ", "f(", "(1 | ", "not "])
def test_beyond_the_limit_there_is_one_message_that_names_it(opened: str) -> None:
    with pytest.raises(SpaceError) as caught:
        parser.parse(
            "let x = " + opened * 201 + "1" + {"{": " }", "(": ")"}.get(opened.strip()[-1], "") * 201
        )
    (problem,) = caught.value.diagnostics
    assert problem.code == "nesting-limit"
    assert "200" in problem.message

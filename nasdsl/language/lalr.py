"""Drives the LALR table of the grammar over the tokens of one item."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import Any, NamedTuple

from nasdsl.language.errors import Span
from nasdsl.language.reduce import REDUCE
from nasdsl.language.scanner import Token

TABLE = os.path.join(os.path.dirname(__file__), "grammar.json")  # pathlib takes longer than parsing


class Unexpected(Exception):
    """The token at `at` cannot stand there (the end, where `at` is the number of tokens);
    `expected` are the terminals that could."""

    def __init__(self, at: int, expected: frozenset[str]) -> None:
        super().__init__()
        self.at = at
        self.expected = expected


class _Rule(NamedTuple):
    """`kept` says of each symbol whether its value is dropped (0), kept (1) or spliced in (2);
    `nothing` where None stands for an optional part: one flag per child, set for None. A rule
    `is_passed_on` where its one symbol simply takes its place."""

    origin: str
    maker: str
    kept: list[int]
    passes_single: bool
    nothing: list[int]
    is_passed_on: bool


class _Table(NamedTuple):
    start: int
    end: int
    rules: list[_Rule]
    states: list[dict[str, list[int]]]


# What stands on the stack for one symbol: its value, and where it stands in the file.
_Piece = tuple[Any, Span]


@lru_cache(maxsize=1)
def _table() -> _Table:
    with open(TABLE, encoding="utf-8") as file:
        raw = json.load(file)
    return _Table(raw["start"], raw["end"], [_rule(*row) for row in raw["rules"]], raw["states"])


def _rule(name: str, alias: str, kept: list[int], expand: bool, nothing: list[int]) -> _Rule:
    single = expand and not alias
    passed_on = single and kept == [1] and not any(nothing)
    return _Rule(name, alias or name, kept, single, nothing or [0] * len(kept), passed_on)


def run(tokens: list[Token]) -> Any:
    """The node of one item. Raises Unexpected, and Refused where a rule's own maker objects."""
    table = _table()
    states: list[int] = [table.start]
    pieces: list[_Piece] = []
    end = Token("$END", "", _point(tokens[-1].span, at_end=True))
    for at, token in enumerate([*tokens, end]):
        while True:
            if token is end and states[-1] == table.end:
                return pieces[0][0]
            action = table.states[states[-1]].get(token.kind)
            if action is None:
                raise Unexpected(at, _acceptable(table, states))
            shifts, target = action[0] == 0, action[1]
            if shifts:
                break
            rule = table.rules[target]
            if rule.is_passed_on:  # most reductions, since an operand climbs through all operators
                states[-1] = table.states[states[-2]][rule.origin][1]
            else:
                _reduce(table, rule, states, pieces, token.span)
        states.append(target)
        pieces.append((token, token.span))
    raise AssertionError("the end of an item is either reached or unexpected")


def _acceptable(table: _Table, states: list[int]) -> frozenset[str]:
    """The terminals that can really follow. A state alone would also name those that only fit
    elsewhere: LALR merges states, and the difference shows once its rules are reduced."""
    return frozenset(kind for kind in table.states[states[-1]] if _accepts(table, states, kind))


def _accepts(table: _Table, states: list[int], kind: str) -> bool:
    stack = list(states)
    while stack[-1] != table.end:
        action = table.states[stack[-1]].get(kind)
        if action is None:
            return False
        if action[0] == 0:
            return True
        rule = table.rules[action[1]]
        del stack[len(stack) - len(rule.kept) :]
        stack.append(table.states[stack[-1]][rule.origin][1])
    return kind == "$END"


def _reduce(table: _Table, rule: _Rule, states: list[int], pieces: list[_Piece], ahead: Span) -> None:
    """Replace the symbols of a rule on the stack by its node."""
    count = len(rule.kept)
    taken = pieces[len(pieces) - count :]
    del pieces[len(pieces) - count :]
    del states[len(states) - count :]
    span = taken[0][1].to(taken[-1][1]) if taken else _point(ahead)
    children = _children(rule, taken)
    value: Any = children
    if rule.passes_single and len(children) == 1:
        value = children[0]
    elif rule.maker in REDUCE:
        value = REDUCE[rule.maker](children, span)
    states.append(table.states[states[-1]][rule.origin][1])
    pieces.append((value, span))


def _children(rule: _Rule, taken: list[_Piece]) -> list[Any]:
    children: list[Any] = []
    symbols = iter(zip(rule.kept, taken, strict=True))
    for is_nothing in rule.nothing:
        if is_nothing:
            children.append(None)
            continue
        kept, (value, _) = next(symbols)
        if kept == 1:
            children.append(value)
        elif kept == 2:
            children = [*children, *value] if children else value  # long lists grow in place
    return children


def _point(span: Span, at_end: bool = False) -> Span:
    """The empty stretch where a span begins, or ends."""
    if at_end:
        return Span(span.end, span.end, span.end_line, span.end_column, span.end_line, span.end_column)
    return Span(span.start, span.start, span.line, span.column, span.line, span.column)

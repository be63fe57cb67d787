"""Text -> syntax tree. Drives the LALR table of the grammar; `reduce.py` makes the nodes.

A file is parsed item by item, and what does not parse inside a body is left out statement by
statement, so that one run reports every problem and none of them causes another.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from nasdsl.language import syntax as s
from nasdsl.language.errors import Diagnostic, Source, SpaceError, Span
from nasdsl.language.lexer import HARD, Comment, Token, tokenize
from nasdsl.language.reduce import REDUCE, Refused
from nasdsl.language.suggest import did_you_mean

_MOST_PROBLEMS = 20  # of syntax in one item


class _Table(NamedTuple):
    start: int
    end: int
    rules: list[tuple[str, list[int], bool, list[int]]]
    states: list[dict[str, list[int]]]


@lru_cache(maxsize=1)
def _table() -> _Table:
    raw = json.loads((Path(__file__).parent / "grammar.json").read_text(encoding="utf-8"))
    rules = []
    for name, alias, kept, expand, nothing in raw["rules"]:
        rules.append((alias or name, kept, expand and not alias, nothing or [0] * len(kept)))
    return _Table(raw["start"], raw["end"], rules, raw["states"])


_ORIGINS: list[str] = []


class _Unexpected(Exception):
    """The token at `at` cannot stand there."""

    def __init__(self, at: int, expected: list[str]) -> None:
        super().__init__()
        self.at = at
        self.expected = expected


def parse(text: str, name: str = "inline.space") -> s.File:
    """The syntax tree of a file. Raises SpaceError with every syntax problem."""
    source = Source(name, text)
    tokens, comments = tokenize(source)
    problems: list[Diagnostic] = []
    items: list[Any] = []
    for part in _split(tokens):
        item = _item(source, part, problems)
        if item is not None:
            items.append(item)
    if problems:
        raise SpaceError(sorted(problems, key=lambda d: d.span.start))
    return _file(source, items, comments)


def _split(tokens: list[Token]) -> list[list[Token]]:
    """The tokens of each item: what stands between separators outside all brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.text in ("(", "[", "{") and token.kind != "STRING":
            depth += 1
        elif token.text in (")", "]", "}") and token.kind != "STRING":
            depth -= 1
        if token.kind == "SEP" and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _item(source: Source, tokens: list[Token], problems: list[Diagnostic]) -> Any:
    """Parse one item; after a problem, once more without the statement that holds it."""
    found = 0
    while found < _MOST_PROBLEMS:
        try:
            item = _run(tokens)
        except Refused as refused:
            problems.append(Diagnostic(refused.code, refused.message, refused.span, source, refused.help))
            return None
        except _Unexpected as unexpected:
            found += 1
            problems.append(_diagnose(source, tokens, unexpected))
            rest = _without_statement(tokens, unexpected.at)
            if rest is None:
                return None
            tokens = rest
            continue
        return None if found else item
    return None


def _without_statement(tokens: list[Token], at: int) -> list[Token] | None:
    """The tokens without the innermost statement around `at`; None where there is none."""
    depth, first = 0, min(at, len(tokens) - 1)
    if first == at and tokens[first].text == "}":
        first -= 1
    while first >= 0:
        text = tokens[first].text
        if text in (")", "]", "}"):
            depth += 1
        elif text in ("(", "[", "{"):
            if depth == 0 and text == "{":
                break
            depth -= depth > 0
        elif tokens[first].kind == "SEP" and depth == 0:
            break
        first -= 1
    if first < 0:
        return None
    depth, last = 0, first + 1
    while last < len(tokens):
        text = tokens[last].text
        if text in ("(", "[", "{"):
            depth += 1
        elif text in (")", "]", "}"):
            if depth == 0:
                break
            depth -= 1
        elif tokens[last].kind == "SEP" and depth == 0:
            break
        last += 1
    return tokens[: first + 1] + tokens[last:] if last > first + 1 else None


def _run(tokens: list[Token]) -> Any:
    """The LALR machine. Raises _Unexpected and Refused."""
    table = _table()
    states: list[int] = [table.start]
    values: list[tuple[Any, Span]] = []
    where = tokens[-1].span
    finish = Token(
        "$END",
        "",
        Span(where.end, where.end, where.end_line, where.end_column, where.end_line, where.end_column),
    )
    for at, token in enumerate([*tokens, finish]):
        while True:
            action = table.states[states[-1]].get(token.kind)
            if action is None:
                raise _Unexpected(at, list(table.states[states[-1]]))
            kind, target = action
            if kind == 0:
                states.append(target)
                values.append((token, token.span))
                break
            _reduce(table, target, states, values, token.span)
            if token is finish and states[-1] == table.end:
                return values[0][0]
        if token is finish:
            return values[0][0]
    return None


def _reduce(
    table: _Table, number: int, states: list[int], values: list[tuple[Any, Span]], ahead: Span
) -> None:
    name, kept, expand, nothing = table.rules[number]
    count = len(kept)
    taken = values[len(values) - count :] if count else []
    if count:
        del values[len(values) - count :]
        del states[len(states) - count :]
    children: list[Any] = []
    symbols = iter(range(count))
    for flag in nothing:
        if flag:
            children.append(None)
            continue
        symbol = next(symbols)
        if kept[symbol] == 1:
            children.append(taken[symbol][0])
        elif kept[symbol] == 2:
            children += taken[symbol][0]
    span = (
        taken[0][1].to(taken[-1][1])
        if count
        else Span(ahead.start, ahead.start, ahead.line, ahead.column, ahead.line, ahead.column)
    )
    if expand and len(children) == 1:
        value = children[0]
    elif name in REDUCE:
        value = REDUCE[name](children, span)
    else:
        value = children
    origin = _origin(number)
    states.append(table.states[states[-1]][origin][1])
    values.append((value, span))


@lru_cache(maxsize=None)
def _origin(number: int) -> str:
    raw = _raw_rules()
    return raw[number]


@lru_cache(maxsize=1)
def _raw_rules() -> list[str]:
    raw = json.loads((Path(__file__).parent / "grammar.json").read_text(encoding="utf-8"))
    return [row[0] for row in raw["rules"]]


# --- what went wrong ------------------------------------------------------------------------

_ITEMS = (
    "space",
    "import",
    "use",
    "task",
    "let",
    "block",
    "network",
    "train",
    "require",
    "maximize",
    "minimize",
    "start",
)
_STATEMENTS = frozenset({"LET", "IF", "REPEAT"})
_VALUES = frozenset({"NUMBER", "STRING", "("})
_OPERATORS = frozenset({"+", "-", "*", "/", "//", "^", "COMPARE", "AND", "OR", "?", ".", "..", "@", "|"})


def _diagnose(source: Source, tokens: list[Token], unexpected: _Unexpected) -> Diagnostic:
    at = min(unexpected.at, len(tokens) - 1)
    token = tokens[at]
    if unexpected.at == 0:
        return _no_item(source, token)
    words = _expected(set(unexpected.expected))
    if unexpected.at >= len(tokens):
        last = token.span
        span = Span(
            last.end, last.end + 1, last.end_line, last.end_column, last.end_line, last.end_column + 1
        )
        message = f"this ends too early: {words} is expected after `{token.text}`"
        return Diagnostic("unexpected-end", message, span, source)
    if token.text in HARD and "NAME" in unexpected.expected and not _starts(unexpected.expected, token):
        message = f"`{token.text}` is a reserved word, and cannot be a name"
        return Diagnostic("reserved-word", message, token.span, source, ("choose another name",))
    shown = "the end of the line" if token.kind == "SEP" else f"`{token.text}`"
    help = _help(tokens, at)
    return Diagnostic(
        "unexpected", f"{shown} cannot stand here; {words} is expected", token.span, source, help
    )


def _starts(expected: list[str], token: Token) -> bool:
    return token.kind in expected


def _no_item(source: Source, token: Token) -> Diagnostic:
    known = ", ".join(f"`{word}`" for word in _ITEMS)
    help = did_you_mean(token.text, _ITEMS)
    message = f"`{token.text}` starts nothing that a file can hold"
    return Diagnostic(
        "unexpected", message, token.span, source, (help,) if help else (f"a file holds {known}",)
    )


def _expected(kinds: set[str]) -> str:
    words = []
    if kinds & _STATEMENTS:
        words.append("a statement")
    elif kinds & _VALUES:
        words.append("a value")
    elif "NAME" in kinds:
        words.append("a name")
    closing = [
        f"`{text}`"
        for text in ("=", "{", ")", "]", "}", ",")
        if text in kinds or (text == "{" and kinds & {"OPEN", "CALL_OPEN"})
    ]
    words += closing
    if kinds & {"SEP", "$END"}:
        words.append("the end of the line")
    if "IN" in kinds:
        words.append("`in`")
    if "OF" in kinds:
        words.append("`of`")
    if "STRING" in kinds and not kinds & {"NUMBER"}:
        words = ['a text in quotes "…"']
    if not words and kinds & _OPERATORS:
        words.append("an operator")
    return _listed(words) if words else "something else"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _help(tokens: list[Token], at: int) -> tuple[str, ...]:
    token, before = tokens[at], tokens[at - 1]
    if token.text == "{" and before.text in ("?", ")"):
        return ("a body belongs to the call on its left: `name(…) { … }`",)
    if token.kind == "NAME" and before.kind == "NAME":
        near = did_you_mean(before.text, HARD)
        return (near,) if near else ("two statements on one line need a `;` between them",)
    if token.text == "=" and before.kind == "NAME":
        return (f"write `let {before.text} = …` to name a value",)
    if token.text == "|":
        return ("put an alternative on both sides of `|`",)
    return ()


# --- the file -------------------------------------------------------------------------------


def _file(source: Source, items: list[Any], comments: list[Comment]) -> s.File:
    names = [item for item in items if isinstance(item, _SPACE)]
    if len(names) > 1:
        message = "a file names its space once"
        raise SpaceError([Diagnostic("duplicate-part", message, names[1].span, source)])
    kept = tuple(_documented(item, source, comments) for item in items if not isinstance(item, _SPACE))
    first = items[0].span.start if items else len(source.text)
    doc = "\n".join(c.text[2:].strip() for c in comments if c.is_doc and c.alone and c.span.end <= first)
    if items and isinstance(items[0], s.BlockDefinition):
        doc = ""
    end = len(source.text)
    whole = Span(0, end, 1, 1, source.text.count("\n") + 1, 1)
    return s.File(names[0].id if names else None, kept, doc, source, span=whole)


_SPACE = s.Name  # `space NAME` is reduced to the name


def _documented(item: Any, source: Source, comments: list[Comment]) -> Any:
    """A block with the doc comments right above it."""
    if not isinstance(item, s.BlockDefinition):
        return item
    by_line = {c.span.line: c for c in comments if c.is_doc and c.alone}
    lines: list[str] = []
    line = item.span.line - 1
    while line in by_line:
        lines.append(by_line[line].text[2:].strip())
        line -= 1
    return s.BlockDefinition(
        item.name, item.parameters, item.body, "\n".join(reversed(lines)), span=item.span
    )

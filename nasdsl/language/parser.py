"""Text -> syntax tree.

A file is parsed item by item, and what does not parse inside a body is left out statement by
statement, so that one run reports every problem and none of them causes another.
"""

from __future__ import annotations

from typing import Any

from nasdsl.language import syntax as s
from nasdsl.language.diagnosing import diagnose
from nasdsl.language.errors import NOWHERE, Diagnostic, Source, SpaceError, Span
from nasdsl.language.lalr import Unexpected, run
from nasdsl.language.lexer import tokenize
from nasdsl.language.reduce import Refused
from nasdsl.language.scanner import Comment, Token

_MOST_PROBLEMS = 20  # of syntax in one item
_MOST_IN_FILE = 100
_OPENS = frozenset("([{")
_CLOSES = frozenset(")]}")


def parse(text: str, name: str = "inline.space") -> s.File:
    """The syntax tree of a file. Raises SpaceError with every syntax problem."""
    file, problems = recover(text, name)
    if problems:
        raise SpaceError(problems)
    return file


def recover(text: str, name: str = "inline.space") -> tuple[s.File, list[Diagnostic]]:
    """What of a file does parse, and its problems by place. Raises SpaceError where there are no
    tokens to go by: brackets that do not match, letters that are no part of the language."""
    source = Source(name, text)
    tokens, comments = tokenize(source)
    problems: list[Diagnostic] = []
    items: list[Any] = []
    item: Any = None
    for part in _split(tokens):
        if part[0].text == "{" and item is None and problems:
            continue  # the body of an item whose head has been reported
        item = _item(source, part, problems)
        if item is not None:
            items.append(item)
        if len(problems) >= _MOST_IN_FILE:
            break
    names = [item for item in items if isinstance(item, s.Name)]  # of `space NAME`
    problems += [
        Diagnostic(
            "duplicate-part", "a file names its space once", extra.span, source, ("leave this line out",)
        )
        for extra in names[1:]
    ]
    found = sorted(problems, key=lambda d: d.span.start)[:_MOST_IN_FILE]
    return _file(source, items, comments), found


def expected_behind(tokens: list[Token]) -> frozenset[str]:
    """The terminals that can stand behind the tokens of an unfinished text; earlier statements that
    do not parse are passed over."""
    rest = _last_item(tokens)
    while True:
        beyond = Token("", "", rest[-1].span if rest else NOWHERE)  # of no kind, so it stands nowhere
        try:
            run([*rest, beyond])
        except Unexpected as unexpected:
            at = unexpected.at
            if at == len(rest):
                return unexpected.expected
        except Refused as refused:
            at = _at(rest, refused.span)
        shorter = _without_statement(rest, at)
        if shorter is None or len(shorter) == len(rest):
            return frozenset()
        rest = shorter


def _last_item(tokens: list[Token]) -> list[Token]:
    depth, begin = 0, 0
    for number, token in enumerate(tokens):
        depth += (token.text in _OPENS) - (token.text in _CLOSES)
        if token.kind == "SEP" and depth == 0:
            begin = number + 1
    return tokens[begin:]


def _split(tokens: list[Token]) -> list[list[Token]]:
    """The tokens of each item: what stands between separators outside all brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text in _OPENS) - (token.text in _CLOSES)
        if token.kind == "SEP" and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _item(source: Source, tokens: list[Token], problems: list[Diagnostic]) -> Any:
    """Parse one item; after a problem, once more without the statement that holds it. None where
    its own head does not parse."""
    before = len(problems)
    rest: list[Token] | None = tokens
    while rest is not None and len(problems) < before + _MOST_PROBLEMS:
        try:
            item = run(rest)
        except Refused as refused:
            problems.append(Diagnostic(refused.code, refused.message, refused.span, source, refused.help))
            rest = _without_statement(rest, _at(rest, refused.span))
        except Unexpected as unexpected:
            problems.append(diagnose(source, rest, unexpected))
            rest = _without_statement(rest, unexpected.at)
        else:
            return item
    return None


def _at(tokens: list[Token], span: Span) -> int:
    """The number of the token where a span begins."""
    return next(at for at, token in enumerate(tokens) if token.span.start >= span.start)


def _without_statement(tokens: list[Token], at: int) -> list[Token] | None:
    """The tokens without the innermost statement around `at`; None where it stands in no body."""
    first = _statement_start(tokens, at)
    if first is None:
        return None
    last = _statement_end(tokens, first)
    return tokens[:first] + tokens[last:] if last > first else None


def _statement_start(tokens: list[Token], at: int) -> int | None:
    """The first token of the statement around `at`; None where it stands in no body."""
    starts: list[int | None] = []  # of each open bracket: where its present statement began
    for number, token in enumerate(tokens[:at]):
        if token.text in _OPENS:
            starts.append(number + 1 if token.text == "{" else None)
        elif token.text in _CLOSES:
            starts.pop()
        elif token.kind == "SEP" and starts and starts[-1] is not None:
            starts[-1] = number + 1
    return next((start for start in reversed(starts) if start is not None), None)


def _statement_end(tokens: list[Token], first: int) -> int:
    """Where the statement that begins at `first` ends (exclusive)."""
    depth, last = 0, first
    while last < len(tokens):
        text = tokens[last].text
        if text in _OPENS:
            depth += 1
        elif text in _CLOSES:
            if not depth:
                break
            depth -= 1
        elif tokens[last].kind == "SEP" and not depth:
            break
        last += 1
    return last


# --- the file -------------------------------------------------------------------------------


def _file(source: Source, items: list[Any], comments: list[Comment]) -> s.File:
    docs = {c.span.line: c for c in comments if c.is_doc and c.alone}
    names = [item.id for item in items if isinstance(item, s.Name)]
    kept = tuple(_documented(item, docs) for item in items if not isinstance(item, s.Name))
    return s.File(names[0] if names else None, kept, _doc(items, docs), source, span=_whole(source))


def _whole(source: Source) -> Span:
    text = source.text
    return Span(0, len(text), 1, 1, text.count("\n") + 1, len(text) - text.rfind("\n"))


def _doc(items: list[Any], docs: dict[int, Comment]) -> str:
    """The doc comments above the first item; right above a block they belong to the block."""
    above = {line: c for line, c in docs.items() if not items or line < items[0].span.line}
    if items and isinstance(items[0], s.BlockDefinition):
        line = items[0].span.line - 1
        while line in above:
            del above[line]
            line -= 1
    return "\n".join(comment.text[2:].strip() for comment in above.values())


def _documented(item: Any, docs: dict[int, Comment]) -> Any:
    """A block with the doc comments right above it."""
    if not isinstance(item, s.BlockDefinition):
        return item
    lines: list[str] = []
    line = item.span.line - 1
    while line in docs:
        lines.append(docs[line].text[2:].strip())
        line -= 1
    return s.BlockDefinition(
        item.name, item.parameters, item.body, "\n".join(reversed(lines)), span=item.span
    )

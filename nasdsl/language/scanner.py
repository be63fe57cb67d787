"""Text -> raw tokens, each told by its letters alone, and whether the brackets match."""

from __future__ import annotations

import re
from typing import NamedTuple

from nasdsl.language.errors import Diagnostic, Source, Span
from nasdsl.language.habits import CHARACTERS

OPENS = frozenset({"(", "[", "{"})
CLOSES = {")": "(", "]": "[", "}": "{"}
MAX_NESTING = 200
FLATTER = "put the inner part into a `block` or a `let`, and use it by its name"
MAX_TOKENS = 50_000  # words, numbers, signs, comments and newlines: about 2 s to check
_MOST_PROBLEMS = 100  # reported of one file

_TOKEN = re.compile(
    r"""
      (?P<SPACE>[ \t\r\f\ufeff]+)
    | (?P<NEWLINE>\n(?:[ \t\r\f]*\n)*)
    | (?P<HASH>(?<=\w)\#\d+(?!\w))
    | (?P<COMMENT>\#[^\n]*)
    | (?P<NUMBER>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[kKMG%]?)
    | (?P<STRING>"(?:[^"\\\n]|\\["\\nt])*")
    | (?P<NAME>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<OP>\.\.|//|==|!=|<=|>=|[-+*/^<>=|?@:,.;(){}\[\]])
    """,
    re.VERBOSE | re.ASCII,
)


class Token(NamedTuple):
    """`kind` is a terminal of the grammar; `text` is what stands in the file."""

    kind: str
    text: str
    span: Span


class Comment(NamedTuple):
    """`text` with its hashes; `alone` where nothing stands before it on its line."""

    text: str
    span: Span
    alone: bool

    @property
    def is_doc(self) -> bool:
        return self.text.startswith("##")


def problem(source: Source, code: str, message: str, span: Span | None = None, *help: str) -> Diagnostic:
    return Diagnostic(code, message, span or Span(0, 0, 1, 1, 1, 1), source, help)


_COMMENT = re.compile(r"(?P<COMMENT>#[^\n]*)")


class _Place:
    """Whether the text is inside `start { }`, where `conv#2` names a sibling and hides no comment."""

    def __init__(self) -> None:
        self._depth = 0
        self._head = ""  # the last word outside all brackets

    def move(self, token: Token) -> None:
        if token.kind == "NAME" and not self._depth:
            self._head = token.text
        self._depth += (token.text in OPENS) - (token.text in CLOSES)

    @property
    def in_start(self) -> bool:
        return self._depth > 0 and self._head == "start"


def scan(source: Source) -> tuple[list[Token], list[Comment], list[Diagnostic]]:
    """All of a file, but no more than one token above the limit."""
    text, at, line, line_start = source.text, 0, 1, 0
    tokens: list[Token] = []
    comments: list[Comment] = []
    problems: list[Diagnostic] = []
    place = _Place()
    while at < len(text) and len(tokens) + len(comments) <= MAX_TOKENS:
        match = _TOKEN.match(text, at)
        if match and match.lastgroup == "HASH" and not place.in_start:
            match = _COMMENT.match(text, at)
        end = match.end() if match else at + 1
        span = Span(at, end, line, at - line_start + 1, line, end - line_start + 1)
        kind = match.lastgroup if match else None
        if kind is None:
            problems.append(_strange(source, text[at], span))
            end = problems[-1].span.end
            if len(problems) == _MOST_PROBLEMS:
                break
        elif kind == "NEWLINE":
            tokens.append(Token("NEWLINE", "\n", span))
            line, line_start = line + text.count("\n", at, end), end
        elif kind == "COMMENT":
            alone = not tokens or tokens[-1].kind == "NEWLINE"
            comments.append(Comment(text[at:end].rstrip(), span, alone))
        elif kind != "SPACE":
            tokens.append(Token(kind, text[at:end], span))
            place.move(tokens[-1])
            problems += _glued(source, tokens)
        at = end
    return tokens, comments, problems


def _strange(source: Source, character: str, span: Span) -> Diagnostic:
    text = source.text
    if character == '"':
        end = text.find("\n", span.start)
        stop = len(text) if end < 0 else end
        wide = Span(span.start, stop, span.line, span.column, span.line, span.column + stop - span.start)
        message = "this text has no closing quote on its line, or a `\\` before an unknown letter"
        help = 'close it with `"` where it ends; a backslash is written `\\\\`'
        return problem(source, "bad-text", message, wide, help)
    end = span.end  # several of them in a row are one problem
    while end < len(text) and text[end] not in '"\n' and not _TOKEN.match(text, end):
        end += 1
    wide = Span(span.start, end, span.line, span.column, span.line, span.column + end - span.start)
    shown = "".join(ch if ch.isprintable() else f"U+{ord(ch):04X}" for ch in text[span.start : end][:20])
    message = f"`{shown}` is no part of the language"
    help = CHARACTERS.get(character, "names are letters a-z, digits and `_`")
    return problem(source, "bad-character", message, wide, help)


def _glued(source: Source, tokens: list[Token]) -> list[Diagnostic]:
    """`12abc` is neither a number nor a name."""
    if len(tokens) < 2 or tokens[-1].kind not in ("NAME", "NUMBER") or tokens[-2].kind != "NUMBER":
        return []
    before, after = tokens[-2], tokens[-1]
    if before.span.end != after.span.start:
        return []
    help = "units are k, M, G and %; put a space where two things are meant"
    message = f"`{before.text}{after.text}` is not a number"
    return [problem(source, "bad-number", message, before.span.to(after.span), help)]


def check_brackets(source: Source, tokens: list[Token], is_cut: bool = False) -> list[Diagnostic]:
    """The first bracket that does not match. `is_cut`: what is open at the end may be closed further on."""
    opened: list[Token] = []
    for token in tokens:
        if token.kind != "OP":
            continue
        if token.text in OPENS:
            opened.append(token)
            if len(opened) > MAX_NESTING:
                message = f"brackets are nested deeper than the limit of {MAX_NESTING}"
                return [problem(source, "nesting-limit", message, token.span, FLATTER)]
        elif token.text in CLOSES:
            if not opened:
                return [
                    problem(
                        source,
                        "unbalanced",
                        f"nothing is open that `{token.text}` could close",
                        token.span,
                        "leave it out, or open it before",
                    )
                ]
            if opened[-1].text != CLOSES[token.text]:
                where = f"`{opened[-1].text}` was opened on line {opened[-1].span.line}"
                message = f"`{token.text}` does not close `{opened[-1].text}`"
                return [problem(source, "unbalanced", message, token.span, where)]
            opened.pop()
    if opened and not is_cut:
        closing = next(one for one, opening in CLOSES.items() if opening == opened[-1].text)
        return [
            problem(
                source,
                "unbalanced",
                f"`{opened[-1].text}` is never closed",
                opened[-1].span,
                f"close it with `{closing}`",
            )
        ]
    return []

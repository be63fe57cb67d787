"""Text -> tokens: numbers with units, soft keywords, and newlines only where they end something.

The parser sees plain tokens; all that depends on neighbours is settled here:
- a newline (or `;`) is a SEP where it ends a statement, and nothing elsewhere;
- a word like `log` is a keyword only right after an operand, a name anywhere else;
- `{` is CALL_OPEN where it is the body of the call on its left, OPEN elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nasdsl.language.errors import Diagnostic, Source, Span, SpaceError

HARD = frozenset(
    "space import use let block network train task require maximize minimize start if else repeat"
    " permute pick and or not".split()
)
SOFT = frozenset("log step in of on from tied shared except online unused".split())
MAX_NESTING = 200
MAX_FILE = 4_000_000

_TOKEN = re.compile(
    r"""
      (?P<SPACE>[ \t\r\f\ufeff]+)
    | (?P<NEWLINE>\n)
    | (?P<HASH>(?<=\w)\#\d+(?=[ \t]*[/=\[]))
    | (?P<COMMENT>\#[^\n]*)
    | (?P<NUMBER>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[kKMG%]?)
    | (?P<STRING>"(?:[^"\\\n]|\\["\\nt])*")
    | (?P<NAME>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<OP>\.\.|//|==|!=|<=|>=|[-+*/^<>=|?@:,.;(){}\[\]])
    """,
    re.VERBOSE,
)
_COMPARISONS = frozenset("== != < <= > >=".split())
_OPERATORS = frozenset("+ - * / // ^ == != < <= > >=".split())
_JOINS_AFTER = _OPERATORS | set("{ , | = : .. @ and or not in of on from".split())
_JOINS_BEFORE = frozenset("} ) ] | else".split())
_CLOSES = {")": "(", "]": "[", "}": "{"}
_CONSTRUCTS = frozenset({"if", "repeat", "pick"})


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is a terminal of the grammar; `text` is what stands in the file."""

    kind: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Comment:
    """`text` with its hashes; `alone` where nothing stands before it on its line."""

    text: str
    span: Span
    alone: bool

    @property
    def is_doc(self) -> bool:
        return self.text.startswith("##")


def tokenize(source: Source) -> tuple[list[Token], list[Comment]]:
    """All tokens and comments of a file. Raises SpaceError with every problem at this level."""
    if len(source.text.encode("utf-8", "surrogatepass")) > MAX_FILE:
        raise SpaceError(
            [_problem(source, "file-limit", f"the file is above the limit of {MAX_FILE:,} bytes")]
        )
    raw, comments, problems = _scan(source)
    problems += _check_brackets(source, raw)
    problems = problems or _check_chains(source, raw)
    if problems:
        raise SpaceError(sorted(problems, key=lambda d: d.span.start))
    return _settle(raw), comments


def _problem(source: Source, code: str, message: str, span: Span | None = None, *help: str) -> Diagnostic:
    return Diagnostic(code, message, span or Span(0, 0, 1, 1, 1, 1), source, help)


def _scan(source: Source) -> tuple[list[Token], list[Comment], list[Diagnostic]]:
    text, at, line, line_start = source.text, 0, 1, 0
    tokens: list[Token] = []
    comments: list[Comment] = []
    problems: list[Diagnostic] = []
    while at < len(text):
        match = _TOKEN.match(text, at)
        end = match.end() if match else at + 1
        span = Span(at, end, line, at - line_start + 1, line, end - line_start + 1)
        kind = match.lastgroup if match else None
        if kind is None:
            if not (problems and problems[-1].span.end == at):
                problems.append(_strange(source, text[at], span))
        elif kind == "NEWLINE":
            tokens.append(Token("NEWLINE", "\n", span))
            line, line_start = line + 1, end
        elif kind == "COMMENT":
            alone = not tokens or tokens[-1].kind == "NEWLINE"
            comments.append(Comment(text[at:end].rstrip(), span, alone))
        elif kind != "SPACE":
            tokens.append(Token(kind, text[at:end], span))
            problems += _glued(source, tokens)
        at = end
    return tokens, comments, problems


def _strange(source: Source, character: str, span: Span) -> Diagnostic:
    if character == '"':
        end = source.text.find("\n", span.start)
        stop = len(source.text) if end < 0 else end
        wide = Span(span.start, stop, span.line, span.column, span.line, span.column + stop - span.start)
        message = "this text has no closing quote on its line, or a `\\` before an unknown letter"
        return _problem(source, "bad-text", message, wide)
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    message = f"`{shown}` is no part of the language"
    return _problem(source, "bad-character", message, span, "names are letters a-z, digits and `_`")


def _glued(source: Source, tokens: list[Token]) -> list[Diagnostic]:
    """`12abc` is neither a number nor a name."""
    if len(tokens) < 2 or tokens[-1].kind not in ("NAME", "NUMBER") or tokens[-2].kind != "NUMBER":
        return []
    before, after = tokens[-2], tokens[-1]
    if before.span.end != after.span.start:
        return []
    help = "units are k, M, G and %; put a space where two things are meant"
    message = f"`{before.text}{after.text}` is not a number"
    return [_problem(source, "bad-number", message, before.span.to(after.span), help)]


def _check_brackets(source: Source, tokens: list[Token]) -> list[Diagnostic]:
    opened: list[Token] = []
    for token in tokens:
        if token.kind != "OP":
            continue
        if token.text in "({[":
            opened.append(token)
            if len(opened) > MAX_NESTING:
                message = f"brackets are nested deeper than the limit of {MAX_NESTING}"
                return [_problem(source, "nesting-limit", message, token.span)]
        elif token.text in _CLOSES:
            if not opened:
                return [
                    _problem(
                        source, "unbalanced", f"nothing is open that `{token.text}` could close", token.span
                    )
                ]
            if opened[-1].text != _CLOSES[token.text]:
                where = f"`{opened[-1].text}` was opened on line {opened[-1].span.line}"
                message = f"`{token.text}` does not close `{opened[-1].text}`"
                return [_problem(source, "unbalanced", message, token.span, where)]
            opened.pop()
    if opened:
        return [_problem(source, "unbalanced", f"`{opened[-1].text}` is never closed", opened[-1].span)]
    return []


def _check_chains(source: Source, tokens: list[Token]) -> list[Diagnostic]:
    """Long chains nest as brackets do: `not not …`, `a ^ b ^ …`, `else if …`."""
    counts = [0]
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.kind == "OP" and token.text in "({[":
            counts.append(0)
        elif token.kind == "OP" and token.text in _CLOSES:
            counts.pop()
        elif token.kind == "OP" and token.text in (",", "|", "="):
            counts[-1] = 0
        elif token.kind == "NEWLINE" or token.text == ";":
            counts[-1] = counts[-1] if before is not None and before.text == "}" else 0
        elif token.text in _OPERATORS or token.text in ("and", "or", "not", "?", ".", "else", ":", "@"):
            counts[-1] += 1
        if counts[-1] > MAX_NESTING:
            message = f"an expression is nested deeper than the limit of {MAX_NESTING}"
            return [_problem(source, "nesting-limit", message, token.span)]
    return []


def _settle(raw: list[Token]) -> list[Token]:
    """Decide newlines, keywords and braces by their neighbours."""
    settled: list[Token] = []
    opened: list[str] = []
    constructs: list[int] = []  # depths at which an `if`, `repeat` or `pick` waits for its body
    for at, token in enumerate(raw):
        if token.kind == "NEWLINE":
            if _ends(raw, at, settled, opened):
                _separate(settled, token, constructs, opened)
            continue
        if token.text == ";":
            _separate(settled, token, constructs, opened)
            continue
        kind = _kind(raw, at, settled, opened, constructs)
        if token.kind == "OP" and token.text in "({[":
            opened.append(token.text)
        elif token.kind == "OP" and token.text in _CLOSES:
            opened.pop()
        if kind in _CONSTRUCT_KINDS:
            constructs.append(len(opened))
        settled.append(Token(kind, token.text, token.span))
    return settled


_CONSTRUCT_KINDS = frozenset(word.upper() for word in _CONSTRUCTS)


def _separate(settled: list[Token], token: Token, constructs: list[int], opened: list[str]) -> None:
    while constructs and constructs[-1] >= len(opened):
        constructs.pop()
    settled.append(Token("SEP", token.text, token.span))


def _ends(raw: list[Token], at: int, settled: list[Token], opened: list[str]) -> bool:
    """Whether the newline at `at` ends a statement."""
    if opened and opened[-1] in "([":
        return False
    if not settled or (settled[-1].kind != "NAME" and settled[-1].text in _JOINS_AFTER):
        return False
    following = next((t for t in raw[at + 1 :] if t.kind != "NEWLINE"), None)
    return following is None or following.text not in _JOINS_BEFORE


_OPERAND_KINDS = frozenset({"NAME", "NUMBER", "STRING"})
_OPERAND_TEXTS = frozenset({")", "]", "}", "?"})


def _kind(raw: list[Token], at: int, settled: list[Token], opened: list[str], constructs: list[int]) -> str:
    token = raw[at]
    before = settled[-1] if settled else None
    if token.kind == "OP":
        if token.text in _COMPARISONS:
            return "COMPARE"
        return _open_kind(before, opened, constructs) if token.text == "{" else token.text
    if token.kind != "NAME":
        return token.kind
    if opened and opened[-1] == "(" and at + 1 < len(raw) and raw[at + 1].text == "=":
        return "NAME"  # any word may be the name of an argument
    if token.text in HARD:
        return token.text.upper()
    after_operand = before is not None and (
        before.kind in _OPERAND_KINDS or before.text in _OPERAND_TEXTS or before.kind in _RANGE_WORDS
    )
    return token.text.upper() if token.text in SOFT and after_operand else "NAME"


_RANGE_WORDS = frozenset({"LOG"})  # `1..8 log online`


def _open_kind(before: Token | None, opened: list[str], constructs: list[int]) -> str:
    if constructs and constructs[-1] == len(opened):
        constructs.pop()
        return "OPEN"
    if before is not None and (before.kind == "NAME" or before.text == ")"):
        return "CALL_OPEN"
    return "OPEN"

"""Text -> tokens: numbers with units, soft keywords, and newlines only where they end something.

The parser sees plain tokens; all that depends on neighbours is settled here:
- a newline (or `;`) is a SEP where it ends a statement, and nothing elsewhere;
- a word like `log` is a keyword only right after an operand, a name anywhere else;
- `{` is CALL_OPEN where it is the body of the call on its left, OPEN elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nasdsl.language.errors import Diagnostic, Source, SpaceError, Span

HARD = frozenset(
    ["space", "import", "use", "let", "block", "network", "train", "task", "require", "maximize", "minimize", "start", "if", "else", "repeat", "permute", "pick", "and", "or", "not"]
)
HARD_KINDS = frozenset(word.upper() for word in HARD)
SOFT = frozenset(["log", "step", "in", "of", "on", "from", "tied", "shared", "except", "online", "unused"])
MAX_NESTING = 200
_MOST_PROBLEMS = 100  # reported of one file
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
_COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">="])
_OPERATORS = frozenset(["+", "-", "*", "/", "//", "^", "==", "!=", "<", "<=", ">", ">="])
_JOINS_AFTER = _OPERATORS | set(["{", ",", "|", "=", ":", "..", "@", "and", "or", "not", "in", "of", "on", "from"])
_JOINS_BEFORE = frozenset(["}", ")", "]", "|", "else"])
_CLOSES = {")": "(", "]": "[", "}": "{"}
_OPENS = frozenset({"(", "[", "{"})


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
            problem = _strange(source, text[at], span)
            end = problem.span.end
            problems.append(problem)
            if len(problems) == _MOST_PROBLEMS:
                break
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
    text = source.text
    if character == '"':
        end = text.find("\n", span.start)
        stop = len(text) if end < 0 else end
        wide = Span(span.start, stop, span.line, span.column, span.line, span.column + stop - span.start)
        message = "this text has no closing quote on its line, or a `\\` before an unknown letter"
        return _problem(source, "bad-text", message, wide)
    end = span.end  # several of them in a row are one problem
    while end < len(text) and text[end] not in '"\n' and not _TOKEN.match(text, end):
        end += 1
    wide = Span(span.start, end, span.line, span.column, span.line, span.column + end - span.start)
    shown = "".join(ch if ch.isprintable() else f"U+{ord(ch):04X}" for ch in text[span.start : end][:20])
    message = f"`{shown}` is no part of the language"
    return _problem(source, "bad-character", message, wide, "names are letters a-z, digits and `_`")


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
        if token.text in _OPENS:
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
        if token.kind == "OP" and token.text in _OPENS:
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


# --- what depends on neighbours -------------------------------------------------------------

_BODY_WAITS = frozenset({"IF", "REPEAT", "PICK"})
_OPERAND_KINDS = frozenset({"NAME", "NUMBER", "STRING", "LOG"})  # `1..8 log online`
_OPERAND_TEXTS = frozenset({")", "]", "}", "?"})


def _settle(raw: list[Token]) -> list[Token]:
    """Decide newlines, keywords and braces by their neighbours."""
    settler = _Settler()
    words = [token for token in raw if token.kind != "NEWLINE"]
    number = 0  # of the next word
    for token in raw:
        following = words[number] if number < len(words) else None
        if token.kind == "NEWLINE":
            settler.newline(token, following)
            continue
        number += 1
        after = words[number] if number < len(words) else None
        settler.word(token, after)
    return settler.settled


class _Settler:
    """The tokens so far, the open brackets, and the heads that still wait for their body."""

    def __init__(self) -> None:
        self.settled: list[Token] = []
        self._opened: list[str] = []
        self._waiting: list[int] = []  # depths at which an `if`, `repeat` or `pick` has no body yet
        self._in_start = False

    def newline(self, token: Token, following: Token | None) -> None:
        """A newline is a SEP where it ends a statement."""
        if self._opened and self._opened[-1] in "([":
            return
        before = self.settled[-1] if self.settled else None
        if before is None or before.kind == "SEP":
            return
        if before.kind != "NAME" and before.text in _JOINS_AFTER:
            return
        if following is None or following.text not in _JOINS_BEFORE:
            self._separate(token)

    def word(self, token: Token, after: Token | None) -> None:
        """Any other token."""
        if token.text == ";":
            self._separate(token)
            return
        kind = self._kind(token, after)
        if token.text in _OPENS:
            self._opened.append(token.text)
        elif token.text in _CLOSES:
            self._opened.pop()
        elif kind in _BODY_WAITS:
            self._waiting.append(len(self._opened))
        if not self._opened and kind in HARD_KINDS:
            self._in_start = kind == "START"
        self.settled.append(Token(kind, token.text, token.span))

    def _separate(self, token: Token) -> None:
        while self._waiting and self._waiting[-1] >= len(self._opened):
            self._waiting.pop()
        self.settled.append(Token("SEP", token.text, token.span))

    def _kind(self, token: Token, after: Token | None) -> str:
        if token.kind == "OP":
            if token.text in _COMPARISONS:
                return "COMPARE"
            return self._brace() if token.text == "{" else token.text
        if token.kind != "NAME":
            return token.kind
        if self._is_plain_name(after):
            return "NAME"
        if token.text in HARD:
            return token.text.upper()
        before = self.settled[-1] if self.settled else None
        follows = before is not None and (before.kind in _OPERAND_KINDS or before.text in _OPERAND_TEXTS)
        return token.text.upper() if token.text in SOFT and follows else "NAME"

    def _is_plain_name(self, after: Token | None) -> bool:
        """Any word may be the name of an argument, and a part of a path in `start { }`."""
        if not self._opened or after is None:
            return False
        if self._opened[-1] == "(":
            return after.text == "="
        in_path = after.text in ("/", "[", "=") or after.kind == "HASH"
        return self._in_start and self._opened == ["{"] and in_path

    def _brace(self) -> str:
        """`{` is the body of the call on its left, unless a head waits for its own."""
        if self._waiting and self._waiting[-1] == len(self._opened):
            self._waiting.pop()
            return "OPEN"
        before = self.settled[-1] if self.settled else None
        follows_call = before is not None and (before.kind == "NAME" or before.text == ")")
        return "CALL_OPEN" if follows_call else "OPEN"

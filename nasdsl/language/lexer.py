"""Text -> tokens: numbers with units, soft keywords, and newlines only where they end something.

The parser sees plain tokens; all that depends on neighbours is settled here:
- a newline (or `;`) is a SEP where it ends a statement, and nothing elsewhere;
- a word like `log` is a keyword only right after an operand, a name anywhere else;
- `{` is CALL_OPEN where it is the body of the call on its left, OPEN elsewhere.
"""

from __future__ import annotations

from nasdsl.language.errors import Diagnostic, Source, SpaceError
from nasdsl.language.scanner import (
    CLOSES,
    FLATTER,
    MAX_NESTING,
    MAX_TOKENS,
    OPENS,
    Comment,
    Token,
    check_brackets,
    problem,
    scan,
)

HARD = frozenset(
    "space import use let block network train task require maximize minimize start if else repeat"  # noqa: SIM905
    " permute pick and or not".split()
)
SOFT = frozenset("log step in of on from tied shared except online unused".split())  # noqa: SIM905
HARD_KINDS = frozenset(word.upper() for word in HARD)
MAX_FILE = 4_000_000
_SHORTER = "say once, in a `block`, a `repeat` or a `let`, what the file says many times"

_COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">="])
_OPERATORS = frozenset(["+", "-", "*", "/", "//", "^", "==", "!=", "<", "<=", ">", ">="])
_DEEPENS = _OPERATORS | {"and", "or", "not", "?", ".", ":", "@"}
_JOINS_AFTER = _OPERATORS | {"{", ",", "|", "=", ":", "..", "@", "and", "or", "not", "in", "of", "on", "from"}
_JOINS_BEFORE = frozenset(["}", ")", "]", "|", "else"])


def tokenize(source: Source) -> tuple[list[Token], list[Comment]]:
    """All tokens and comments of a file. Raises SpaceError with every problem at this level."""
    if len(source.text.encode("utf-8", "surrogatepass")) > MAX_FILE:
        raise SpaceError(
            [
                problem(
                    source, "file-limit", f"the file is above the limit of {MAX_FILE:,} bytes", None, _SHORTER
                )
            ]
        )
    raw, comments, problems = scan(source)
    if len(raw) + len(comments) > MAX_TOKENS:
        raise SpaceError(_too_long(source, raw))
    problems += check_brackets(source, raw)
    tokens = [] if problems else settle(raw)
    problems += _check_depth(source, tokens)
    if problems:
        raise SpaceError(sorted(problems, key=lambda d: d.span.start))
    return tokens, comments


def _too_long(source: Source, raw: list[Token]) -> list[Diagnostic]:
    """What is wrong with the beginning of a file that is too long to go through."""
    message = f"the file has more than {MAX_TOKENS:,} words, signs and lines, the limit; it is passed here"
    long = problem(source, "file-limit", message, raw[-1].span, _SHORTER)
    return check_brackets(source, raw, is_cut=True) or _check_depth(source, settle(raw)) or [long]


def _check_depth(source: Source, tokens: list[Token]) -> list[Diagnostic]:
    """Brackets and long chains nest alike: `((…))`, `not not …`, `a ^ b ^ …`, `else if …`.

    Each open bracket has two counts: of the operators in the present value, which a `,` or `|`
    ends, and of the `else`s of the present statement.
    """
    counts = [[0, 0]]
    depth = 0
    for token in tokens:
        here = counts[-1]
        if token.text in OPENS:
            counts.append([1, 0])
            depth += 1
        elif token.text in CLOSES:
            depth -= sum(counts.pop())
        elif token.kind == "SEP":
            depth -= sum(here) - (len(counts) > 1)
            here[:] = [int(len(counts) > 1), 0]
        elif token.text in (",", "|", "="):
            depth -= here[0] - (len(counts) > 1)
            here[0] = int(len(counts) > 1)
        elif token.kind == "ELSE":
            here[1] += 1
            depth += 1
        elif token.text in _DEEPENS:
            here[0] += 1
            depth += 1
        if depth > MAX_NESTING:
            message = f"this is nested deeper than the limit of {MAX_NESTING}"
            return [problem(source, "nesting-limit", message, token.span, FLATTER)]
    return []


# --- what depends on neighbours -------------------------------------------------------------

_BODY_WAITS = frozenset({"IF", "REPEAT", "PICK"})
# Words, too: `1..8 log online`, `shared except relu`.
_OPERAND_KINDS = frozenset({"NAME", "NUMBER", "STRING", "LOG", "ONLINE", "SHARED"})
_OPERAND_TEXTS = frozenset({")", "]", "}", "?"})


def settle(raw: list[Token]) -> list[Token]:
    """Decide newlines, keywords and braces by their neighbours. Brackets that are open may stay so."""
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
        if token.text in OPENS:
            self._opened.append(token.text)
        elif token.text in CLOSES:
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

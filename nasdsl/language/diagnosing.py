"""What does not parse, said in words: what stands there, what is expected, and what may be meant."""

from __future__ import annotations

import re
from collections.abc import Set

from nasdsl.language.errors import Diagnostic, Source, Span
from nasdsl.language.habits import begins, habit
from nasdsl.language.lalr import Unexpected
from nasdsl.language.lexer import HARD
from nasdsl.language.scanner import Token
from nasdsl.language.suggest import did_you_mean

ITEMS = (
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
_STARTS = ("let", "if", "repeat", "permute", "pick")
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
_VALUES = frozenset({"NUMBER", "STRING", "("})
_PUNCTUATION = {
    "=": {"="},
    "{": {"OPEN", "CALL_OPEN"},
    ")": {")"},
    "]": {"]"},
    "}": {"}"},
    ",": {","},
}


def diagnose(source: Source, tokens: list[Token], unexpected: Unexpected) -> Diagnostic:
    """The message for a token that cannot stand where it does."""
    at, expected = unexpected.at, unexpected.expected
    if at == 0:
        return _no_item(source, tokens[0])
    if at >= len(tokens):
        return _too_early(source, tokens[-1], expected)
    token = tokens[at]
    if token.text in HARD and "NAME" in expected and not _splits_a_line(tokens, at):
        message = f"`{token.text}` is a reserved word, and cannot be a name"
        return Diagnostic("reserved-word", message, token.span, source, (_instead(source, token),))
    shown = "the end of the line" if token.text == "\n" else f"`{token.text}`"
    message = f"{shown} cannot stand here; {_words(expected)} is expected"
    help = _named_first(source, tokens, at) or _help(tokens, at, expected)
    return Diagnostic("unexpected", message, token.span, source, help)


def _named_first(source: Source, tokens: list[Token], at: int) -> tuple[str, ...]:
    """`add from conv2d(8) from a`: what stands behind a `from` has sources of its own."""
    begin, depth = at, 0
    for number in range(at - 1, 0, -1):
        before = tokens[number]
        depth += (before.text in _CLOSING) - (before.text in _OPENING)
        if depth < 0 or (depth == 0 and before.text in ("\n", ";")) or tokens[at].text != "from":
            return ()
        if depth == 0 and before.text in (",", "from"):
            begin = number + 1 if begin == at else begin
            if before.text == "from":
                break
    else:
        return ()
    written = source.text[tokens[begin].span.start : tokens[at - 1].span.end]
    wire = tokens[at + 1].text if at + 1 < len(tokens) and tokens[at + 1].kind == "NAME" else "…"
    return (
        f"sources behind `from` are names of wires: name it first, `p = {written} from {wire}`, then read `p`",
    )


def _instead(source: Source, word: Token) -> str:
    """What to write in place of a reserved word."""
    number = re.compile(r"#\d+").match(source.text, word.span.end)
    if word.text == "block" and number:
        return f'an answer in braces is a text, in quotes: `"block{number[0]}"`'
    return "choose another name"


def _no_item(source: Source, token: Token) -> Diagnostic:
    help = (
        begins(token.text)
        or did_you_mean(token.text, ITEMS)
        or "a file holds " + ", ".join(f"`{word}`" for word in ITEMS)
    )
    message = f"`{token.text}` starts nothing that a file can hold"
    return Diagnostic("unexpected", message, token.span, source, (help,))


def _too_early(source: Source, last: Token, expected: Set[str]) -> Diagnostic:
    after = last.span
    span = Span(
        after.end, after.end + 1, after.end_line, after.end_column, after.end_line, after.end_column + 1
    )
    message = f"this ends too early: {_words(expected)} is expected after `{last.text}`"
    return Diagnostic("unexpected-end", message, span, source, _body_help(expected) or ("finish the line",))


def _words(expected: Set[str]) -> str:
    """What could stand there, in a few words."""
    if expected & {"SEP", "$END"}:
        return "the end of the line"
    if "STRING" in expected and "NUMBER" not in expected:
        return 'a text in quotes "…"'
    words = ["a value"] if expected >= _VALUES else []
    if not words:
        words += ["a name"] if "NAME" in expected else ["a number"] if "NUMBER" in expected else []
        words += [f"`{text}`" for text, kinds in _PUNCTUATION.items() if expected & kinds]
        words += [f"`{kind.lower()}`" for kind in ("IN", "OF") if kind in expected]
    if ")" in expected and "a value" in words:
        words.append("`)`")
    return _listed(words or ["something else"])


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _splits_a_line(tokens: list[Token], at: int) -> bool:
    """`relu if …`: the word begins a statement of its own, only a `;` is missing."""
    return tokens[at].text in _STARTS and tokens[at - 1].kind in ("NAME", "NUMBER", "STRING", "}", ")")


def _help(tokens: list[Token], at: int, expected: Set[str]) -> tuple[str, ...]:
    token, before = tokens[at], tokens[at - 1]
    if found := habit(tokens, at):
        return (found,)
    if tokens[0].kind == "TASK" and at == 2:
        return (f"the data stand after `on`: `task {before.text} on {token.text}`",)
    if token.text == "{" and expected & {"SEP", "$END"}:
        return ("a body belongs to the call on its left: `name(…) { … }`",)
    if token.text == "=" and before.kind == "NAME":
        return (f"write `let {before.text} = …` to name a value",)
    if token.text == "else":
        return ("`else` follows the body of an `if`",)
    if token.text == ":" and before.kind == "NAME" and tokens[at - 2].text == "|":
        return (f"put an alternative and its label in parentheses: `… | ({before.text}: {{ … }})`",)
    if token.text == "|":
        return ("put an alternative on both sides of `|`",)
    if expected & {"SEP", "$END"} and (token.kind in ("NUMBER", "STRING") or token.text.isidentifier()):
        is_first = at < 2 or tokens[at - 2].kind in ("SEP", "OPEN", "CALL_OPEN")
        near = did_you_mean(before.text, _STARTS) if is_first and before.kind == "NAME" else ""
        if not near and token.kind in ("NUMBER", "STRING") and is_first and before.kind == "NAME":
            return (f"arguments stand in parentheses: `{before.text}({token.text})`",)
        return (near or "two statements on one line need a `;` between them",)
    return _body_help(expected) or _left_over(token, expected)


def _left_over(token: Token, expected: Set[str]) -> tuple[str, ...]:
    """What to do about a token that nothing speaks for."""
    if token.text == "," and expected & {"SEP", "$END"}:
        return ("statements are parted by a new line or a `;`, alternatives by `|`",)
    if "OF" in expected:
        return ("say of what: `pick 2 of { a; b; c }`",)
    if token.text == "," or token.kind in ("SEP", "}", ")"):
        shown = "what is missing" if token.kind in ("SEP", "}", ")") else "the value that is missing"
        return (f"write {shown} before it" + (", or leave out the `,`" if token.text == "," else ""),)
    if token.kind in ("NUMBER", "STRING", "NAME") and "," in expected:
        return ("two values in a row need a `,` between them, or `|` where they are alternatives",)
    if token.kind == "NUMBER" and "NAME" in expected:
        return ("a range has two dots, `1..4`, and a number one, `1.5`",)
    return (f"leave it out, or write {_words(expected)} before it",)


def _body_help(expected: Set[str]) -> tuple[str, ...]:
    if expected & {"OPEN", "CALL_OPEN"} and not expected & {"SEP", "$END", "NUMBER"}:
        return ("the `{` of a body stands on the same line",)
    return ()

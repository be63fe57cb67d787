"""A Pygments lexer for `.space` files, known to Pygments as `space`: `pygmentize -l space FILE`.

It colours what is being written, so it takes any text, right or wrong. The words are those of the
language's own lexer, and a soft keyword counts as one by the same rule: right after an operand.
Nothing else in the package imports this module or Pygments.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, default, include, words  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

from nasdsl.language.lexer import HARD, SOFT

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_LOGIC = frozenset({"and", "or", "not"})
_DECLARED = {"space": Name.Namespace, "task": Name.Constant, "block": Name.Class, "let": Name.Variable}


def _declaration(word: str, name_kind: Any) -> tuple[object, ...]:
    """`block conv`: the word, and the name that it takes."""
    kinds = bygroups(Keyword.Declaration, Whitespace, name_kind)
    return (rf"\b({word})([ \t]+)({_NAME})", kinds, "behind")


class SpaceLexer(RegexLexer):  # type: ignore[misc]
    """Two states: where an operand may begin (`root`), and right behind one (`behind`)."""

    name = "nasdsl space"
    aliases: ClassVar[list[str]] = ["space", "nasdsl"]
    filenames: ClassVar[list[str]] = ["*.space"]

    tokens: ClassVar[dict[str, list[Any]]] = {
        "blank": [
            (r"[ \t\r\f\ufeff]+", Whitespace),
            (r"(?<=\w)#\d+(?=[ \t]*([/=\[};]|$))", Name.Label),  # `conv#2/kernel = 3`, `act = relu#2`
            (r"##[^\n]*", String.Doc),
            (r"#[^\n]*", Comment.Single),
        ],
        "root": [
            include("blank"),
            (rf"({_NAME})([ \t]*)(=)(?!=)", bygroups(Name.Attribute, Whitespace, Operator)),
            *(_declaration(word, kind) for word, kind in _DECLARED.items()),
            (words(sorted(_LOGIC), r"\b", r"\b"), Operator.Word),
            (words(sorted(HARD - _LOGIC), r"\b", r"\b"), Keyword.Reserved),
            (rf"({_NAME})([ \t]*)(:)", bygroups(Name.Label, Whitespace, Punctuation)),
            (rf"{_NAME}(?=[ \t]*[({{])", Name.Function, "behind"),
            (_NAME, Name, "behind"),
            (r"\d+(\.\d+)?([eE][+-]?\d+)?[kKMG%]?", Number, "behind"),
            (r'"(\\.|[^"\\\n])*"', String.Double, "behind"),
            (r"[)\]}]", Punctuation, "behind"),
            (r"[({\[,;:]", Punctuation),
            (r"\.\.|//|[=!<>]=|[-+*/^<>=|?@.]", Operator),
            (r"\n", Whitespace),
        ],
        "behind": [
            include("blank"),
            (r"\?", Operator),
            (r"[)\]}]", Punctuation),
            (r"\b(log|shared)\b", Keyword),  # another may follow: `1..8 log online`, `shared except relu`
            (words(sorted(SOFT - {"log", "shared"}), r"\b", r"\b"), Keyword, "#pop"),
            default("#pop"),
        ],
    }

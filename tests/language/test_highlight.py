"""Colours of `.space` files: every letter kept, keywords told as the language tells them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String, _TokenType

from nasdsl.language.errors import Source
from nasdsl.language.highlight import SpaceLexer
from nasdsl.language.lexer import HARD, SOFT, tokenize

SPACES = sorted((Path(__file__).parents[2] / "spaces").rglob("*.space"))


def coloured(text: str) -> list[tuple[_TokenType, str]]:
    return list(SpaceLexer(stripnl=False, ensurenl=False).get_tokens(text))


def colour(text: str, word: str) -> _TokenType:
    """The colour of the last place where a word stands."""
    return next(kind for kind, shown in reversed(coloured(text)) if shown == word)


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_shipped_space_has_no_part_without_a_colour(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tokens = coloured(text)
    assert "".join(shown for _, shown in tokens) == text
    assert not [shown for kind, shown in tokens if kind is Error]


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_keywords_are_those_of_the_language(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    soft = {word.upper() for word in SOFT}
    parsed = [token.text for token in tokenize(Source("", text))[0] if token.kind in soft]
    assert [shown for kind, shown in coloured(text) if kind is Keyword] == parsed


@given(st.text(alphabet=st.sampled_from('ab1 .#"\\\n\t{}()[]|?@=:,;%/éα€')))
def test_any_text_is_coloured_without_loss(text: str) -> None:
    assert "".join(shown for _, shown in coloured(text)) == text


@pytest.mark.parametrize("word", sorted(HARD))
def test_hard_words_are_keywords(word: str) -> None:
    assert colour(f"{word} ", word) in Keyword or colour(f"{word} ", word) is Operator.Word


@pytest.mark.parametrize(
    ("text", "word", "kind"),
    [
        ("let x = 1..8 log", "log", Keyword),
        ("let x = 1..8 log online", "online", Keyword),
        ("let x = log", "log", Name),
        ("linear(in = 3)", "in", Name.Attribute),
        ("repeat i in 1..4 {", "in", Keyword),
        ("a = relu from b", "from", Keyword),
        ("from = relu", "from", Name.Attribute),
        ("} tied", "tied", Keyword),
        ("act: relu", "act", Name.Label),
        ("conv2d(32)", "conv2d", Name.Function),
        ("residual { relu }", "residual", Name.Function),
        ("block conv(width)", "conv", Name.Class),
        ("let width = 16", "width", Name.Variable),
        ("require params <= 500k", "500k", Number),
        ("cosine(warmup = 0..20%)", "20%", Number),
        ("relu # why", "# why", Comment.Single),
        ("## what", "## what", String.Doc),
        ("start { network/conv#2/kernel = 3 }", "#2", Name.Label),
        ("start { network/choice = block#2 }", "#2", Name.Label),
        ('csv("a # b.csv")', '"a # b.csv"', String.Double),
        ("not a", "not", Operator.Word),
    ],
)
def test_a_word_has_the_colour_of_its_place(text: str, word: str, kind: _TokenType) -> None:
    assert colour(text, word) is kind

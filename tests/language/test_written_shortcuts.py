"""`fmt` writes `shortcut = project` where a residual may change the shape, and nowhere else; it changes no meaning."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from nasdsl.language.check import check
from nasdsl.language.formatting import formatted
from nasdsl.language.parser import parse
from nasdsl.language.space import Space

ROOT = Path(__file__).parents[2]
SPACES = sorted([*(ROOT / "spaces").glob("*.space"), *(ROOT / "examples").glob("*.space")])


def network(body: str) -> str:
    return dedent(
        f"task classification on digits\nnetwork {{\n{body}\nglobal_avg_pool\nlinear(outputs)\n}}\n"
    )


def fmt(text: str) -> str:
    return formatted(parse(text))


@pytest.mark.parametrize(
    ("body", "is_written"),
    [
        ("residual { conv2d(8) }", True),
        ("residual { relu }", False),
        ("conv2d(8); residual { conv2d(8) }", False),
        ("conv2d(8); residual { conv2d(8, stride = 2) }", True),
        ("conv2d(8 | 16); residual { batch_norm; relu | gelu }", False),
        ("conv2d(8 | 16); residual { conv2d(8 | 16) }", True),
        ("conv2d(8); residual { conv2d(8); { conv2d(16) }? }", True),
        ("residual(shortcut = pad) { conv2d(8) }", False),
    ],
)
def test_it_is_written_where_the_shape_may_change(body: str, is_written: bool) -> None:
    text = fmt(network(body))
    assert ("shortcut = project" in text) is is_written
    assert fmt(text) == text


def test_a_body_of_any_width_that_keeps_it_is_left_alone() -> None:
    body = "patch_embed(8 | 16, patch = 2); repeat 2 { residual { layer_norm; attention(heads = 1 | 2) }; residual { mlp(8..64) } }"
    assert "shortcut" not in fmt(network(body))


@pytest.mark.parametrize(
    "text", [network("residual { conv2d(8) }"), network("residual { conv2d(8); relu } | relu")]
)
def test_neither_hash_nor_points_know_of_it(text: str) -> None:
    before, after = Space(check(parse(text))), Space(check(parse(fmt(text))))
    assert before.hash == after.hash
    assert before.text != after.text
    assert list(before.enumerate()) == list(after.enumerate())


def test_another_shortcut_is_another_space() -> None:
    spaces = [
        Space(check(parse(network(f"residual{given} {{ conv2d(8) }}"))))
        for given in ("", "(shortcut = project)", "(shortcut = pad)")
    ]
    assert spaces[0].hash == spaces[1].hash != spaces[2].hash


def test_words_that_mean_something_else_are_left_alone() -> None:
    text = "block project { relu }\n" + network("residual { conv2d(8) }; project")
    assert "shortcut" not in fmt(text)


def test_a_file_that_does_not_check_is_only_laid_out() -> None:
    assert fmt(network("residual { conv2d(8) }; convd2(3)")).count("shortcut") == 0


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_shipped_spaces_are_written_out(path: Path) -> None:
    text = path.read_text("utf-8")
    assert formatted(parse(text, str(path))) == text

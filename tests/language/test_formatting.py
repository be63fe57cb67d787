"""Formatting keeps the meaning and the comments of files that have been torn about, and comes to rest."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from nasdsl.cli import main
from nasdsl.language.errors import SpaceError
from nasdsl.language.lexer import tokenize
from nasdsl.language.parser import parse
from nasdsl.language.printer import print_file

ROOT = Path(__file__).parents[2]
TEXTS = [path.read_text("utf-8") for path in sorted((ROOT / "spaces").glob("*.space"))]
TEXTS += re.findall(
    r"^```space[^\n]*\n(.*?)^```", (ROOT / "docs/language.md").read_text("utf-8"), re.S | re.M
)
TEXTS += [path.read_text("utf-8") for path in sorted((ROOT / "tests/golden/errors").glob("*.space"))]
_PIECE = re.compile(r"\s+|\w+|##?[^\n]*|.", re.S)


def torn(rng: random.Random) -> str:
    """A text of ours with a few pieces left out, doubled, swapped, or comments, blanks and lines put in."""
    pieces = _PIECE.findall(rng.choice(TEXTS))
    for _ in range(rng.randint(1, 3)):
        at, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
        match rng.randrange(6):
            case 0:
                pieces[at] = ""
            case 1:
                pieces[at] *= 2
            case 2:
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case 3:
                pieces[at] += rng.choice(["\n", " ", "\t", "\n\n\n", ";", ";\n"])
            case 4:
                pieces[at] += rng.choice([" # said here\n", "\n# alone\n", "\n## doc\n", "#\n"])
            case _:
                pieces[at] = rng.choice(
                    ["(", ")", "{", "}", "|", "..", "?", "x", "3", "1e-3", "20%", "not ", "@ 2"]
                )
    return "".join(pieces)


def hold(first: int, last: int) -> int:
    """How many of the torn texts still parse; each of them keeps tree and comments."""
    parsed = 0
    for seed in range(first, last):
        text = torn(random.Random(seed))
        try:
            tree = parse(text)
        except SpaceError:
            continue
        parsed += 1
        again = print_file(tree)
        assert parse(again) == tree, seed
        assert print_file(parse(again)) == again, seed
        assert comments(again) == comments(text), seed
    return parsed


def comments(text: str) -> list[str]:
    return sorted(comment.text for comment in tokenize(parse(text).source)[1])


def test_torn_files_keep_their_meaning() -> None:
    assert hold(0, 1500) > 300


@pytest.mark.slow
def test_many_torn_files_keep_their_meaning() -> None:
    assert hold(1500, 30_000) > 5_000


def test_check_and_diff_agree_with_what_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.space"
    loose = "let   x=1|2 # why\n\n\n\nlet y =3\n"
    file.write_text(loose)
    assert main(["fmt", "--check", str(file)]) == 1
    assert main(["fmt", "--diff", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "-let   x=1|2 # why" in shown and "+let x = 1 | 2  # why" in shown
    assert file.read_text() == loose
    assert main(["fmt", str(file)]) == 0
    assert file.read_text() == "let x = 1 | 2  # why\n\nlet y = 3\n"
    capsys.readouterr()
    assert (
        main(["fmt", "--check", str(file)])
        == main(["fmt", "--diff", str(file)])
        == main(["fmt", str(file)])
        == 0
    )
    assert capsys.readouterr().out == ""

"""Golden diagnostics: malformed files and the messages they get, as a person reads them.

`pytest tests/language/test_error_messages.py --update-golden` writes the expected files anew;
read the difference before it is kept.
"""

from pathlib import Path

import pytest

from nasdsl.language.errors import Diagnostic, SpaceError
from nasdsl.language.reading import load, parse

GOLDEN = Path(__file__).parents[1] / "golden" / "errors"
CASES = sorted(GOLDEN.glob("*.space"))


def problems(path: Path) -> tuple[Diagnostic, ...]:
    """What is said about a file: its errors, those of its start, or its warnings."""
    try:
        space = parse(path.read_text(encoding="utf-8"), path.name)
        space.start()
    except SpaceError as error:
        return error.diagnostics
    return space.warnings


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_message(path: Path, pytestconfig: pytest.Config) -> None:
    found = problems(path)
    text = "\n\n".join(one.render() for one in found) + "\n"
    expected = path.with_suffix(".error.txt")
    if pytestconfig.getoption("--update-golden"):
        expected.write_text(text, encoding="utf-8")
    assert found, "nothing is wrong with this file"
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_problems_are_in_order_and_inside_the_file(path: Path) -> None:
    found = problems(path)
    lines = path.read_text(encoding="utf-8").split("\n")
    starts = [one.span.start for one in found]
    assert starts == sorted(starts)
    for one in found:
        assert 1 <= one.span.line <= len(lines)
        assert 1 <= one.span.column <= len(lines[one.span.line - 1]) + 1
        assert one.as_json()["code"] == one.code


def test_a_missing_file_is_a_space_error(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match="unreadable-file"):
        load(tmp_path / "none.space")


def test_what_is_no_utf_8_is_a_space_error(tmp_path: Path) -> None:
    path = tmp_path / "bytes.space"
    path.write_bytes(b"space a\nlet \xff = 3\n")
    with pytest.raises(SpaceError, match=r"bytes.space:2:5: error\[not-utf-8\]"):
        load(path)

"""One session of an editor over the pipes of `nasdsl lsp`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import Editor
from hypothesis import given, settings
from hypothesis import strategies as st

from nasdsl.cli import main
from nasdsl.editor.analysis import analyse
from nasdsl.editor.completing import complete
from nasdsl.editor.explaining import definition, explain
from nasdsl.editor.positions import Positions
from nasdsl.language.parser import parse
from nasdsl.language.printer import print_file

DIGITS = Path("spaces/digits_cnn.space").read_text(encoding="utf-8")
URI = "file:///somewhere/digits.space"


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    with Editor() as opened:
        yield opened


def place(text: str, word: str, nth: int = 0) -> tuple[int, int]:
    """Line and character, counted from 0, of a word in a text."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(word, at + 1)
    return text.count("\n", 0, at), at - (text.rfind("\n", 0, at) + 1)


def test_what_it_offers(editor: Editor) -> None:
    offered = editor.capabilities
    assert (
        offered["hoverProvider"] and offered["definitionProvider"] and offered["documentFormattingProvider"]
    )
    assert "(" in offered["completionProvider"]["triggerCharacters"]


def test_a_sound_file_has_no_problem(editor: Editor) -> None:
    (note,) = editor.open(URI, DIGITS)
    assert (note["code"], note["severity"]) == ("shapes", 3) and "points fit, counted" in note["message"]


def test_a_problem_is_shown_while_it_is_there(editor: Editor) -> None:
    editor.open(URI, DIGITS)
    wrong = DIGITS.replace("batch_norm", "batch_nrom")
    (problem,) = editor.change(URI, wrong)
    line, character = place(wrong, "batch_nrom")
    assert problem["range"]["start"] == {"line": line, "character": character}
    assert problem["range"]["end"] == {"line": line, "character": character + len("batch_nrom")}
    assert (problem["code"], problem["severity"], problem["source"]) == ("unknown-op", 1, "nasdsl")
    assert problem["message"] == "no operation is called `batch_nrom`\nhelp: did you mean `batch_norm`?"
    assert [one["code"] for one in editor.change(URI, DIGITS)] == ["shapes"]


def test_what_shapes_leave_out_is_shown_at_its_place(editor: Editor) -> None:
    text = "task classification on digits\nnetwork { conv2d(8, kernel = 3 | 9, padding = valid); flatten; linear(outputs) }\n"
    note, dead = editor.open("file:///somewhere/dead.space", text)
    assert (note["code"], note["severity"]) == ("shapes", 3)
    assert (dead["code"], dead["severity"]) == ("dead-answer", 2)
    line, character = place(text, "9")
    assert dead["range"]["start"] == {"line": line, "character": character}
    assert "help: leave it out" in dead["message"]


def test_places_are_counted_as_editors_count_them(editor: Editor) -> None:
    """In UTF-16, where a letter beyond the basic plane takes two units."""
    text = 'task classification on wine; network { linear(outputs) }; require "🎈🎈" == oh'
    (problem,) = editor.open("file:///somewhere/wide.space", text)
    assert problem["range"]["start"]["character"] == text.index("oh") + 2


def test_an_operation_is_completed_in_a_file_that_does_not_parse(editor: Editor) -> None:
    typed = DIGITS.replace("    batch_norm\n", "    bat\n").replace("linear(outputs)", "linear(")
    editor.open(URI, typed)
    line, character = place(typed, "bat\n")
    items = {item["label"]: item for item in editor.at("completion", URI, line, character + 3)}
    assert "batch_norm" in items and "conv2d" in items and "repeat" in items
    edit = items["batch_norm"]["textEdit"]
    assert edit["newText"] == "batch_norm"
    assert edit["range"]["start"] == {"line": line, "character": character}


def test_an_argument_is_completed_inside_a_call(editor: Editor) -> None:
    typed = DIGITS.replace("conv2d(width, kernel = 1 | 3 | 5)", "conv2d(width, ")
    editor.open(URI, typed)
    line, character = place(typed, "conv2d(width, ")
    labels = [i["label"] for i in editor.at("completion", URI, line, character + len("conv2d(width, "))]
    assert "stride = " in labels and "width" in labels
    assert "filters = " not in labels  # given already, by position
    assert "relu" not in labels


def test_hovering_shows_the_operation_and_the_shapes_at_that_place(editor: Editor) -> None:
    editor.open(URI, DIGITS)
    said = editor.at("hover", URI, *place(DIGITS, "conv2d"))["contents"]["value"]
    assert "conv2d(filters, kernel = 3," in said
    assert "here: `image (1..64, 1..8, 1..8)` → `image (16..64, 1..8, 1..8)`" in said
    said = editor.at("hover", URI, *place(DIGITS, "kernel"))["contents"]["value"]
    assert said.startswith("```space\nkernel: a whole number") and "default 3" in said
    said = editor.at("hover", URI, *place(DIGITS, "width)\n        } |"))["contents"]["value"]
    assert "let width = 16 | 32 | 64" in said
    assert editor.at("hover", URI, 1, 2)["contents"]["value"].startswith("`space NAME`")


def test_definitions_of_blocks_lets_and_imports(editor: Editor, tmp_path: Path) -> None:
    editor.open(URI, DIGITS)
    for use, declared in (("conv(width)\n        } |", "conv(width) {"), ("width, kernel", "width) {")):
        found = editor.at("definition", URI, *place(DIGITS, use))
        line, character = place(DIGITS, declared)
        assert found["uri"] == URI
        assert found["range"]["start"] == {"line": line, "character": character}
    (tmp_path / "parts.space").write_text("let one = 1\nblock part { relu }\n")
    text = 'import "parts.space"\nnetwork { part }\n'
    (tmp_path / "whole.space").write_text(text)
    uri = (tmp_path / "whole.space").as_uri()
    editor.open(uri, text)
    there = (tmp_path / "parts.space").as_uri()
    editor.open(uri, 'import "parts.space"\nnetwork { par }\n')
    assert "part" in [i["label"] for i in editor.at("completion", uri, 1, 13)]
    (tmp_path / "parts.space").write_text("let one = 1\nblock part { rleu }\n")
    (problem,) = [p for p in editor.change(uri, text + "\n") if p["code"] == "unknown-op"]
    assert problem["range"]["start"]["line"] == 0 and "parts.space:2:14: no operation" in problem["message"]
    (tmp_path / "parts.space").write_text("let one = 1\nblock part { relu }\n")
    editor.open(uri, text)
    assert editor.at("definition", uri, 0, 10)["uri"] == there
    assert "block part" in editor.at("hover", uri, *place(text, "part }"))["contents"]["value"]
    found = editor.at("definition", uri, *place(text, "part }"))
    assert (found["uri"], found["range"]["start"]) == (there, {"line": 1, "character": 6})


def test_formatting_gives_the_canonical_text(editor: Editor) -> None:
    loose = DIGITS.replace("    ", "  ").replace(" = ", "=")
    editor.open(URI, loose)
    (edit,) = editor.ask(
        "textDocument/formatting", textDocument={"uri": URI}, options={"tabSize": 4, "insertSpaces": True}
    )
    assert edit["newText"] == DIGITS == print_file(parse(loose))
    editor.change(URI, "network {")
    assert (
        editor.ask(
            "textDocument/formatting", textDocument={"uri": URI}, options={"tabSize": 4, "insertSpaces": True}
        )
        == []
    )


def test_it_leaves_as_it_is_told() -> None:
    with Editor() as one:
        assert one.close() == 0


def test_without_pygls_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "nasdsl.editor.server", raising=False)
    monkeypatch.setitem(sys.modules, "pygls.lsp.server", None)
    assert main(["lsp"]) == 2
    assert "pip install 'nasdsl[lsp]'" in capsys.readouterr().err


SPACES = [path.read_text(encoding="utf-8") for path in sorted(Path("spaces").glob("*.space"))]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SPACES), st.data())
def test_a_torn_text_is_answered_everywhere(text: str, data: st.DataObject) -> None:
    """Letters taken out and put in anywhere: every question has an answer, be it none."""
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text)))
        put = data.draw(
            st.sampled_from(["", "{", "}", "(", ")", '"', "|", "\n", "#", "let ", "é", "\r", "..", "="])
        )
        text = text[:at] + put + text[at + data.draw(st.integers(0, 8)) :]
    at = data.draw(st.integers(0, len(text)))
    start, offered = complete(text, at, "torn.space")
    assert start <= at and len({one.label for one in offered}) == len(offered)
    found = analyse(text, "torn.space")
    explain(found, at)
    there = definition(found, at)
    assert there is None or there[1][there[2] :].startswith(
        text[found.token(at).span.start : found.token(at).span.end]
    )  # type: ignore[union-attr]


@given(st.text(alphabet="a\n\r🎈é"), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_places_go_forth_and_back(text: str, encoding: str) -> None:
    positions = Positions(text, encoding)
    for offset in range(len(text) + 1):
        if text[max(0, offset - 1) : offset + 1] != "\r\n":
            assert positions.offset(*positions.of(offset)) == offset

"""`nasdsl diff`, as people read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nasdsl.cli import main
from nasdsl.engine.search import search

OLD = """task classification on digits
block conv(w) { conv2d(w, kernel = 3 | 5) }
network { let width = 8 | 16; conv(width); repeat 1..3 { act: relu | gelu; dropout(0.1..0.5) }; global_avg_pool; linear(outputs) }
train { batch_size = 16..64 }
"""
NEW = (
    OLD.replace("8 | 16", "8 | 16 | 32")
    .replace("conv(width)", "conv(width); conv(8)")
    .replace("0.1..0.5", "0.2..0.4")
    .replace("relu | gelu", "relu | silu")
    .replace("batch_size = 16..64", "epochs = 1..2")
)


def score(trial: object) -> float:
    return 0.5


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.space").write_text(OLD)
    Path("new.space").write_text(NEW)
    return tmp_path


def test_of_files_and_runs(
    files: Path, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    assert main(["diff", "old.space", "new.space"]) == 0
    golden("cli/diff.txt", capsys.readouterr().out)
    assert main(["diff", "old.space", "old.space"]) == 0
    assert capsys.readouterr().out == "the spaces are the same\n"
    search("old.space", evaluate=score, budget=4, workers=1, run="run", seed=0, searcher="random")
    assert main(["diff", "run", "new.space"]) == 0
    golden("cli/diff_run.txt", capsys.readouterr().out)
    assert main(["diff", "run", "old.space", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {"decisions": [], "run": {"trials": 4, "whole": 4, "lost": []}, "left_out": []}


def test_what_cannot_be_read_is_said(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "old.space", "none.space"]) == 2
    assert "none.space" in capsys.readouterr().err
    (files / "empty").mkdir()
    assert main(["diff", "empty", "old.space"]) == 2


BODY = "task classification on digits\nnetwork {{ {0}; global_avg_pool; linear(outputs) }}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "conv2d(8, kernel = 3 | 5); conv2d(16, kernel = 3 | 5)",
            "conv2d(16, kernel = 3 | 5); conv2d(8, kernel = 3 | 5)",
            "? network/kernel",
        ),
        (
            "conv2d(8, kernel = 3 | 5); conv2d(16, kernel = 3 | 5)",
            "conv2d(8, kernel = 3 | 5); conv2d(32, kernel = 3 | 5)",
            "the decisions are the same; something else differs",
        ),
        (
            "conv2d(8, kernel = 3 | 5); conv2d(16, kernel = 3 | 5)",
            "conv2d(8,kernel=3|5); conv2d(16, kernel = 3 | 5); relu",
            "the decisions are the same; something else differs",
        ),
        ("repeat 1..3 { conv2d(8 | 16) }", "repeat 2..4 { conv2d(8 | 16) }", "~ network/repeat"),
        ("a: conv2d(8 | 16)", "residual { a: conv2d(8 | 16) }", "the decisions are the same"),
    ],
)
def test_what_real_edits_come_to(
    old: str, new: str, said: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.space").write_text(BODY.format(old))
    Path("b.space").write_text(BODY.format(new))
    assert main(["diff", "a.space", "b.space"]) == 0
    assert capsys.readouterr().out.startswith(said)


def test_what_is_not_compared_is_said(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nasdsl.language.sites.MOST_SITES", 2)
    assert main(["diff", "old.space", "new.space"]) == 0
    said = capsys.readouterr().out
    assert "the old version has more than" in said and "those beyond were not compared" in said

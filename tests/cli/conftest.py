"""Running commands in this process, in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nasdsl.cli import main

PLAIN = "space plain\nlet a = 1 | 2 | 3\nlet rate = 0.1..1.0 log\n"
NETWORK = """## A network of one layer or two.
space tiny
task classification on digits
network {
    flatten
    repeat 1..2 { mlp(hidden = 8 | 16) }
    linear(outputs)
}
train { optimizer = adamw(lr = 1e-3..1e-2 log); epochs = 2 }
require params <= 500k
"""


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with two spaces in it; argparse wraps at a fixed width."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "plain.space").write_text(PLAIN)
    (tmp_path / "tiny.space").write_text(NETWORK)
    return tmp_path


@pytest.fixture
def nasdsl(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """`nasdsl("count", "plain.space")` as on the command line; argparse's exits become a status."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as ended:
            status = int(ended.code or 0)
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return call

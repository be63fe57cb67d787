"""Many trials that take no time: none is lost, the file stays small, the bar is alive."""

from __future__ import annotations

from pathlib import Path

from engine_toys import Draws, Numbers, tenth
from rich.console import Console

from benchmarks.many import Screen
from nasdsl.engine.progress import Bar
from nasdsl.engine.search import search

TRIALS = 500
BYTES_A_TRIAL = 1000
EMPTY = 200_000  # tables, meta, logs


def test_many_short_trials(tmp_path: Path) -> None:
    space, screen = Numbers(TRIALS), Screen()
    bar = Bar(Console(file=screen, highlight=False, width=120))
    with bar.live:
        run = search(
            space,
            Draws(space),
            budget=TRIALS,
            workers=2,
            run=tmp_path / "run",
            evaluate=tenth,
            on_event=bar.take,
        )
    assert sorted(record.trial for record in run.records) == list(range(TRIALS))
    size = sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file())
    assert size < EMPTY + BYTES_A_TRIAL * TRIALS
    assert screen.drawn > 0

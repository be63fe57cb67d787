"""Kills and signals, then resume: nothing finished is lost, nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.kill import attack
from nasdsl.engine.errors import RunError
from nasdsl.engine.run import open_run
from nasdsl.engine.store import has_run

BUDGET = 60
DRIVER = """
import sys
sys.path.insert(0, "tests/engine")
from engine_toys import Draws, Numbers, slow_tenth
from nasdsl.engine.search import search
space = Numbers()
search(space, Draws(space), budget=int(sys.argv[2]), workers=2, run=sys.argv[1], evaluate=slow_tenth, resume=True)
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"NASDSL_TEST_RUN": str(folder)}
    command = [sys.executable, "-c", DRIVER, str(folder), str(BUDGET)]
    return subprocess.Popen(command, env=environment, start_new_session=True)


def finished(folder: Path) -> dict[int, tuple[object, ...]]:
    if not has_run(folder):
        return {}
    try:
        records = open_run(folder).records
    except RunError as error:
        assert "has not begun" in str(error)
        return {}
    assert len({record.trial for record in records}) == len(records), "a trial twice"
    return {r.trial: (r.point, r.score, r.error, r.seed, r.seconds) for r in records}


def left_behind(folder: Path) -> list[str]:
    """Processes of the run that still live, found by the environment they inherited."""
    mark = f"NASDSL_TEST_RUN={folder}".encode()
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and mark in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " ")[:200])
        except OSError:
            continue  # gone meanwhile, or not ours
    return found


def test_kill_and_resume() -> None:
    """Drivers, workers, fork servers: `python -m benchmarks.kill` does it at length."""
    verdict = list(attack("local", 6, None, 0))[-1]
    assert verdict.startswith("6 kills") and "nothing left behind" in verdict


def test_kill_and_resume_over_dask() -> None:
    pytest.importorskip("distributed")
    verdict = list(attack("dask", 4, None, 0))[-1]
    assert verdict.startswith("4 kills") and "nothing left behind" in verdict


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole_group", [False, True])
def test_a_signal_keeps_what_is_finished_and_ends_soon(
    tmp_path: Path, number: signal.Signals, whole_group: bool
) -> None:
    folder = tmp_path / "run"
    driver = start(folder)
    while len(finished(folder)) < 5:
        time.sleep(0.02)
    if whole_group:
        os.killpg(driver.pid, number)
    else:
        driver.send_signal(number)
    assert driver.wait(30) == 0
    run = open_run(folder)
    assert run.ended == "interrupted" and 5 <= len(run.records) < BUDGET
    assert [record.error for record in run.records if record.error] == [], (
        "a healthy trial was taken for dead"
    )
    assert "--resume" in run.meta["ended"]["why"]
    deadline = time.monotonic() + 60
    while left_behind(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_behind(folder) == []

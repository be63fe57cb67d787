"""The run file: what is written is read back, by one writer, through crashes and full disks."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import nasdsl
from nasdsl.engine.database import LAZY_S, plain_errors
from nasdsl.engine.errors import RunError, RunLocked
from nasdsl.engine.formats import FORMAT
from nasdsl.engine.records import Ask, Record
from nasdsl.engine.run import open_run
from nasdsl.engine.store import STORE_NAME, Store
from nasdsl.language.point import Point
from searchers.protocol import Lineage

POINT = Point({"network/b": 2, "network/a": 0.5, "train/mixup": False})
GOOD = Record(
    trial=3,
    point=POINT,
    score=0.75,
    seconds=1.5,
    seed=9,
    params=100,
    macs=2000,
    measures={"accuracy": 0.75},
    curve=({"step": 1.0, "accuracy": 0.5}, {"step": 2.0, "accuracy": 0.75}),
)
BAD = Record(trial=1, point=POINT, error="ValueError: x", reason="failed", traceback="Traceback …")


def test_records_come_back_in_the_order_they_were_told(tmp_path: Path) -> None:
    with Store(tmp_path / "run") as store:
        store.finish([GOOD])
        store.finish([BAD])
    with Store(tmp_path / "run") as store:
        assert store.records() == (GOOD, BAD)
        assert list(store.records()[0].point) == list(POINT), "answers keep their order of opening"


def test_asks_without_outcome_are_pending(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.ask([Ask(0, POINT), Ask(1, POINT), Ask(7, POINT)])
        store.finish([BAD])
        assert [ask.trial for ask in store.pending()] == [0, 7]
        assert store.next_trial() == 8


def test_a_second_outcome_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.finish([GOOD])
        with pytest.raises(sqlite3.IntegrityError):
            store.finish([GOOD])
        assert store.records() == (GOOD,)


def test_a_run_is_readable_while_it_is_written(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.set_meta({"goals": []})
        store.finish([GOOD])
        run = open_run(tmp_path)
        assert run.best == GOOD and run.front == [GOOD] and run.ended is None


def test_a_second_writer_is_refused_by_name_until_the_first_dies(tmp_path: Path) -> None:
    hold = "import sys, time\nfrom pathlib import Path\nfrom nasdsl.engine.store import Store\n"
    hold += "store = Store(Path(sys.argv[1]))\nprint('held', flush=True)\ntime.sleep(60)\n"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RunLocked, match=f"process {holder.pid} on "):
            Store(tmp_path)
    holder.kill()
    holder.wait()
    Store(tmp_path).close()


def test_a_missing_or_foreign_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run folder"):
        open_run(tmp_path)
    (tmp_path / STORE_NAME).write_text("something else, long enough to be no empty file" * 20)
    with pytest.raises(RunError, match="not a readable run file"):
        Store(tmp_path)


def old_run(folder: Path) -> None:
    """A run of population based training as the first format kept it: 14 trials ended, one was running."""
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / STORE_NAME)) as connection:
        connection.executescript((Path(__file__).parent / "run-format-1.sql").read_text())


def test_an_old_file_is_read_as_it_is_and_brought_up_to_date_by_its_next_writer(tmp_path: Path) -> None:
    old_run(tmp_path)
    before = open_run(tmp_path)
    assert len(before.records) == 14 and before.meta["format"] == 1
    with Store(tmp_path) as store:
        (left,) = store.pending()
        assert (left.trial, left.lineage) == (0, Lineage(budget=1.0, member=0))
        assert store.records() == before.records and "lineages" not in store.meta()
    after = open_run(tmp_path)
    assert after.records == before.records and after.meta["format"] == FORMAT
    lineages = sqlite3.connect(tmp_path / STORE_NAME).execute("SELECT lineage FROM asks ORDER BY trial")
    assert [text for (text,) in lineages][10] == '{"parent": 1.0, "budget": 2.0, "member": 1.0}'


def test_an_old_run_goes_on(tmp_path: Path) -> None:
    old_run(tmp_path)
    run = nasdsl.search(
        nasdsl.parse("let rate = 0.001..1.0 log\nlet other = 1 | 2"),
        evaluate=lambda trial: float(trial.budget or 0),
        budget=20,
        workers=1,
        run=tmp_path,
        resume=True,
    )
    assert sorted(record.trial for record in run.records) == list(range(20))
    assert all(record.score == record.measures["budget"] for record in run.records[14:])


def test_commits_in_quick_succession_share_a_sync_and_lose_nothing_to_a_kill(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.set_meta({"goals": []})
    modes = []
    for trial in range(3):
        store.finish([replace(GOOD, trial=trial)])
        modes.append(store._connection.execute("PRAGMA synchronous").fetchone()[0])
    full, normal = 2, 1
    assert modes == [normal] * 3, "the first commit of a file is synced, those at once after it later"
    time.sleep(LAZY_S)
    store.settle()
    time.sleep(LAZY_S)
    store.finish([replace(GOOD, trial=3)])
    assert store._connection.execute("PRAGMA synchronous").fetchone()[0] == full
    # What a killed process leaves: the files as they are now.
    shutil.copytree(tmp_path, tmp_path / "copy", ignore=shutil.ignore_patterns("copy"))
    assert [record.trial for record in open_run(tmp_path / "copy").records] == [0, 1, 2, 3]
    store.close()


@pytest.mark.parametrize("cut", [1, 30, 4000, 5000])
def test_a_torn_tail_of_the_log_costs_the_last_commit_alone(tmp_path: Path, cut: int) -> None:
    store = Store(tmp_path)
    store.set_meta({"goals": []})
    for trial in range(4):
        store.finish([replace(GOOD, trial=trial)])
    torn = tmp_path / "torn"
    shutil.copytree(tmp_path, torn, ignore=shutil.ignore_patterns("torn", "*-shm"))
    log = torn / f"{STORE_NAME}-wal"
    os.truncate(log, log.stat().st_size - cut)
    with Store(torn) as again:
        found = [record.trial for record in again.records()]
        assert found == list(range(len(found))) and 2 <= len(found) < 4
    store.close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / STORE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RunError, match="has format 99"):
        open_run(tmp_path)


def test_a_file_that_lost_a_table_is_a_clear_error(tmp_path: Path) -> None:
    with Store(tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / STORE_NAME)
    connection.execute("DROP TABLE trials")
    connection.close()
    with Store(tmp_path) as store:
        for read in (store.records, store.next_trial):
            with pytest.raises(RunError, match=r"cannot use the run file.*no such table: trials"):
                read()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.finish([GOOD])
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(RunError, match="is full; everything stored so far is kept"):
            store.set_meta({"big": "x" * 10**6})
        assert store.records() == (GOOD,)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="cannot write in the run folder"):
        Store(tmp_path)


def test_a_folder_under_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot"):
        Store(tmp_path / "file" / "run")


def test_a_limit_on_the_size_of_files_says_what_to_look_at(tmp_path: Path) -> None:
    said = r"takes no more \(disk I/O error\); .* is kept; look at `df` and `ulimit -f`"
    with pytest.raises(RunError, match=said), plain_errors(tmp_path):
        raise sqlite3.OperationalError("disk I/O error")

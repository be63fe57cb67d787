"""Slots on a cluster: agents behind a switchboard behave as workers of this machine do."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from engine_toys import Draws, Numbers, job, run_all, setup_for, slow_tenth, zoo

from nasdsl.engine.cluster.engines import engine_of, host_agent
from nasdsl.engine.cluster.remote import Cluster
from nasdsl.engine.errors import EngineError, PoolError
from nasdsl.engine.lock import LOCK_NAME
from nasdsl.engine.messages import Report
from nasdsl.engine.pool import Pool
from nasdsl.engine.search import search
from nasdsl.engine.trial import Trial


class Threads:
    """The plainest cluster: each launch is a thread that waits for its agent."""

    name, host = "threads", "127.0.0.1"

    def __init__(self, count: int) -> None:
        self.count = count
        self.launches = 0

    def slots(self) -> int:
        return self.count

    def launch(self, host: str, port: int, secret: str) -> Any:
        self.launches += 1
        return _Launch(host, port, secret)

    def close(self) -> None: ...


class _Launch:
    def __init__(self, *arguments: Any) -> None:
        self._end: list[str] = []
        threading.Thread(target=lambda: self._end.append(host_agent(*arguments)), daemon=True).start()

    def ended(self) -> str | None:
        return self._end[0] if self._end else None


@contextmanager
def pool_of(folder: Path, function: Any, count: int = 2, **more: Any) -> Iterator[tuple[Pool, Threads]]:
    (folder / LOCK_NAME).touch()
    engine = Threads(count)
    trial_time = more.pop("trial_time", None)
    with (
        Cluster(engine, None) as cluster,
        Pool(setup_for(folder, function, **more), cluster.places, folder / "logs", trial_time) as pool,
    ):
        yield pool, engine


def test_a_zoo_of_bad_trials_ends_as_on_this_machine(tmp_path: Path) -> None:
    with pool_of(tmp_path, zoo, trial_time=4.0, memory_bytes=1 << 30) as (pool, engine):
        results = run_all(pool, [job(x) for x in range(12)])
    errors = {x: result.error for x, result in results.items() if result.error is not None}
    assert errors[1] == "the worker process ended with exit code 3"
    assert errors[2] == "the worker process was killed by SIGSEGV"
    assert errors[8] == "over the time limit of 4 s"
    assert errors[5].startswith("out of memory")
    assert sorted(errors) == [1, 2, 3, 4, 5, 8, 9, 10]
    assert all(results[x].score == 1.0 for x in (0, 6, 7, 11))
    assert engine.launches == 2, "an agent outlives its workers"


def test_an_agent_that_is_killed_is_launched_again_and_its_trial_starts_again(tmp_path: Path) -> None:
    def kills_its_agent_once(trial: Trial) -> float:
        if trial.load("seen") is None:
            trial.save("seen", {"x": 1})
            server = os.getppid()
            agent = int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(agent, signal.SIGKILL)
            time.sleep(60)
        return 2.0

    with pool_of(tmp_path, kills_its_agent_once, count=1) as (pool, engine):
        assert run_all(pool, [job(0)])[0].score == 2.0
        assert pool.retried() == [0] and engine.launches == 2


def test_a_stop_reaches_a_trial_there(tmp_path: Path) -> None:
    def until_told(trial: Trial) -> float:
        for step in range(10_000):
            trial.report(step, 1.0)
            if trial.should_stop():
                return 5.0
            time.sleep(0.01)
        return 0.0

    with pool_of(tmp_path, until_told, count=1) as (pool, _):
        while not pool.free:
            pool.wait(0.1)
        pool.submit(job(0))
        while not any(isinstance(item, Report) for item in pool.wait()):
            pass
        pool.stop(0)
        done = [item for item in pool.wait(30) if not isinstance(item, Report)]
        while not done:
            done = [item for item in pool.wait(30) if not isinstance(item, Report)]
    assert done[0].result.score == 5.0 and done[0].result.reason == "stopped"


def test_a_folder_that_is_not_shared_is_said(tmp_path: Path) -> None:
    with pool_of(tmp_path, zoo, count=1) as (pool, _):
        (tmp_path / LOCK_NAME).unlink()
        with pytest.raises(PoolError, match="does not see the run folder"):
            while True:
                pool.wait(0.1)


def test_names_that_are_no_cluster(tmp_path: Path) -> None:
    for name, match in (("slurm", "is no cluster"), ("joblib:nonsense", "knows no backend")):
        with pytest.raises(EngineError, match=match):
            engine_of(name, 1)
    with pytest.raises(EngineError, match="cannot run slots"):
        engine_of("joblib:sequential", 1)
    space: Any = Numbers()
    with pytest.raises(EngineError, match="CUDA_VISIBLE_DEVICES"):
        search(space, Draws(space), cluster="dask", gpus=[0], run=tmp_path / "r", evaluate=slow_tenth)


def test_a_dask_cluster_gives_the_trials_of_local_slots(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    space: Any = Numbers()
    runs = [
        search(
            space,
            Draws(space),
            budget=12,
            workers=2,
            run=tmp_path / str(cluster),
            evaluate=slow_tenth,
            cluster=cluster,
        )
        for cluster in (None, "dask")
    ]
    local, dask = ({r.trial: (r.point, r.score, r.seed) for r in run.records} for run in runs)
    assert len(local) == 12 and local == dask
    assert [run.meta["slots"]["cluster"] for run in runs] == [None, "dask"]

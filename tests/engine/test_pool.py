"""Workers: what trials do to their process stays with them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_toys import job, run_all, setup_for, tenth, zoo

from nasdsl.engine.errors import PoolError
from nasdsl.engine.messages import Begun, Done, FromWorker, Ready, Report, Result, Setup
from nasdsl.engine.places import on_gpus, on_this_machine
from nasdsl.engine.pool import Pool
from nasdsl.engine.process import _METHOD
from nasdsl.engine.trial import Trial


def test_a_zoo_of_bad_trials_leaves_the_good_ones_alone(tmp_path: Path) -> None:
    setup = setup_for(tmp_path, zoo, memory_bytes=1 << 30)
    with Pool(setup, on_this_machine(2), tmp_path / "logs", trial_time=4.0) as pool:
        results = run_all(pool, [job(x) for x in range(14)])
    errors = {x: result.error for x, result in results.items() if result.error is not None}
    assert errors[1] == "the worker process ended with exit code 3"
    assert errors[2] == "the worker process was killed by SIGSEGV"
    assert "zoo" in results[2].traceback, "what faulthandler printed stands with the trial"
    assert errors[3] == "the score is nan"
    assert errors[4] == "ValueError: no such luck" and "in zoo" in results[4].traceback
    assert errors[5].startswith("out of memory")
    assert errors[8] == "over the time limit of 4 s"
    assert errors[9] == "the trial called sys.exit('enough')"
    assert errors[10] == "the score is no number but 'good'"
    assert sorted(errors) == [1, 2, 3, 4, 5, 8, 9, 10]
    assert all(results[x].score == 1.0 for x in (0, 6, 7, 11, 12, 13))
    assert all(log.stat().st_size <= 1 << 20 for log in (tmp_path / "logs").iterdir())


def test_a_worker_killed_from_outside_is_replaced_and_its_trial_starts_again(tmp_path: Path) -> None:
    def once(trial: Trial) -> float:
        if trial.load("seen") is None:
            trial.save("seen", {"pid": os.getpid()})
            os.kill(os.getpid(), signal.SIGKILL)
        return 2.0

    with Pool(setup_for(tmp_path, once), on_this_machine(1), tmp_path / "logs") as pool:
        assert run_all(pool, [job(0)])[0].score == 2.0
        assert pool.retried() == [0]


@pytest.mark.skipif(_METHOD != "forkserver", reason="workers come from no fork server here")
def test_the_death_of_the_fork_server_costs_no_trial(tmp_path: Path) -> None:
    def kills_it_once(trial: Trial) -> float:
        if trial.load("seen") is None:
            trial.save("seen", {"pid": os.getpid()})
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        return 2.0

    with Pool(setup_for(tmp_path, kills_it_once), on_this_machine(1), tmp_path / "logs") as pool:
        assert run_all(pool, [job(0), job(1)])[0].score == 2.0
        assert set(pool.retried()) == {0, 1}


def test_a_trial_that_loses_its_worker_twice_is_lost(tmp_path: Path) -> None:
    def always(trial: Trial) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    with Pool(setup_for(tmp_path, always), on_this_machine(1), tmp_path / "logs") as pool:
        result = run_all(pool, [job(0)])[0]
    assert result.reason == "lost" and "SIGKILL, twice" in result.error


def test_reports_arrive_and_a_stop_is_seen(tmp_path: Path) -> None:
    def steps(trial: Trial) -> float:
        for step in range(100_000):
            trial.report(step, step / 10)
            if trial.should_stop():
                return -1.0
            time.sleep(0.005)
        return 0.0

    with Pool(setup_for(tmp_path, steps), on_this_machine(1), tmp_path / "logs") as pool:
        pool.submit(job(0))
        news = []
        while not any(isinstance(item, Done) for item in news):
            news += pool.wait()
            if any(isinstance(item, Report) for item in news):
                pool.stop(0)
    result = news[-1].result
    assert result.reason == "stopped" and result.score == -1.0
    assert [dict(step) for step in result.curve] == [
        {"step": step, "score": step / 10} for step in range(len(result.curve))
    ]


def test_killing_a_trial_gives_the_reason(tmp_path: Path) -> None:
    with Pool(setup_for(tmp_path, zoo), on_this_machine(1), tmp_path / "logs") as pool:
        pool.submit(job(8))
        assert pool.running == (8,) and pool.free == 0
        pool.kill(8, "no longer wanted")
        (done,) = pool.wait(30)
    assert isinstance(done, Done) and done.result.error == "no longer wanted"


def test_functions_travel_by_name_and_measures_come_back(tmp_path: Path) -> None:
    assert setup_for(tmp_path, tenth).function == "engine_toys:tenth"
    factor = 3

    def measured(trial: Trial) -> dict[str, float]:
        return {"score": factor * float(trial.point["x"]), "loss": 0.5, "odd": float("nan")}

    with Pool(setup_for(tmp_path, measured), on_this_machine(1), tmp_path / "logs") as pool:
        result = run_all(pool, [job(0, x=7)])[0]
    assert result.score == 21.0 and result.measures == {"loss": 0.5}


def test_a_function_that_no_worker_can_import_ends_the_run_with_its_error(tmp_path: Path) -> None:
    with Pool(Setup(tmp_path, function="no_such_module:f"), on_this_machine(1), tmp_path / "logs") as pool:
        pool.submit(job(0))
        with pytest.raises(PoolError, match="no_such_module"):
            pool.wait(30)


def test_closing_leaves_no_process(tmp_path: Path) -> None:
    def family(trial: Trial) -> float:
        child = os.fork()
        if child == 0:
            time.sleep(600)
        (Path(trial._folder).parent / "child").write_text(str(child))
        while True:
            time.sleep(1)

    (tmp_path / "checkpoints").mkdir()
    note = tmp_path / "checkpoints" / "child"
    with Pool(setup_for(tmp_path, family), on_this_machine(1), tmp_path / "logs") as pool:
        pool.submit(job(0))
        while not note.is_file() or not note.read_text():
            pool.wait(0.05)
        worker, child = pool._slots[0].worker.pid, int(note.read_text())
    assert _gone(worker) and _gone(child)


def _gone(pid: int) -> bool:
    """Ended, also where nobody has collected its status yet."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.05)
    return False


def test_each_gpu_slot_sees_its_own_card_before_anything_is_loaded(tmp_path: Path) -> None:
    def seen(trial: Trial) -> dict[str, float]:
        import time

        time.sleep(0.3)  # so that every slot gets one
        on_gpu = trial.device == "cuda"
        torch_was_late = "torch" not in sys.modules
        return {"score": float(os.environ["CUDA_VISIBLE_DEVICES"]), "gpu": on_gpu, "late": torch_was_late}

    places = on_gpus(["3", "5"], per_gpu=2)
    with Pool(setup_for(tmp_path, seen), places, tmp_path / "logs") as pool:
        while not all(slot.ready for slot in pool._slots):
            pool.wait()
        results = run_all(pool, [job(x) for x in range(4)])
    assert sorted(result.score for result in results.values()) == [3.0, 3.0, 5.0, 5.0]
    assert all(result.measures == {"gpu": 1.0, "late": 1.0} for result in results.values())
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_a_group_that_falls_apart_is_done_one_by_one(tmp_path: Path) -> None:
    with Pool(setup_for(tmp_path, zoo), on_this_machine(2), tmp_path / "logs") as pool:
        pool.submit(job(0), job(1), job(11), job(12))
        assert sorted(pool.running) == [0, 1, 11, 12] and pool.free == 1
        results: dict[int, Result] = {}
        while len(results) < 4:
            results |= {item.trial: item.result for item in pool.wait() if isinstance(item, Done)}
    assert results[1].error == "the worker process ended with exit code 3"
    assert all(results[x].score == 1.0 for x in (0, 11, 12))


class Scripted:
    """A worker without a process: groups kill it, single jobs succeed."""

    handles: tuple[()] = ()
    reachable = True
    signal = None

    def __init__(self) -> None:
        self.dead = False
        self.said: list[FromWorker] = [Ready()]

    def send(self, message: object) -> None:
        assert isinstance(message, tuple)
        self.dead = len(message) > 1
        self.said += [Begun(), Done(message[0].trial, Result(score=1.0))]

    def messages(self, most: int | None) -> Iterator[FromWorker]:
        while self.said:
            yield self.said.pop(0)

    def alive(self) -> bool:
        return not self.dead

    def trouble(self) -> None:
        return None

    def ending(self) -> str:
        return "it died"

    def log_tail(self) -> str:
        return ""

    def kill(self) -> None: ...
    def close(self) -> None: ...


class Stage:
    def start(self, setup: Setup, log: Path) -> Scripted:
        return Scripted()


def test_a_group_that_dies_is_tried_again_member_by_member(tmp_path: Path) -> None:
    with Pool(Setup(tmp_path), [Stage()], tmp_path / "logs") as pool:
        pool.submit(job(0), job(1), job(2))
        done = [item for _ in range(4) for item in pool.wait(0.01)]
        assert [item.trial for item in done if isinstance(item, Done)] == [0, 1, 2]
        assert pool.retried() == [2, 1] and pool.free == 1

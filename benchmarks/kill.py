"""kill -9 of a whole `nasdsl search`, or of one of its processes, at random moments; every promise checked.

    python -m benchmarks.kill [--over local|dask] [--kills 20] [--space FILE] [--seed 0]

Each round starts `nasdsl search … --resume` in a fresh process, kills up to three of its worker processes (on Dask also
the agents and the cluster's own workers) one after another, and then the driver, all with SIGKILL after random times. Then
it compares the run file with what had been finished before: every finished trial still there and unchanged, none twice, each score
that of its point, no process left behind. At the end a last resume must meet the budget exactly, with no lock in its way.
Trials sleep a little and compute a number; with `--space` they are networks that train. `dask` is a scheduler and two
workers of their own here, which outlive the drivers. Prints a line for each round; exit status 1 at the first broken promise.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nasdsl.engine.errors import RunError
from nasdsl.engine.records import Record
from nasdsl.engine.run import open_run
from nasdsl.engine.store import has_run
from nasdsl.engine.trial import Trial

_MARK = "NASDSL_KILL_BENCHMARK"
_SPACE = "let rate = 1e-4..0.1 log\nlet width = 8..512\nlet pause = 0.0..0.3\n"
_LONGEST_ROUND_S = {"numbers": 4.0, "networks": 25.0}
_GONE_WITHIN_S = 30.0
_UNDER_WAY, _BEGUN_WITHIN_S = 0.75, 60.0
_ROUND_BUDGET = 200  # trials still to run at each start: more than a round can end
_LAST = 10  # trials of the last resume


def value(width: int, rate: float) -> float:
    return width * rate


def evaluate(trial: Trial) -> float:
    time.sleep(float(trial.point["pause"]))  # type: ignore[arg-type]
    return value(int(trial.point["width"]), float(trial.point["rate"]))  # type: ignore[arg-type]


class Broken(Exception):
    """A promise that was not kept."""


class Case:
    """One run folder under attack. `mark` finds the processes of the drivers, also those that they leave."""

    def __init__(self, base: Path, space: str | None, cluster: Cluster | None, rng: random.Random) -> None:
        self.folder, self.cluster, self._rng = base / "run", cluster, rng
        self._networks = space is not None
        self._space = Path(space or base / "numbers.space")
        if space is None:
            self._space.write_text(_SPACE)
        self.kept: dict[int, Record] = {}
        self.kills: Counter[str] = Counter()

    def round(self, most: int) -> None:
        """One start, kills of workers, a kill of the driver: `most` kills at most."""
        driver = self._start(len(self.kept) + _ROUND_BUDGET)
        longest = _LONGEST_ROUND_S["networks" if self._networks else "numbers"]
        if self._rng.random() < _UNDER_WAY:
            self._wait_for_a_trial(driver)
        for _ in range(min(most - 1, self._rng.randrange(4))):
            time.sleep(self._rng.uniform(0.0, longest / 2))
            self._kill_one(driver)
        time.sleep(self._rng.uniform(0.0, longest))
        _promise(driver.poll() is None, f"the search ended by itself with status {driver.returncode}")
        driver.kill()
        driver.wait()
        self.kills["driver"] += 1
        self._promise_nothing_left()
        self.check()

    def _wait_for_a_trial(self, driver: subprocess.Popen[bytes]) -> None:
        """Until this start has finished one: a slow machine would else see kills of what has not begun alone."""
        deadline = time.monotonic() + _BEGUN_WITHIN_S
        while time.monotonic() < deadline and driver.poll() is None:
            with suppress(RunError):
                if has_run(self.folder) and len(open_run(self.folder).records) > len(self.kept):
                    return
            time.sleep(0.05)

    def _kill_one(self, driver: subprocess.Popen[bytes]) -> None:
        """Any process of the run but the driver, with what it is called."""
        found = [pid for pid in _marked(self._mark) if pid != driver.pid]
        found += [] if self.cluster is None else self.cluster.victims()
        if found:
            victim = self._rng.choice(found)
            name = _name_of(victim)
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
                self.kills[name] += 1

    def last(self) -> int:
        """The resume that must meet the budget; how much that was."""
        budget = len(self.kept) + _LAST
        _promise(self._start(budget).wait() == 0, "the last resume failed")
        self._promise_nothing_left()
        self.check()
        _promise(sorted(self.kept) == list(range(budget)), f"not the budget of {budget}: {sorted(self.kept)}")
        _promise(not open_run(self.folder).pending, "a trial is still pending")
        return budget

    @property
    def _mark(self) -> str:
        return f"{_MARK}={self.folder}"

    def _start(self, budget: int) -> subprocess.Popen[bytes]:
        options = [
            "--budget",
            str(budget),
            "--run",
            str(self.folder),
            "--resume",
            "--quiet",
            "--workers",
            "2",
        ]
        options += ["--searcher", "random"]
        options += [] if self._networks else ["--evaluate", "benchmarks.kill:evaluate"]
        options += [] if self.cluster is None else ["--cluster", self.cluster.address]
        return subprocess.Popen(
            [sys.executable, "-m", "nasdsl", "search", str(self._space), *options],
            env=os.environ | {_MARK: str(self.folder)},
            stdout=subprocess.DEVNULL,
        )

    def _promise_nothing_left(self) -> None:
        """No process that inherited the mark lives on; they have a moment to notice."""
        deadline = time.monotonic() + _GONE_WITHIN_S
        while left := [
            *map(_name_of, _marked(self._mark)),
            *(self.cluster.strangers() if self.cluster else ()),
        ]:
            _promise(time.monotonic() < deadline, f"left behind: {left}")
            time.sleep(0.1)

    def check(self) -> None:
        """Take the finished trials, after a look at every promise about them."""
        if not has_run(self.folder):
            return _promise(not self.kept, "the run file is gone")
        try:
            records = open_run(self.folder).records
        except RunError as error:
            return _promise(not self.kept, f"the run file is unreadable: {error}")
        now = {record.trial: record for record in records}
        _promise(len(now) == len(records), "a trial is stored twice")
        _promise(self.kept.items() <= now.items(), "a finished trial was lost or changed")
        for record in records if not self._networks else ():
            _promise(record.reason in ("complete", "lost"), f"trial {record.trial}: {record.error}")
            right = value(int(record.point["width"]), float(record.point["rate"]))  # type: ignore[arg-type]
            _promise(record.score in (right, None), f"trial {record.trial} has another's score")
        self.kept = now


class Cluster:
    """A Dask scheduler with two workers, each under a nanny, in processes of their own."""

    def __init__(self, base: Path) -> None:
        self._mark = f"{_MARK}_CLUSTER={base}"
        self._environment = os.environ | {f"{_MARK}_CLUSTER": str(base)}
        self._log = base / "cluster.log"
        self._own = [self._dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
        self.address = self._found(r"Scheduler at:\s+(tcp://\S+)")
        self._own.append(
            self._dask("worker", self.address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard")
        )
        while len(re.findall("Registered to", self._log.read_text())) < 2:
            time.sleep(0.1)
        self._at_rest = self._names()

    def _names(self) -> Counter[str]:
        return Counter(map(_name_of, self.victims()))

    def _dask(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "dask", *arguments]
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def _found(self, pattern: str) -> str:
        while not (found := re.search(pattern, self._log.read_text())):
            time.sleep(0.1)
        return found[1]

    def victims(self) -> list[int]:
        """Dask's workers, which their nanny replaces, agents, and what these have started."""
        return [pid for pid in _marked(self._mark) if pid not in {one.pid for one in self._own}]

    def strangers(self) -> list[str]:
        """What was not there before the first driver: agents and what they start may not outlive theirs."""
        return list((self._names() - self._at_rest).elements())

    def close(self) -> None:
        for one in reversed(self._own):
            one.terminate()
            one.wait()


@contextmanager
def cluster_of(over: str, base: Path) -> Iterator[Cluster | None]:
    """Where trials run, beside this machine."""
    cluster = Cluster(base) if over == "dask" else None
    try:
        yield cluster
    finally:
        if cluster is not None:
            cluster.close()


def attack(over: str, kills: int, space: str | None, seed: int) -> Iterator[str]:
    """Rounds until there were so many kills; a line for each, at last the verdict. Raises Broken."""
    with tempfile.TemporaryDirectory() as base, cluster_of(over, Path(base)) as cluster:
        case = Case(Path(base), space, cluster, random.Random(seed))
        while (left := kills - case.kills.total()) > 0:
            case.round(left)
            yield f"{case.kills.total():4d} kills: {len(case.kept)} finished trials, all there"
        budget = case.last()
        lost = sum(record.score is None for record in case.kept.values())
        told = ", ".join(f"{n} of {name}" for name, n in sorted(case.kills.items()))
        yield (
            f"{case.kills.total()} kills over {over} ({told}); {budget} trials, {lost} of them lost by two kills each: "
            "every finished trial once, budget exact, nothing left behind"
        )


def _marked(mark: str) -> list[int]:
    """Processes whose environment began with this variable."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, or another user's
            if f"{mark}\0".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def _name_of(pid: int) -> str:
    """What a process is, by its command."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
    except OSError:
        return "ended"
    for part, name in _NAMES.items():
        if part in command:
            return name
    return command[:60]


_NAMES = {
    "nasdsl.engine.cluster.agent": "agent",
    "forkserver": "worker or fork server",
    "resource_tracker": "resource tracker",
    "multiprocessing.spawn": "dask's worker",
    "dask": "dask",
    "nasdsl search": "driver",
}


def _promise(held: bool, otherwise: str) -> None:
    if not held:
        raise Broken(otherwise)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--over", choices=("local", "dask"), default="local")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--space", help="networks that train, in place of numbers")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        for line in attack(options.over, options.kills, options.space, options.seed):
            print(line, flush=True)
    except Broken as broken:
        print(f"BROKEN: {broken}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
